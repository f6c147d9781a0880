"""What the buyers of one-off plans get is told with the fee or its payment, and taken back with it (PAS-1, CRD-1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from common.ids import encode_id, new_id
from contracts.invoicing import DepositChanged, PlanPurchaseChanged
from contracts.payments import PaymentFailed, PaymentPending, PaymentReversed


@pytest.fixture
def passes(house: Any) -> str:
    """Ten day passes and two hours, good for 30 days."""
    terms = {"display_name": "Ten passes", "passes": 10, "credits_hours": Decimal(2), "allowance_valid_days": 30}
    return encode_id("pln", house.add_plan(15000, kind="one_off", **terms))


def told(house: Any) -> list[tuple[str, int, int]]:
    """(status, passes, version) of every announcement."""
    return [(m.status, m.passes, m.version) for m in house.messages(PlanPurchaseChanged)]


def charge(house: Any, plan_id: str, **values: Any) -> Any:
    return house.post("/v1/fees", {"member_id": house.mem, "plan_id": plan_id, **values})


def buy(house: Any, plan_id: str, **values: Any) -> Any:
    items = [{"plan_id": plan_id}]
    return house.post("/v1/purchases", {"member_id": house.mem, "items": items, "pay": "now", **values})


def test_a_fee_gives_its_passes_and_hours_at_once_for_the_whole_quantity(house: Any, passes: str) -> None:
    charge(house, passes, quantity="3", date="2027-02-12")
    (message,) = house.messages(PlanPurchaseChanged)
    assert (message.passes, message.credits_hours, message.quantity) == (30, Decimal(6), Decimal(3))
    assert (message.purchased_on, message.expires_on) == (date(2027, 2, 12), date(2027, 3, 14))
    assert (message.member_id, message.plan_name, message.status) == (house.member, "Ten passes", "active")


def test_a_plan_that_gives_nothing_is_not_told_of(house: Any) -> None:
    charge(house, encode_id("pln", house.add_plan(500, kind="one_off")))
    assert told(house) == []


def test_what_never_expires_has_no_last_day(house: Any) -> None:
    charge(house, encode_id("pln", house.add_plan(500, kind="one_off", passes=1)))
    (message,) = house.messages(PlanPurchaseChanged)
    assert message.expires_on is None


def test_a_purchase_on_invoice_gives_at_once_and_one_to_be_paid_now_when_it_is(house: Any, passes: str) -> None:
    buy(house, passes, pay="on_invoice")
    assert told(house) == [("active", 10, 1)]
    bought = buy(house, passes)
    assert told(house) == [("active", 10, 1)]
    house.feed(house.payment(bought["invoice"]))
    assert told(house) == [("active", 10, 1), ("active", 10, 1)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_payment_messages_in_any_order_and_twice_give_once(house: Any, passes: str, order: tuple[int, ...]) -> None:
    """PAY-3."""
    invoice = buy(house, passes)["invoice"]
    payment_id = new_id()
    steps = [
        house.payment(invoice, PaymentPending, payment_id=payment_id, state="pending", version=1),
        house.payment(invoice, PaymentFailed, payment_id=payment_id, version=2),
        house.payment(invoice, payment_id=payment_id, version=3),
    ]
    for place in order:
        house.feed(steps[place], steps[place])
    assert told(house) == [("active", 10, 1)]


def test_a_chargeback_leaves_what_was_given_to_dunning(house: Any, passes: str) -> None:
    invoice = buy(house, passes)["invoice"]
    paid = house.payment(invoice)
    back = {"payment_id": paid.payment_id, "state": "reversed", "reason": "chargeback", "version": 2}
    house.feed(paid, house.payment(invoice, PaymentReversed, **back))
    assert house.invoices()[0]["state"] == "open"
    assert told(house) == [("active", 10, 1)]


@pytest.mark.parametrize("how", ["waiver", "removal"])
def test_a_waived_or_removed_fee_takes_back_what_it_gave(house: Any, passes: str, how: str) -> None:
    fee = charge(house, passes)
    if how == "waiver":
        house.post(f"/v1/fees/{fee['id']}/waiver", {"reason": "mistake"}, 200)
    else:
        assert house.api.delete(f"/v1/fees/{fee['id']}").status_code == 204
    assert told(house) == [("active", 10, 1), ("cancelled", 10, 2)]


def test_a_changed_quantity_or_date_is_told_and_another_name_is_not(house: Any, passes: str) -> None:
    fee = charge(house, passes)
    house.api.patch(f"/v1/fees/{fee['id']}", {"name": "Passes"})
    house.api.patch(f"/v1/fees/{fee['id']}", {"quantity": "2"})
    house.api.patch(f"/v1/fees/{fee['id']}", {"date": "2027-02-10"})
    assert told(house) == [("active", 10, 1), ("active", 20, 2), ("active", 20, 3)]
    assert house.messages(PlanPurchaseChanged)[-1].expires_on == date(2027, 2, 10) + timedelta(days=30)


def test_only_a_full_credit_takes_back(house: Any, passes: str) -> None:
    invoice = buy(house, passes)["invoice"]
    house.feed(house.payment(invoice))
    path, line = f"/v1/invoices/{invoice['id']}/credit-notes", invoice["lines"][0]["id"]
    part = {"invoice_line_id": line, "amount": {"amount_minor": 5000, "currency": "EUR"}}
    house.post(path, {"lines": [part]})
    assert told(house) == [("active", 10, 1)]
    house.post(path, {})
    assert told(house) == [("active", 10, 1), ("cancelled", 10, 2)]


def test_an_amended_fee_keeps_its_purchase(house: Any, passes: str) -> None:
    """DOC-6: what the member has used of it stays used."""
    fee = charge(house, passes, bill_in_advance=True)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    new = house.post(f"/v1/fees/{fee['id']}/amendment", {"quantity": "2"})["fee"]
    assert told(house) == [("active", 10, 1), ("active", 20, 2)]
    assert len({m.purchase_id for m in house.messages(PlanPurchaseChanged)}) == 1
    house.post(f"/v1/fees/{new['id']}/waiver", {}, 200)
    assert told(house)[-1] == ("cancelled", 20, 3)


def test_an_expired_checkout_gives_nothing_and_a_paid_one_does(house: Any, passes: str) -> None:
    """GH-2."""
    left = buy(house, passes, checkout_id=encode_id("chk", new_id()))
    kept = buy(house, passes, checkout_id=encode_id("chk", new_id()))
    house.feed(house.payment(kept["invoice"]))
    house.advance(datetime(2027, 2, 1, 9, 0, tzinfo=UTC))
    states = {invoice["id"]: invoice["state"] for invoice in house.invoices()}
    assert (states[left["invoice"]["id"]], states[kept["invoice"]["id"]]) == ("void", "paid")
    assert told(house) == [("active", 10, 1)]


def test_what_account_credit_pays_at_the_issue_is_given_at_once(house: Any, passes: str) -> None:
    """PAY-4: also a deposit on such an invoice is held."""
    first = house.post(
        "/v1/invoices",
        {
            "member_id": house.mem,
            "lines": [{"description": "x", "unit_price": {"amount_minor": 50000, "currency": "EUR"}}],
        },
    )
    house.feed(house.payment(first))
    house.post(f"/v1/invoices/{first['id']}/credit-notes", {})
    house.post(
        "/v1/fees",
        {
            "member_id": house.mem,
            "name": "Key",
            "is_refundable": True,
            "bill_in_advance": True,
            "price": {"amount_minor": 5000, "currency": "EUR"},
        },
    )
    assert buy(house, passes)["invoice"]["state"] == "paid"
    assert told(house) == [("active", 10, 1)]
    house.post("/v1/invoices", {"member_id": house.mem})
    (deposit,) = house.messages(DepositChanged)
    assert (deposit.state, deposit.held.amount_minor) == ("held", 5000)
