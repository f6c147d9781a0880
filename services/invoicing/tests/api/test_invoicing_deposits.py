"""Deposits are a ledger: held, returned, applied, forfeited (PRO-5)."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.invoicing import DepositChanged
from contracts.payments import PaymentReversed


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


@pytest.fixture
def deposit(house: Any) -> dict[str, Any]:
    """500.00 held since its invoice was paid."""
    house.join("2027-02-01", deposit=euro(50000))
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]
    assert house.get("/v1/deposits")["items"] == [], "nothing is held before it is paid"
    house.feed(house.payment(invoice))
    (held,) = house.get("/v1/deposits")["items"]
    return dict(held)


def release(house: Any, deposit: dict[str, Any], kind: str, minor: int, status: int = 200) -> Any:
    body = {"kind": kind, "amount": euro(minor), "note": f"{kind} on leaving"}
    return house.post(f"/v1/deposits/{deposit['id']}/release", body, status)


def test_the_ledger_says_what_became_of_a_deposit(house: Any, deposit: dict[str, Any]) -> None:
    release(house, deposit, "forfeited", 10000)
    release(house, deposit, "returned", 15000)
    last = release(house, deposit, "applied", 25000)
    assert (last["held"], last["state"]) == (euro(0), "applied")
    moves = [(entry["kind"], entry["amount"]["amount_minor"], entry["note"]) for entry in last["entries"]]
    assert moves == [
        ("held", 50000, None),
        ("forfeited", -10000, "forfeited on leaving"),
        ("returned", -15000, "returned on leaving"),
        ("applied", -25000, "applied on leaving"),
    ]
    assert [m.held.amount_minor for m in house.messages(DepositChanged)] == [50000, 40000, 25000, 0]
    assert house.get("/v1/reports/deposits")["items"] == []


def test_what_is_applied_pays_the_next_invoice(house: Any, deposit: dict[str, Any]) -> None:
    release(house, deposit, "applied", 20000)
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})["invoices"]
    assert (invoice["credited"], invoice["payable"]) == (euro(20000), euro(10000))


@pytest.mark.parametrize(
    ("kind", "minor", "status"), [("returned", 50001, 409), ("returned", 0, 409), ("sold", 1, 422)]
)
def test_no_more_goes_than_is_held(house: Any, deposit: dict[str, Any], kind: str, minor: int, status: int) -> None:
    release(house, deposit, kind, minor, status)
    (held,) = house.get("/v1/deposits")["items"]
    assert (held["held"], len(held["entries"])) == (euro(50000), 1)


def test_a_deposit_bears_no_tax_no_discount_and_no_part_of_a_month(house: Any) -> None:
    """PRO-5."""
    house.set(tax_percent="19")
    house.join("2027-02-12", deposit=euro(50000), discount_percent="50")
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-02-12"})["invoices"]
    line = next(line for line in invoice["lines"] if line["kind"] == "deposit")
    assert (line["net"], line["tax"], line["total"]) == (euro(50000), euro(0), euro(50000))


def test_a_credit_note_takes_a_deposit_out_of_the_ledger(house: Any, deposit: dict[str, Any]) -> None:
    """Credited, it is the customer's again: it cannot be applied or returned a second time."""
    (line,) = _deposit_lines(house, deposit)
    path = f"/v1/invoices/{deposit['invoice_id']}/credit-notes"
    house.post(path, {"lines": [{"invoice_line_id": line["id"], "amount": euro(20000)}]})
    (left,) = house.get("/v1/deposits")["items"]
    assert (left["state"], left["held"]) == ("held", euro(30000))
    release(house, deposit, "applied", 30001, 409)
    house.post(path, {})
    (gone,) = house.get("/v1/deposits")["items"]
    assert (gone["state"], gone["held"]) == ("returned", euro(0))
    assert [(each["kind"], each["amount"]["amount_minor"]) for each in gone["entries"]] == [
        ("held", 50000),
        ("credited", -20000),
        ("credited", -30000),
    ]


def test_a_deposit_that_was_released_is_not_credited_again(house: Any, deposit: dict[str, Any]) -> None:
    release(house, deposit, "applied", 40000)
    (line,) = _deposit_lines(house, deposit)
    path = f"/v1/invoices/{deposit['invoice_id']}/credit-notes"
    refused = house.api.post(path, {"lines": [{"invoice_line_id": line["id"], "amount": euro(10001)}]})
    assert (refused.status_code, refused.json["code"]) == (409, "deposit_released")
    note = house.post(path, {})
    assert note["total"] == euro(30000 + 10000), "the month, and what is still held of the deposit"
    assert house.api.post(path, {}).json["code"] == "nothing_to_credit"


def test_a_deposit_is_held_only_while_its_invoice_is_paid(house: Any) -> None:
    """A refund or chargeback takes the money: until it is paid again nothing can be applied or returned."""
    house.join("2027-02-01", deposit=euro(50000))
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]
    paid = house.payment(invoice)
    house.feed(paid)
    house.feed(
        house.payment(invoice, PaymentReversed, payment_id=paid.payment_id, state="disputed", reason="x", version=2)
    )
    (gone,) = house.get("/v1/deposits")["items"]
    assert (gone["state"], gone["held"]) == ("unpaid", euro(0))
    release(house, gone, "applied", 1, 409)
    assert house.get("/v1/reports/deposits")["items"] == []
    house.feed(house.payment(invoice))
    (again,) = house.get("/v1/deposits")["items"]
    assert (again["state"], again["held"]) == ("held", euro(50000))


def test_what_was_credited_before_the_payment_is_never_held(house: Any) -> None:
    house.join("2027-02-01", deposit=euro(50000))
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]
    line = next(line for line in invoice["lines"] if line["kind"] == "deposit")
    body = {"lines": [{"invoice_line_id": line["id"], "amount": euro(20000)}]}
    house.post(f"/v1/invoices/{invoice['id']}/credit-notes", body)
    house.feed(house.payment(house.get(f"/v1/invoices/{invoice['id']}")))
    (deposit,) = house.get("/v1/deposits")["items"]
    assert deposit["held"] == euro(30000)


def _deposit_lines(house: Any, deposit: dict[str, Any]) -> list[dict[str, Any]]:
    lines = house.get(f"/v1/invoices/{deposit['invoice_id']}")["lines"]
    return [line for line in lines if line["kind"] == "deposit"]
