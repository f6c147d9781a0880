"""The Member Portal's pages, and what its forms ask of the API."""

from __future__ import annotations

from typing import Any

import pytest

PAGES = [
    "/portal/harbour/",
    "/portal/harbour/book",
    "/portal/harbour/book/res_1?date=2027-02-15",
    "/portal/harbour/bookings",
    "/portal/harbour/bookings?show=all",
    "/portal/harbour/bookings/bkg_1",
    "/portal/harbour/bookings/bkg_1/move",
    "/portal/harbour/calendar",
    "/portal/harbour/allowances",
    "/portal/harbour/invoices",
    "/portal/harbour/invoices/inv_1",
    "/portal/harbour/payment-methods",
    "/portal/harbour/membership",
    "/portal/harbour/membership/mbs_1",
    "/portal/harbour/membership/mbs_1/plan",
    "/portal/harbour/membership/mbs_1/plan?plan_id=pln_3",
    "/portal/harbour/membership/mbs_1/pause",
    "/portal/harbour/membership/mbs_1/end",
    "/portal/harbour/profile",
]
EUR = "EUR"
PERIOD = {"start": "2027-02-20", "end": "2027-03-01"}
PLAN_CHANGE = {
    "date": "2027-02-20",
    "net": {"amount_minor": 1000, "currency": EUR},
    "membership": None,
    "lines": [
        {"kind": "credit", "description": "Flex desk", "period": PERIOD, "explain": "9 of 28 days unused",
         "net": {"amount_minor": -9000, "currency": EUR}},
        {"kind": "charge", "description": "Fixed desk", "period": PERIOD, "explain": "9 of 28 days",
         "net": {"amount_minor": 10000, "currency": EUR}},
    ],
}  # fmt: skip
HOURS = {"id": "crd_1", "source": "membership", "hours": "4", "consumed": "1", "available": "3", "note": None,
         "valid_from": "2027-02-01", "expires_on": "2027-03-01", "company_id": None}  # fmt: skip
PASSES = {"id": "pas_1", "source": "staff", "days": 5, "remaining": 4, "valid_from": "2027-02-01", "note": None,
          "expires_on": None, "company_id": None}  # fmt: skip
SPENT = {"id": "cre_1", "kind": "consume", "hours": "1", "booking_id": "bkg_1", "at": "2027-02-15T08:00:00Z"}
FEED = {"id": "cal_1", "created_at": "2027-02-01T08:00:00Z"}
VISIT = {"location_id": "loc_1", "checked_in_at": "2027-02-01T08:00:00Z", "checked_out_at": None, "pass_id": "pas_1"}


@pytest.fixture
def member(member: Any, gateway: Any) -> Any:
    """The member, with some of everything."""
    import portal_house as house

    dearer = {**house.PLANS[0], "id": "pln_3", "name": "Fixed desk"}
    balance = {"available": "3", "reserved": "0"}
    lists = {"/v1/passes": PASSES, "/v1/credits/ledger": SPENT, "/v1/calendars": FEED, "/v1/check-ins": VISIT}
    gateway.answers |= {("GET", path): (200, {"items": [row]}) for path, row in lists.items()} | {
        ("GET", "/v1/credits"): (200, {"items": [HOURS], "balance": balance}),
        ("GET", "/v1/plans"): (200, {"items": [*house.PLANS, dearer]}),
        ("POST", "/v1/memberships/mbs_1/plan-change"): (200, PLAN_CHANGE),
        ("POST", "/v1/invoices/preview"): (200, {"invoices": [house.INVOICE]}),
        ("PATCH", "/v1/bookings/bkg_1"): (200, {**house.BOOKING, "price": house.euro(6000)}),
        ("POST", "/v1/calendars"): (201, {**FEED, "id": "cal_2", "path": "/v1/calendars/secret.ics"}),
    }
    return member


@pytest.mark.parametrize("path", PAGES)
def test_member_page_is_shown_with_a_handful_of_calls(member: Any, gateway: Any, path: str) -> None:
    gateway.asked.clear()
    page = member.read(path)
    assert len(gateway.asked) <= 8, [asked.path for asked in gateway.asked]
    assert "<h1>" in page
    assert 'href="/portal/harbour/invoices"' in page


def test_a_link_out_of_a_mail_leads_through_the_door_back_to_it(visitor: Any) -> None:
    answer = visitor.client.get("/portal/harbour/invoices/inv_1")
    assert answer.headers["Location"] == "/sign-in?organization=harbour&next=/portal/harbour/invoices/inv_1"


