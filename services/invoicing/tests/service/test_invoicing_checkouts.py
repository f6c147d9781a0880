"""Purchases of the storefront that nobody paid for, and that cannot be voided any more (GH-2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from common.ids import encode_id, new_id
from contracts.invoicing import RefundRequested


@pytest.fixture
def unpaid(house: Any) -> dict[str, Any]:
    """A membership bought on the storefront; the run that followed at once has billed its next period too."""
    plan = encode_id("pln", house.plan)
    items = [{"plan_id": plan, "start_date": "2027-02-01"}]
    bought: dict[str, Any] = house.post(
        "/v1/purchases",
        {"member_id": house.mem, "pay": "now", "items": items, "checkout_id": encode_id("chk", new_id())},
    )
    house.set(generate_days_before=40)
    assert house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["counts"]["invoices"] == 1
    return bought


def test_what_was_billed_further_already_ends_today_and_is_billed_no_more(house: Any, unpaid: dict[str, Any]) -> None:
    house.advance(datetime(2027, 2, 1, 9, 0, tzinfo=UTC))
    assert {i["id"]: i["state"] for i in house.invoices()}[unpaid["invoice"]["id"]] == "uncollectible"
    (membership,) = house.get("/v1/memberships")["items"]
    assert membership["end_date"] == "2027-02-01"
    later = house.post("/v1/billing-runs", {"as_of": "2027-06-01"})
    assert later["counts"]["invoices"] == 0


def test_money_for_a_void_invoice_is_asked_back_with_the_reason_of_the_void(house: Any) -> None:
    """Staff voided it, no checkout expired."""
    items = [{"name": "Locker", "price": {"amount_minor": 2000, "currency": "EUR"}}]
    bought = house.post("/v1/purchases", {"member_id": house.mem, "pay": "now", "items": items})
    house.post(f"/v1/invoices/{bought['invoice']['id']}/void", {"reason": "ordered twice"}, 200)
    house.feed(house.payment(bought["invoice"]))
    (request,) = house.messages(RefundRequested)
    assert request.reason == "paid after the invoice was void: ordered twice"


def test_a_trial_costs_nothing_when_it_is_bought(house: Any) -> None:
    """PRO-7: with something else that alone is paid now, by itself it is bought on invoice."""
    plan = encode_id("pln", house.add_plan(30000, trial_days=14))
    key = {"name": "Key card", "price": {"amount_minor": 2000, "currency": "EUR"}}
    body = {"member_id": house.mem, "pay": "now", "items": [{"plan_id": plan}]}
    assert house.post("/v1/purchases", body, 422)["code"] == "nothing_to_invoice"
    assert house.get("/v1/memberships")["items"] == []
    bought = house.post("/v1/purchases", {**body, "items": [{"plan_id": plan}, key]})
    assert [line["description"] for line in bought["invoice"]["lines"]] == ["Key card"]
    (membership,) = bought["memberships"]
    assert (membership["status"], membership["next_invoice_on"]) == ("trial", "2027-02-15")
    (later,) = house.post("/v1/billing-runs", {"as_of": "2027-02-15"})["invoices"]
    assert (later["issue_date"], later["total"]["amount_minor"]) == ("2027-02-15", 15000)
