"""Sample data: what a preview is filled with, and the list of what each template may say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from common.db.database import Organization
from common.money import Money
from notifications.domain.templates import TEMPLATES

_DAY = date(2027, 3, 1)
_START = datetime(2027, 3, 15, 8, 0, tzinfo=UTC)


def sample(template: str, organization: Organization) -> dict[str, Any]:
    """Everything that a template may say, with made-up values in the organisation's currency."""
    common = {"recipient": {"name": "Example Member"}, "link": "https://example.com/", "has_pdf": True}
    return common | _PARTS[_kind(template)](organization)


def variables(template: str, organization: Organization) -> list[str]:
    """Names that a template may use, as ``payment.amount``."""
    known = sample(template, organization) | {"organization": dict.fromkeys(("name", "address", "contact"), "")}
    found: list[str] = []
    for name, value in known.items():
        found += [f"{name}.{inner}" for inner in value] if isinstance(value, Mapping) else [name]
    return sorted(found)


def _kind(template: str) -> str:
    if TEMPLATES[template].secret:
        return "door"
    if template in _PARTS:
        return template
    return _KINDS.get(template) or template.split("-", maxsplit=1)[0]


def _invoice(organization: Organization) -> dict[str, Any]:
    def money(minor: int) -> Money:
        return Money(minor, organization.currency)

    lines = [
        {"description": "Flex desk, March 2027", "total": money(30000)},
        {"description": "Blue Room, 15 February, 09:00 – 12:00", "total": money(4500)},
    ]
    invoice = {
        "number": "INV-2027-00002",
        "issue_date": _DAY,
        "due_date": _DAY + timedelta(days=7),
        "lines": lines,
        "subtotal": money(34500),
        "tax_total": money(5508),
        "has_tax": True,
        "total": money(34500),
        "paid": money(0),
        "payable": money(34500),
        "is_open": True,
        "is_partly_paid": False,
        "collect": False,
    }
    return {"invoice": invoice, "reminder": {"days": 3, "is_today": False}}


def _payment(organization: Organization) -> dict[str, Any]:
    payment = {
        "amount": Money(34500, organization.currency),
        "refund": Money(4500, organization.currency),
        "invoice_number": "INV-2027-00002",
        "date": _START.date(),
        "method": "Visa ···· 4242",
        "reference": "",
        "reason": "",
        "next_attempt_at": _START.date() + timedelta(days=3),
        "failure_code": "insufficient_funds",
        "is_taken_back": False,
        "customer": "Example Member",
        "attempt": 1,
    }
    return {"payment": payment}


def _credit_note(organization: Organization) -> dict[str, Any]:
    note = {
        "number": "CN-2027-00001",
        "invoice_number": "INV-2027-00002",
        "issue_date": _DAY,
        "total": Money(4500, organization.currency),
        "to_account_credit": Money(4500, organization.currency),
        "has_account_credit": True,
        "refund": Money(0, organization.currency),
        "has_refund": False,
        "reason": "",
    }
    return {"credit_note": note}


def _booking(organization: Organization) -> dict[str, Any]:
    booking = {
        "resource": "Blue Room",
        "start": _START,
        "end": _START + timedelta(hours=3),
        "timezone": organization.timezone,
        "place": "Dock 1, Kai 1, 20457 Hamburg",
        "others": [],
        "price": Money(4500, organization.currency),
        "has_price": True,
        "cancellation_fee": Money(2250, organization.currency),
        "has_fee": True,
        "is_rejected": False,
        "customer": "Example Member",
    }
    return {"booking": booking}


def _membership(organization: Organization) -> dict[str, Any]:
    membership = {
        "plan": "Flex desk",
        "start_date": date(2027, 2, 12),
        "end_date": date(2027, 12, 31),
        "price": Money(30000, organization.currency),
    }
    return {"membership": membership}


def _method(_organization: Organization) -> dict[str, Any]:
    return {"method": {"name": "Visa ···· 4242", "expires_on": date(2027, 3, 31)}}


def _door(organization: Organization) -> dict[str, Any]:
    return {"expires_at": _START, "timezone": organization.timezone}


def _gateway(_organization: Organization) -> dict[str, Any]:
    return {"gateway": {"provider": "Stripe"}}


def _standing(_organization: Organization) -> dict[str, Any]:
    return {"standing": {"overdue_since": _DAY}}


def _failures(_organization: Organization) -> dict[str, Any]:
    failure = {
        "to": "Example Member",
        "address": "member@example.com",
        "subject": "Invoice INV-2027-00002",
        "error": "550 5.1.1 user unknown",
    }
    return {"failures": [failure], "count": 1, "others": 0}


def _endpoint(_organization: Organization) -> dict[str, Any]:
    reason = "answered 410 Gone 3 times in a row"
    return {"endpoint": {"id": "whk_0192f0c8a1b27def8a3b0c1d2e3f4a5b", "url": "https://example.com/", "reason": reason}}


_PARTS = {
    "invoice": _invoice,
    "payment": _payment,
    "payment-method-expiring": _method,
    "credit": _credit_note,
    "booking": _booking,
    "membership": _membership,
    "door": _door,
    "gateway": _gateway,
    "bookings-blocked": _standing,
    "notification-failed": _failures,
    "webhook-disabled": _endpoint,
}
_KINDS = {
    "receipt": "payment",
    "collection-failed": "payment",
    "refund-failed": "payment",
    "approval-needed": "booking",
}
