"""A gateway of paper: answers like API.md's for one organisation, and a record of what it was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.gateway import GatewayAnswer

Answer = tuple[int, Any]
LOCATION, ROOM, MEMBER, PLAN = "loc_1", "res_1", "mem_1", "pln_1"


def euro(minor: int) -> dict[str, Any]:
    """Money in euros as the API writes it."""
    return {"amount_minor": minor, "currency": "EUR"}


ORGANIZATION = {
    "id": "org_1", "name": "Harbour Works", "slug": "harbour", "country": "DE", "currency": "EUR",
    "timezone": "Europe/Berlin", "mode": "rehearsal", "language": "en",
}  # fmt: skip
TOKENS = {"access_token": "access-1", "token_type": "Bearer", "expires_in": 900, "refresh_token": "rt_1"}
OWNER = {"subject": "usr_1", "role": "owner", "name": "Example Owner", "email": "owner@harbour.example"}
MEMBER_ME = {"subject": MEMBER, "role": "member", "name": "Ada Lindqvist", "email": "ada@harbour.example",
             "member_id": MEMBER, "company_id": None, "is_billing_person": False}  # fmt: skip

LOCATIONS = [
    {"id": LOCATION, "name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "address": {"city": "Hamburg"},
     "opening_hours": {"mon": [["08:00", "18:00"]], "tue": [["08:00", "18:00"]]}, "tax_percent": None},
]  # fmt: skip
RESOURCES = [
    {"id": ROOM, "name": "Blue Room", "type": "meeting_room", "location_id": LOCATION, "capacity": 1, "seats": 8,
     "visibility": "public", "is_free": False, "listed": True, "problems": [], "amenities": ["screen"],
     "booking_policy": {"buffer_before_minutes": 15}, "cancellation_policy": {}, "pictures": [], "description": None},
    {"id": "res_2", "name": "Lighthouse", "type": "meeting_room", "location_id": LOCATION, "capacity": 1,
     "seats": None, "visibility": "members", "is_free": False, "listed": False, "amenities": [], "pictures": [],
     "problems": [{"code": "resource_without_rate", "detail": "Lighthouse has no rate, so it earns nothing"}],
     "booking_policy": {}, "cancellation_policy": {}, "description": None},
]  # fmt: skip
PLANS = [
    {"id": PLAN, "name": "Flex desk", "kind": "recurring", "price": euro(30000), "interval": "month",
     "interval_count": 1, "prorate": True, "credits_hours": "4", "passes": 0, "visibility": "public",
     "description": "A desk on any day", "setup_fee": None, "deposit": None},
    {"id": "pln_2", "name": "Day pass", "kind": "one_off", "price": euro(2900), "interval": None,
     "interval_count": 1, "credits_hours": "0", "passes": 1, "visibility": "public", "description": None},
]  # fmt: skip
MEMBERS = [
    {"id": MEMBER, "name": "Ada Lindqvist", "email": "ada@harbour.example", "phone": None, "status": "active",
     "company_id": None, "location_id": LOCATION, "billing": None, "billing_day": None, "auto_collect": True,
     "created_at": "2027-02-01T08:00:00Z", "language": None},
    {"id": "mem_2", "name": "<script>alert(1)</script>", "email": None, "phone": "040 1", "status": "active",
     "company_id": None, "location_id": None, "billing": None, "auto_collect": False,
     "created_at": "2027-02-01T08:00:00Z", "language": None},
]  # fmt: skip
EXPLAIN = ["Rate: Rooms.", "3 hours × 15.00 EUR = 45.00 EUR.", "Total: 45.00 EUR."]
BOOKING = {
    "id": "bkg_1", "series_id": None, "status": "confirmed", "resource_id": ROOM, "resource_name": "Blue Room",
    "location_id": LOCATION, "timezone": "Europe/Berlin", "member_id": MEMBER, "company_id": None,
    "customer_name": "Ada Lindqvist", "start": "2027-02-15T08:00:00Z", "end": "2027-02-15T11:00:00Z",
    "price": euro(4500), "lines": [], "explain": EXPLAIN, "payment": "on_invoice", "note": None,
    "cancellation_fee": None,
}  # fmt: skip
LINES = [
    {"id": "lin_1", "description": "Flex desk", "period": {"start": "2027-02-12", "end": "2027-03-01"},
     "quantity": "1", "unit_price": euro(30000), "net": euro(18214), "tax_percent": "19", "total": euro(21675),
     "explain": "17 of 28 days"},
]  # fmt: skip
INVOICE = {
    "id": "inv_1", "number": "INV-2027-00001", "state": "open", "payment_state": "unpaid", "overdue": False,
    "member_id": MEMBER, "company_id": None, "customer": {"name": "Ada Lindqvist"}, "issue_date": "2027-02-12",
    "due_date": "2027-02-19", "lines": LINES, "subtotal": euro(18214), "tax_total": euro(3461),
    "tax_breakdown": [{"category": "S", "percent": "19", "taxable": euro(18214), "tax": euro(3461)}],
    "total": euro(21675), "paid": euro(0), "credited": euro(0), "payable": euro(21675), "sent_at": None,
    "issued_at": "2027-02-11T23:00:00Z", "created_at": "2027-02-11T23:00:00Z",
}  # fmt: skip
PAYMENT = {
    "id": "pay_1", "invoice_id": "inv_1", "invoice_number": "INV-2027-00001", "member_id": MEMBER, "company_id": None,
    "amount": euro(21675), "refunded": euro(0), "state": "failed", "source": "automatic", "provider": "sandbox",
    "method": "card", "brand": "visa", "last4": "4242", "failure_code": "insufficient_funds", "action": None,
    "occurred_at": "2027-02-19T08:00:00Z", "created_at": "2027-02-19T08:00:00Z", "reference": None,
}  # fmt: skip
METHOD = {"id": "pmt_1", "member_id": MEMBER, "company_id": None, "provider": "sandbox", "kind": "card",
          "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "is_default": True,
          "state": "active"}  # fmt: skip
MEMBERSHIP = {"id": "mbs_1", "plan_id": PLAN, "plan_name": "Flex desk", "member_id": MEMBER, "company_id": None,
              "start_date": "2027-02-12", "end_date": None, "price": euro(30000), "quantity": "1",
              "discount_percent": "0", "status": "active", "billed_until": "2027-03-01", "pauses": [],
              "next_invoice_on": "2027-03-01", "interval": "month", "interval_count": 1,
              "earliest_end": "2027-02-28", "open_changes": ["plan_change", "pause", "end"]}  # fmt: skip
COLLECTION = {"invoice_id": "inv_1", "invoice_number": "INV-2027-00001", "member_id": MEMBER, "company_id": None,
              "amount": euro(21675), "due_date": "2027-02-19", "due_at": "2027-02-19T08:00:00Z",
              "next_attempt_at": "2027-02-20T08:00:00Z", "state": "scheduled", "stopped": None,
              "last_failure_code": "insufficient_funds", "attempts": []}  # fmt: skip
NOTIFICATION = {"id": "ntf_1", "template": "invoice", "to": "ada@harbour.example", "subject": "Your invoice",
                "body": "Hello", "text": "Hello", "html": "<h1>Hello</h1>", "state": "sent", "error": None,
                "sent_at": "2027-02-12T00:00:05Z", "created_at": "2027-02-12T00:00:00Z", "invoice_id": "inv_1",
                "attachments": [{"filename": "INV.pdf", "size": 3, "content_type": "application/pdf",
                                 "href": "/v1/notifications/ntf_1/attachments/att_1"}]}  # fmt: skip
GATEWAY = {"id": "gtw_1", "provider": "sandbox", "label": "Sandbox", "location_id": None, "methods": ["card"],
           "live": False, "state": "connected"}  # fmt: skip
FEE = {"id": "fee_1", "name": "Printing", "member_id": MEMBER, "company_id": None, "price": euro(500),
       "quantity": "1", "date": "2027-02-13", "source": "manual", "status": "unbilled", "invoice_id": None,
       "next_invoice_on": "2027-03-01"}  # fmt: skip
RATE = {"id": "rat_1", "name": "Rooms", "resource_ids": [ROOM], "resource_types": [],
        "prices": [{"unit": "hour", "price": euro(1500), "when": "any"},
                   {"unit": "hour", "price": euro(1000), "when": "weekend"}],
        "charge_slot_minutes": 15, "tax_percent": None}  # fmt: skip
RUN = {"id": "run_1", "status": "completed", "as_of": "2027-03-01", "kind": "manual", "location_id": None,
       "counts": {"invoices": 2, "total_minor": 43350}, "errors": [{"detail": "no price", "member_id": "mem_2"}],
       "created_at": "2027-03-01T00:00:00Z", "invoices": []}  # fmt: skip
COMPANY = {"id": "com_1", "name": "Reederei Nord", "email": "office@nord.example", "phone": None,
           "status": "active", "location_id": None, "auto_collect": True}  # fmt: skip
SETTINGS = {
    "automatic_generation": False, "automatic_sending": False, "automatic_collection": False, "pay_now": True,
    "period_start": "first_of_month", "generate_days_before": 0, "payment_terms_days": 14, "charge_hour": 9,
    "tax_percent": "19", "prices_include_tax": False, "number_template": "INV-{year}-{number:05}",
    "retry_days": [1, 3, 5, 7], "reminders": [-3, 0, 3], "lock_date": None, "payment_instructions": None, "version": 1,
}  # fmt: skip
STEPS = [
    {"id": "payment_gateway", "title": "Connect a payment gateway", "state": "done", "why": "No invoice can be paid.",
     "href": "/admin/payment-gateways", "problems": []},
    {"id": "services", "title": "Create the services members pay for", "state": "todo", "why": "Nothing is sold.",
     "href": "/admin/plans",
     "problems": [{"code": "resource_without_rate", "detail": "Lighthouse has no rate", "href": "/v1/resource-rates"}]},
    {"id": "storefront", "title": "Set up the storefront", "state": "optional", "why": "The public page.",
     "href": "/admin/storefront", "problems": []},
]  # fmt: skip
QUOTE = {"resource_id": ROOM, "start": "2027-02-15T08:00:00Z", "end": "2027-02-15T11:00:00Z", "total": euro(4500),
         "lines": [], "explain": EXPLAIN, "available": True, "violations": [], "conflicts": [],
         "occurrences": []}  # fmt: skip
AVAILABILITY = {
    "items": [
        {"resource_id": ROOM, "name": "Blue Room", "timezone": "Europe/Berlin", "is_free": False,
         "free": [{"start": "2027-02-15T07:00:00Z", "end": "2027-02-15T10:00:00Z"}], "busy": [],
         "prices": [{"unit": "hour", "price": euro(1500), "when": "any"}]},
    ],
}  # fmt: skip
STOREFRONT = {
    "organization": ORGANIZATION, "locations": LOCATIONS, "plans": PLANS,
    "storefront": {"published": True, "headline": "Work by the water", "description": "Bright rooms at the quay.",
                   "purchase_flow": {"guest": "pay_now", "member": "pay_later"}},
    "resources": [{**RESOURCES[0], "rates": [RATE]}],
}  # fmt: skip
CHECKOUT = {"id": "chk_1", "state": "awaiting_payment", "amount": euro(4500), "expires_at": "2027-02-01T08:10:00Z",
            "payment": {"provider": "sandbox"}, "items": [], "customer": {"name": "Stranger"}}  # fmt: skip

API_KEY = {"id": "key_1", "name": "Door system", "role": "front_desk", "hint": "dk_ab", "last_used_at": None}
AUDIT = {"id": "aud_1", "at": "2027-02-01T08:00:00Z", "actor": "usr_1", "actor_role": "owner", "address": "127.0.0.1",
         "action": "member.changed", "subject": MEMBER, "changes": {"name": ["A", "B"]}}  # fmt: skip

_LISTS: dict[str, list[Any]] = {
    "/v1/locations": LOCATIONS, "/v1/resources": RESOURCES, "/v1/plans": PLANS, "/v1/members": MEMBERS,
    "/v1/bookings": [BOOKING], "/v1/invoices": [INVOICE], "/v1/payments": [PAYMENT], "/v1/memberships": [MEMBERSHIP],
    "/v1/payment-methods": [METHOD], "/v1/collections": [COLLECTION], "/v1/notifications": [NOTIFICATION],
    "/v1/payment-gateways": [GATEWAY], "/v1/fees": [FEE], "/v1/resource-rates": [RATE], "/v1/billing-runs": [RUN],
    "/v1/companies": [COMPANY], "/v1/api-keys": [API_KEY], "/v1/audit-log": [AUDIT],
    "/v1/passes": [],
    "/v1/promo-code-uses/purchases": [{"promo_code_id": "pro_1", "code": "FRIENDS", "uses": 2, "max_uses": 5}],
    "/v1/promo-code-uses/bookings": [{"promo_code_id": "pro_1", "code": "FRIENDS", "uses": 1, "max_uses": 5}],
}  # fmt: skip
DAY = {"date": "2027-02-15", "bookings": 1, "fullest": [{"resource_name": "Blue Room", "percent": "12.5"}]}
SUMMARY = {"mrr": euro(30000), "active_memberships": 1, "receivable": euro(21675), "overdue": euro(21675),
           "overdue_invoices": 1,
           "revenue": [{"month": "2026-12", "net": euro(0)}, {"month": "2027-01", "net": euro(10000)},
                       {"month": "2027-02", "net": euro(17914)}]}  # fmt: skip
TEMPLATE = {"event": "invoice", "language": "en", "title": "An invoice", "subject": "Invoice {{ invoice.number }}",
            "html": "<p>{{ recipient.name }}</p>", "text": None, "is_custom": True,
            "variables": ["invoice.number"]}  # fmt: skip
ENDPOINT = {"id": "whk_1", "url": "https://door.example/hook", "description": "Door", "event_types": ["*"],
            "enabled": True, "disabled_reason": None, "created_at": "2027-02-01T08:00:00Z", "version": 1}  # fmt: skip
DELIVERY = {"id": "dlv_1", "event_id": "evt_1", "event_type": "booking-created", "state": "failed", "attempts": 2,
            "created_at": "2027-02-01T08:00:00Z", "delivered_at": None, "next_attempt_at": None, "data": {"a": 1},
            "log": [{"at": "2027-02-01T08:00:00Z", "status_code": 500, "error": None, "milliseconds": 12,
                     "answer": "<script>alert(1)</script>"}]}  # fmt: skip
PROMO = {"id": "pro_1", "code": "FRIENDS", "percent": "10", "amount": None, "scope": {"kinds": ["booking"]},
         "max_uses": 5, "max_uses_per_customer": None, "valid_from": None, "valid_until": "2027-12-31",
         "archived_at": None, "version": 1}  # fmt: skip
USER = {"id": "usr_2", "name": "Front Desk", "email": "desk@harbour.example", "role": "front_desk",
        "status": "active", "location_ids": None, "last_sign_in_at": None}  # fmt: skip
CREDIT_NOTE = {"id": "crn_1", "number": "CN-2027-00001", "invoice_id": "inv_1", "member_id": MEMBER,
               "company_id": None, "customer_name": "Ada Lindqvist", "issue_date": "2027-02-20",
               "reason": "booking changed", "tax_total": euro(190),
               "lines": [{"description": "Flex desk", "explain": "11 of 28 days unused", "net": euro(1000)}],
               "total": euro(1190), "allocated": euro(0), "refund": euro(0),
               "to_account_credit": euro(1190), "left": euro(1190)}  # fmt: skip
CREDIT = {"id": "crd_1", "member_id": MEMBER, "source": "membership", "hours": "8", "available": "7",
          "valid_from": "2027-02-01", "expires_on": "2027-03-01", "note": "Flex desk"}  # fmt: skip
DEPOSIT = {"id": "dep_1", "name": "Key", "held": euro(5000), "amount": euro(5000), "state": "held",
           "created_at": "2027-02-01T08:00:00Z"}  # fmt: skip

_SINGLES: dict[str, Any] = {
    "/v1/reports/day": DAY, "/v1/reports/summary": SUMMARY, "/v1/notification-templates/invoice/en": TEMPLATE,
    "/v1/webhook-endpoints/whk_1/deliveries": {"items": [DELIVERY], "next_cursor": None},
    "/v1/webhook-endpoints/whk_1/deliveries/dlv_1": DELIVERY,
    "/v1/credits": {"items": [CREDIT], "balance": {"available": "7"}, "next_cursor": None},
    "/v1/credits/ledger": {"items": [], "next_cursor": None},
    "/v1/organization": ORGANIZATION, "/v1/me": OWNER, "/v1/setup": {"steps": STEPS},
    "/v1/settings/billing": SETTINGS, "/v1/storefront-settings": STOREFRONT["storefront"],
    "/v1/organization/clock": {"mode": "rehearsal", "now": "2027-02-15T07:00:00Z", "target": None, "settled": True},
    "/v1/availability": AVAILABILITY, "/v1/storefront/harbour": STOREFRONT,
    "/v1/storefront/harbour/availability": AVAILABILITY, "/v1/storefront/harbour/checkouts/chk_1": CHECKOUT,
    "/v1/bookings/bkg_1/cancellation": {**BOOKING, "fee": euro(0), "percent": "0"},
    "/v1/payments/pay_1/refunds": {"items": []},
}  # fmt: skip
DRY_RUN = {"status": "dry_run", "counts": {"invoices": 1, "total_minor": 21675}, "as_of": "2027-03-01",
           "location_id": None, "errors": [], "invoices": [INVOICE],
           "comparison": {"run_id": "run_1", "as_of": "2027-02-01", "total_before": euro(20000), "differing": 40,
                          "total_now": euro(21675), "same": 3, "differences": [
                              {"customer_name": "Ada Lindqvist", "member_id": MEMBER, "company_id": None,
                               "before": euro(20000), "now": euro(21675)},
                              {"customer_name": "Bo", "member_id": "mem_2", "company_id": None,
                               "before": euro(500), "now": None}]}}  # fmt: skip
_LISTS |= {
    "/v1/users": [USER], "/v1/credit-notes": [CREDIT_NOTE], "/v1/promo-codes": [PROMO],
    "/v1/webhook-endpoints": [ENDPOINT], "/v1/notification-templates": [TEMPLATE], "/v1/deposits": [DEPOSIT],
}  # fmt: skip
_MADE: dict[str, Answer] = {
    "/v1/organizations": (201, {"organization": ORGANIZATION, **TOKENS}),
    "/v1/tokens": (200, TOKENS),
    "/v1/bookings/quote": (200, QUOTE),
    "/v1/storefront/harbour/quote": (200, QUOTE),
    "/v1/storefront/harbour/checkouts": (201, CHECKOUT),
    "/v1/storefront/harbour/checkouts/chk_1/payment": (200, {**CHECKOUT, "state": "confirmed"}),
    "/v1/billing-runs": (200, DRY_RUN),
    "/v1/bookings": (201, BOOKING),
}


@dataclass
class Asked:
    """One request to the gateway."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    headers: dict[str, str]


