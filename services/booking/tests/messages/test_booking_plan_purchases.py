"""Bought one-off plans give credits and day passes once, whatever the order of the messages."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.ids import new_id
from contracts.invoicing import PlanPurchaseChanged

SLOT = ("2027-02-15T09:00:00Z", "2027-02-15T11:00:00Z")


def purchase(room: Any, **values: Any) -> PlanPurchaseChanged:
    """Ten days and five hours, bought on 1 February, good for the month."""
    known = {
        "purchase_id": new_id(),
        "plan_id": new_id(),
        "plan_name": "Ten days",
        "member_id": room.member_id,
        "purchased_on": date(2027, 2, 1),
        "passes": 10,
        "credits_hours": Decimal(5),
        "expires_on": date(2027, 3, 1),
        "status": "active",
        "version": 1,
    }
    return PlanPurchaseChanged(**{**known, **values})


def later(message: PlanPurchaseChanged, version: int, **values: Any) -> PlanPurchaseChanged:
    """A later version of the same purchase."""
    known = {name: getattr(message, name) for name in message.__struct_fields__}
    return PlanPurchaseChanged(**{**known, **values, "version": version})


def held(room: Any) -> dict[str, Any]:
    """What the member has: the ledger and the passes."""
    member = f"member_id=mem_{room.member_id.hex}"
    ledger = room.client.get(f"/v1/credits?{member}").json
    passes = room.client.get(f"/v1/passes?{member}").json["items"]
    return {
        "available": ledger["balance"]["available"],
        "days": [(row["days"], row["remaining"], row["expires_on"]) for row in passes],
        "grants": len(ledger["items"]),
    }


def visit(room: Any) -> Any:
    """The member comes in."""
    body = {"member_id": f"mem_{room.member_id.hex}", "location_id": f"loc_{room.location_id.hex}"}
    return room.client.post("/v1/check-ins", body)


def test_a_purchase_gives_its_passes_and_credits_once(room: Any) -> None:
    bought = purchase(room)
    for _ in range(3):
        room.house.tell(bought)
    assert held(room) == {"available": "5", "days": [(10, 10, "2027-03-01")], "grants": 1}
    [shown] = room.client.get("/v1/credits").json["items"]
    assert (shown["source"], shown["note"], shown["valid_from"]) == ("one_off", "Ten days", "2027-02-01")
    made = room.book(*SLOT).json
    assert (made["credits_used"], made["price"]["amount_minor"]) == ("2", 0)
    assert visit(room).status_code == 201
    assert held(room)["days"] == [(10, 9, "2027-03-01")]


def test_two_purchases_of_one_plan_are_two(room: Any) -> None:
    for _ in range(2):
        room.house.tell(purchase(room))
    assert held(room)["available"] == "10"
    assert len(held(room)["days"]) == 2


def test_what_is_not_used_expires_on_its_day_at_the_location(room: Any) -> None:
    room.house.tell(purchase(room, location_id=room.location_id))
    room.house.advance(datetime(2027, 2, 28, 22, 59, tzinfo=UTC))
    assert held(room)["available"] == "5"
    room.house.advance(datetime(2027, 2, 28, 23, 0, tzinfo=UTC))  # midnight in Berlin
    assert held(room)["available"] == "0"
    refused = visit(room)
    assert (refused.status_code, refused.json["code"]) == (409, "no_pass")


def test_without_an_end_it_stays_good(room: Any) -> None:
    room.house.tell(purchase(room, expires_on=None))
    room.house.advance(datetime(2029, 1, 1, tzinfo=UTC))
    assert held(room)["available"] == "5"
    assert visit(room).status_code == 201


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_version_counts_in_any_order(room: Any, order: tuple[int, ...]) -> None:
    first = purchase(room)
    versions = [
        first,
        later(first, 2, passes=20, credits_hours=Decimal(10), quantity=Decimal(2)),
        later(first, 3, passes=15, credits_hours=Decimal("7.5"), expires_on=date(2027, 4, 1)),
    ]
    for number in (*order, *order):
        room.house.tell(versions[number])
    assert held(room) == {"available": "7.5", "days": [(15, 15, "2027-04-01")], "grants": 1}


def test_a_purchase_that_was_taken_back_takes_what_is_unused(room: Any) -> None:
    bought = purchase(room)
    room.house.tell(bought)
    booking = room.book(*SLOT).json
    visit(room)
    room.house.tell(later(bought, 2, status="cancelled"))
    assert held(room) == {"available": "0", "days": [(1, 0, "2027-02-01")], "grants": 1}
    assert room.client.get(f"/v1/bookings/{booking['id']}").json["credits_used"] == "2"
    room.client.post(f"/v1/bookings/{booking['id']}/cancellation", {})
    assert held(room)["available"] == "0", "what returns to a purchase that was taken back is gone"


def test_the_cancellation_may_come_first_and_a_purchase_may_come_back(room: Any) -> None:
    bought = purchase(room)
    room.house.tell(later(bought, 2, status="cancelled"))
    room.house.tell(bought)
    assert held(room) == {"available": "0", "days": [], "grants": 0}
    room.house.tell(later(bought, 3))
    assert held(room) == {"available": "5", "days": [(10, 10, "2027-03-01")], "grants": 1}
    room.house.tell(later(bought, 4, status="cancelled"))
    room.house.tell(later(bought, 5))
    assert held(room) == {"available": "5", "days": [(10, 10, "2027-03-01")], "grants": 1}


def test_a_companys_purchase_is_shared_by_its_members(room: Any) -> None:
    company = room.house.company()
    member = room.house.member(company_id=company)
    room.house.tell(purchase(room, member_id=None, company_id=company))
    made = room.book(*SLOT, member_id=f"mem_{member.hex}").json
    assert made["credits_used"] == "2"
    body = {"member_id": f"mem_{member.hex}", "location_id": f"loc_{room.location_id.hex}"}
    assert room.client.post("/v1/check-ins", body).status_code == 201


def test_a_membership_whose_allowance_is_lowered_and_raised_again_is_whole_again(room: Any) -> None:
    membership = room.house.credits(room.member_id, "10")
    room.house.run_jobs()
    for version, hours in ((2, 4), (3, 10)):
        room.house.credits(room.member_id, str(hours), membership_id=membership, version=version)
        assert held(room)["available"] == str(hours)