def test_a_member_signs_in_to_where_they_wanted_to_go(visitor: Any, gateway: Any) -> None:
    import portal_house

    gateway.answers[("GET", "/v1/me")] = (200, portal_house.MEMBER_ME)
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    answer = visitor.send("/sign-in?next=/portal/harbour/invoices/inv_1", form)
    assert answer.headers["Location"] == "/portal/harbour/invoices/inv_1"
    assert gateway.last("POST", "/v1/tokens").body["side"] == "member"


def test_another_organisations_portal_stays_closed(member: Any) -> None:
    assert member.client.get("/portal/elsewhere/").status_code == 302


def test_booking_sends_start_and_end_of_the_chosen_slot(member: Any, gateway: Any) -> None:
    form = {"start": "2027-02-15T08:00:00Z", "minutes": "90"}
    answer = member.send("/portal/harbour/book/res_1?date=2027-02-15", form)
    assert answer.status_code == 302
    asked = gateway.last("POST", "/v1/bookings")
    assert asked.body == {
        "resource_id": "res_1",
        "member_id": "mem_1",
        "start": "2027-02-15T08:00:00Z",
        "end": "2027-02-15T09:30:00Z",
        "payment": "on_invoice",
    }
    assert len(asked.headers["Idempotency-Key"]) >= 8


def test_a_start_that_is_not_free_is_refused_by_the_form(member: Any, gateway: Any) -> None:
    form = {"start": "2027-02-15T18:00:00Z", "minutes": "60"}
    assert member.send("/portal/harbour/book/res_1?date=2027-02-15", form).status_code == 200
    assert not [asked for asked in gateway.asked if asked.path == "/v1/bookings" and asked.method == "POST"]


def test_pay_now_charges_the_chosen_method_and_tells_how_it_went(member: Any, gateway: Any) -> None:
    gateway.answers[("POST", "/v1/invoices/inv_1/payments")] = (
        201,
        {"id": "pay_2", "state": "failed", "failure_code": "insufficient_funds"},
    )
    page = "/portal/harbour/invoices/inv_1"
    answer = member.send(f"{page}/payment", {"payment_method_id": "pmt_1"}, page=page)
    assert answer.headers["Location"] == page
    assert gateway.last("POST", "/v1/invoices/inv_1/payments").body["payment_method_id"] == "pmt_1"
    assert "not enough money in the account" in member.read(page)


def test_a_bank_that_asks_back_is_linked_to(member: Any, gateway: Any) -> None:
    action = {"url": "https://bank.example/confirm", "client_secret": None}
    gateway.answers[("POST", "/v1/invoices/inv_1/payments")] = (
        201,
        {"id": "pay_2", "state": "action_required", "action": action},
    )
    page = "/portal/harbour/invoices/inv_1"
    answer = member.send(f"{page}/payment", {"payment_method_id": "pmt_1"}, page=page)
    assert 'href="https://bank.example/confirm"' in answer.get_data(as_text=True)


def test_the_sandboxs_bank_is_linked_to_on_this_site_with_the_way_back(member: Any, gateway: Any) -> None:
    confirming = f"/v1/payments/pay_{32 * '0'}/action"
    action = {"url": f"https://elsewhere.example{confirming}?key=k", "client_secret": None}
    gateway.answers[("POST", "/v1/invoices/inv_1/payments")] = (
        201,
        {"id": "pay_2", "state": "action_required", "action": action},
    )
    page = "/portal/harbour/invoices/inv_1"
    answer = member.send(f"{page}/payment", {"payment_method_id": "pmt_1"}, page=page)
    assert f'href="{confirming}?key=k&amp;back=%2Fportal%2Fharbour%2Finvoices%2Finv_1"' in answer.text


def test_the_next_invoice_and_what_a_plan_change_costs_are_shown_before(member: Any, gateway: Any) -> None:
    page = member.read("/portal/harbour/membership/mbs_1")
    assert "Your next invoice" in page
    assert "17 of 28 days" in page
    assert gateway.last("POST", "/v1/invoices/preview").body == {"member_id": "mem_1", "as_of": "2027-03-01"}
    preview = member.read("/portal/harbour/membership/mbs_1/plan?plan_id=pln_3")
    assert gateway.last("POST", "/v1/memberships/mbs_1/plan-change").body == {"plan_id": "pln_3", "preview": True}
    assert "-€90.00" in preview
    assert "Change to Fixed desk" in preview