@dataclass
class PaperGateway:
    """Implements `portal.gateway.Gateway`; ``answers`` come before its own, by (method, path)."""

    asked: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """See `Gateway.send`."""
        self.asked.append(Asked(method, path, dict(query or {}), body, dict(headers or {})))
        status, found = self.answers.get((method, path)) or self._answer(method, path)
        if isinstance(found, bytes):
            return GatewayAnswer(status, {"content-type": "application/pdf"}, found)
        etag = {"etag": f'"v{found["version"]}"'} if method == "GET" and "version" in found else {}
        return GatewayAnswer(status, {"content-type": "application/json", **etag}, json.dumps(found).encode())

    def refuse(self, method: str, path: str, status: int, code: str, detail: str, **faults: str) -> None:
        """Answer with a problem; ``faults`` are pointers with ``__`` for ``/`` and their sentences."""
        errors = [{"pointer": "/" + name.replace("__", "/"), "detail": text} for name, text in faults.items()]
        self.answers[(method, path)] = (status, {"code": code, "detail": detail, "errors": errors})

    def last(self, method: str, path: str) -> Asked:
        """The last such request."""
        return next(a for a in reversed(self.asked) if (a.method, a.path) == (method, path))

    @staticmethod
    def _answer(method: str, path: str) -> Answer:
        if method == "GET":
            return _read(path)
        return _MADE.get(path, (200, {**_read(path)[1], "id": "new_1"} if _read(path)[0] == 200 else {"id": "new_1"}))


def _read(path: str) -> Answer:
    if path in _SINGLES:
        return 200, _SINGLES[path]
    if path in _LISTS:
        return 200, {"items": _LISTS[path], "next_cursor": None}
    if path.endswith("/pdf"):
        return 200, b"%PDF-1.7"
    collection, _, wanted = path.rpartition("/")
    found = next((item for item in _LISTS.get(collection, []) if item["id"] == wanted), None)
    return (200, found) if found else (404, {"code": "not_found", "detail": "there is no such thing"})
