"""The Member Portal's pages, and what its forms ask of the API."""

from __future__ import annotations

from typing import Any

import pytest

PAGES = [
    "/portal/harbour/",
    "/portal/harbour/book",
    "/portal/harbour/book/res_1?date=2027-02-15",
    "/portal/harbour/bookings",
    "/portal/harbour/bookings/bkg_1",
    "/portal/harbour/invoices",
    "/portal/harbour/invoices/inv_1",
    "/portal/harbour/payment-methods",
    "/portal/harbour/membership",
    "/portal/harbour/profile",
]


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
