"""Deposits are a ledger: held, returned, applied, forfeited (PRO-5)."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.invoicing import DepositChanged


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
