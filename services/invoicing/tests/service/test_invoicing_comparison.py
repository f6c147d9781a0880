"""A dry run beside the last run: who is new, who is gone, who pays something else."""

from __future__ import annotations

from typing import Any

from invoicing.api import billing_runs


def euro(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


def fee(house: Any, who: Any, minor: int) -> None:
    house.post("/v1/fees", {"member_id": f"mem_{who.hex}", "name": "Printing", "price": euro(minor)})


def dry_run(house: Any, **scope: Any) -> Any:
    return house.post("/v1/billing-runs", {"as_of": "2027-04-01", "dry_run": True, **scope}, 200)["comparison"]


def test_differences_come_with_the_greatest_first_and_equals_are_counted(house: Any, monkeypatch: Any) -> None:
    """All customers are compared, not only those whose invoices are shown."""
    monkeypatch.setattr(billing_runs, "SHOWN", 1)
    fee(house, house.member, 12000)
    assert dry_run(house) is None
    ada, bo, cy, di = (house.add_member() for _ in range(4))
    for who, minor in ((ada, 30000), (bo, 10000), (cy, 500)):
        fee(house, who, minor)
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    for who, minor in ((house.member, 7000), (house.member, 5000), (ada, 30000), (bo, 12000), (di, 40000)):
        fee(house, who, minor)
    found = dry_run(house)
    assert [(each["member_id"], each["before"], each["now"]) for each in found["differences"]] == [
        (f"mem_{di.hex}", None, euro(40000)),
        (f"mem_{bo.hex}", euro(10000), euro(12000)),
        (f"mem_{cy.hex}", euro(500), None),
    ]
    assert (found["run_id"], found["as_of"], found["differing"], found["same"]) == (run["id"], "2027-03-01", 3, 2)
    assert (found["total_before"], found["total_now"]) == (euro(52500), euro(94000))


def test_a_run_is_compared_with_one_of_the_same_scope(house: Any) -> None:
    fee(house, house.member, 1000)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert dry_run(house)["differing"] == 1
    assert dry_run(house, member_id=house.mem) is None