def test_ending_proposes_the_earliest_end_and_what_is_not_open_is_not_there(member: Any, gateway: Any) -> None:
    import portal_house as house

    path = "/portal/harbour/membership/mbs_1/end"
    assert 'value="2027-02-28"' in member.read(path)
    member.send(path, {"end_date": "2027-02-28"})
    assert gateway.last("POST", "/v1/memberships/mbs_1/end").body == {"end_date": "2027-02-28"}
    closed = {**house.MEMBERSHIP, "open_changes": []}
    gateway.answers[("GET", "/v1/memberships/mbs_1")] = (200, closed)
    assert member.client.get(path).status_code == 404


def test_a_refused_pause_is_told_beside_its_field(member: Any, gateway: Any) -> None:
    path = "/v1/memberships/mbs_1/pause"
    gateway.refuse("POST", path, 422, "invalid_pause", "not possible", **{"from": "must be later"})
    form = {"from": "2027-02-20", "to": "2027-03-20"}
    page = member.send("/portal/harbour/membership/mbs_1/pause", form).get_data(as_text=True)
    assert gateway.last("POST", path).body == form
    assert 'id="from-fault"' in page


def test_moving_shows_the_new_price_before_anything_changes(member: Any, gateway: Any) -> None:
    page = "/portal/harbour/bookings/bkg_1/move"
    times = {"start": "2027-02-15T08:30:00Z", "minutes": "60"}
    quote = member.send(f"{page}/quote?date=2027-02-15", times, page=page).get_data(as_text=True)
    asked = gateway.last("PATCH", "/v1/bookings/bkg_1").body
    assert asked == {"start": "2027-02-15T08:30:00Z", "end": "2027-02-15T09:30:00Z", "preview": True}
    assert "€60.00" in quote
    assert "Now it is €45.00." in quote
    assert member.send(f"{page}?date=2027-02-15", times, page=page).status_code == 302
    assert "preview" not in gateway.last("PATCH", "/v1/bookings/bkg_1").body


def test_a_new_calendar_address_is_shown_once_and_the_one_before_it_closed(member: Any, gateway: Any) -> None:
    page = member.send("/portal/harbour/calendar", {}).get_data(as_text=True)
    assert "http://localhost/v1/calendars/secret.ics" in page
    assert gateway.last("DELETE", "/v1/calendars/cal_1")
    assert "secret.ics" not in member.read("/portal/harbour/calendar")


@pytest.mark.parametrize(
    ("powers", "seen"), [({}, 404), ({"is_billing_person": True}, 200), ({"is_contact_person": True}, 200)]
)
def test_the_company_is_for_its_billing_and_contact_persons(
    visitor: Any, gateway: Any, powers: dict[str, bool], seen: int
) -> None:
    import portal_house as house

    gateway.answers[("GET", "/v1/me")] = (200, {**house.MEMBER_ME, "company_id": "com_1", **powers})
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    visitor.send("/sign-in", form)
    answer = visitor.client.get("/portal/harbour/company")
    assert answer.status_code == seen
    page = answer.get_data(as_text=True)
    assert ("INV-2027-00001" in page) is bool(powers.get("is_billing_person"))
    details = visitor.client.get("/portal/harbour/company/details").status_code
    assert details == (200 if powers.get("is_contact_person") else 403 if powers else 404)


def test_a_contact_person_changes_the_companys_address_as_a_whole(visitor: Any, gateway: Any) -> None:
    import portal_house as house

    gateway.answers[("GET", "/v1/me")] = (
        200,
        {**house.MEMBER_ME, "company_id": "com_1", "is_contact_person": True},
    )
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    visitor.send("/sign-in", form)
    details = {"name": "Reederei Nord", "billing__address__street": "Kai 1", "billing__address__city": "Hamburg"}
    assert visitor.send("/portal/harbour/company/details", details).status_code == 302
    billing = gateway.last("PATCH", "/v1/companies/com_1").body["billing"]
    assert billing["address"] == {"street": "Kai 1", "city": "Hamburg"}
    assert billing["vat_number"] is None


def test_stripes_element_is_allowed_on_its_own_page_only(member: Any, gateway: Any) -> None:
    setup = {"provider": "stripe", "client_secret": "seti_secret", "publishable_key": "pk_test", "url": None}
    gateway.answers[("POST", "/v1/payment-methods/setup")] = (201, {"id": "pmt_2", "state": "pending", "setup": setup})
    answer = member.send("/portal/harbour/payment-methods", {})
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' https://js.stripe.com" in policy
    assert 'data-secret="seti_secret"' in answer.get_data(as_text=True)
    other = member.client.get("/portal/harbour/payment-methods").headers["Content-Security-Policy"]
    assert "stripe" not in other
