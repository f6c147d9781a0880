"""Whose credits, passes and memberships a member can use: their own and their company's, nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.ids import new_id
from common.money import Money
from contracts.catalog import PlanChanged
from contracts.parts import Pause

START, END = "2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z"


@pytest.fixture
def stranger(room: Any) -> Any:
    """Another member, without anything and without a company."""
    return room.house.member(display_name="Somebody Else")


def visit(room: Any, member_id: Any) -> Any:
    """Checks a member in at the front desk."""
    body = {"member_id": f"mem_{member_id.hex}", "location_id": f"loc_{room.location_id.hex}"}
    return room.client.post("/v1/check-ins", body)


def test_crd_2_a_member_without_company_never_spends_the_credits_of_others(room: Any, stranger: Any) -> None:
    room.house.credits(room.member_id, "10")
    room.house.run_jobs()
    gift = {"member_id": f"mem_{stranger.hex}", "hours": "0.5"}
    assert room.client.post("/v1/credits", gift).status_code == 201
    body = room.body(START, END, member_id=f"mem_{stranger.hex}")
    quoted = room.client.post("/v1/bookings/quote", body).json
    made = room.client.post("/v1/bookings", body).json
    assert (quoted["credits_used"], made["credits_used"]) == ("0.5", "0.5")
    assert made["price"] == quoted["total"] == {"amount_minor": 2250, "currency": "EUR"}
    mine = room.client.get("/v1/credits", query_string={"member_id": f"mem_{room.member_id.hex}"}).json
    assert mine["balance"]["available"] == "10"


def test_crd_2_a_company_never_spends_the_credits_of_another(room: Any) -> None:
    rich, poor = room.house.company(), room.house.company()
    for company_id, hours in ((rich, "10"), (poor, "0.5")):
        assert (
            room.client.post("/v1/credits", {"company_id": f"com_{company_id.hex}", "hours": hours}).status_code == 201
        )
    made = room.book(START, END, member_id=None, company_id=f"com_{poor.hex}").json
    assert (made["credits_used"], made["member_id"]) == ("0.5", None)


def test_pas_1_a_member_without_company_never_uses_the_pass_of_another(room: Any, stranger: Any) -> None:
    given = room.client.post("/v1/passes", {"member_id": f"mem_{room.member_id.hex}", "days": 2})
    assert given.status_code == 201
    assert visit(room, stranger).json["code"] == "no_pass"
    assert room.client.get("/v1/passes").json["items"][0]["remaining"] == 2


def test_pas_1_the_membership_of_somebody_else_lets_nobody_in(room: Any, stranger: Any) -> None:
    company_id = room.house.company()
    colleague = room.house.member(company_id=company_id)
    room.house.member(member_id=room.member_id, version=2, company_id=company_id)
    plan_id = new_id()
    room.house.tell(
        PlanChanged(plan_id=plan_id, display_name="Flex", kind="recurring", price=Money(100, "EUR"), version=1)
    )
    # The company pays for it, and it is the member's all the same.
    room.house.membership(member_id=room.member_id, company_id=company_id, plan_id=plan_id)
    assert visit(room, stranger).json["code"] == "no_pass"
    assert visit(room, colleague).json["code"] == "no_pass"
    assert visit(room, room.member_id).status_code == 201


def test_pri_4_a_membership_that_the_company_pays_for_gives_its_discount_to_its_holder_alone(room: Any) -> None:
    company_id = room.house.company()
    colleague = room.house.member(company_id=company_id)
    room.house.member(member_id=room.member_id, version=2, company_id=company_id)
    half = {"company_id": company_id, "resource_discount_percent": Decimal(50)}
    room.house.membership(member_id=room.member_id, **half)
    prices = {
        member_id: room.client.post("/v1/bookings/quote", room.body(START, END, member_id=f"mem_{member_id.hex}")).json[
            "total"
        ]["amount_minor"]
        for member_id in (room.member_id, colleague)
    }
    assert prices == {room.member_id: 1500, colleague: 3000}
    room.house.membership(**half)
    quoted = room.client.post("/v1/bookings/quote", room.body(START, END, member_id=f"mem_{colleague.hex}")).json
    assert quoted["total"]["amount_minor"] == 1500, "one that the company holds as a whole is for all its members"


def test_a_resource_for_a_plan_is_not_shown_to_the_colleagues_of_its_holder(room: Any) -> None:
    company_id, plan_id = room.house.company(), new_id()
    colleague = room.house.member(company_id=company_id)
    room.house.member(member_id=room.member_id, version=2, company_id=company_id)
    room.house.membership(member_id=room.member_id, company_id=company_id, plan_id=plan_id)
    suite = room.house.resource(room.location_id, visibility="plans", plan_ids=[plan_id])
    asked = {"resource_id": f"res_{suite.hex}", "date": "2027-02-15"}
    seen = {
        member_id: room.house.member_user(member_id, company=str(company_id))
        .get("/v1/availability", query_string=asked)
        .status_code
        for member_id in (room.member_id, colleague)
    }
    assert seen == {room.member_id: 200, colleague: 404}


def test_pro_6_a_resource_for_a_plan_is_not_shown_while_the_membership_rests(room: Any) -> None:
    plan_id = new_id()
    pause = Pause(start=date(2027, 2, 10), end=date(2027, 2, 20))
    room.house.membership(member_id=room.member_id, plan_id=plan_id, pauses=[pause])
    suite = room.house.resource(room.location_id, visibility="plans", plan_ids=[plan_id])
    member = room.house.member_user(room.member_id)
    days = ("2027-02-09", "2027-02-10", "2027-02-19", "2027-02-20")
    looks = [{"resource_id": f"res_{suite.hex}", "date": day} for day in days]
    assert [member.get("/v1/availability", query_string=look).status_code for look in looks] == [200, 404, 404, 200]


def test_crd_1_another_first_day_of_a_membership_makes_no_second_grant(room: Any) -> None:
    terms: dict[str, Any] = {"credits_hours": Decimal(10), "passes": 4, "member_id": room.member_id}
    membership_id = room.house.membership(start_date=date(2027, 2, 10), **terms)
    room.house.advance(datetime(2027, 2, 10, 12, tzinfo=UTC))
    room.house.membership(membership_id=membership_id, start_date=date(2027, 2, 5), version=2, **terms)
    room.house.run_jobs()
    (grant,) = room.client.get("/v1/credits").json["items"]
    assert (grant["available"], grant["valid_from"]) == ("10", "2027-02-05")
    (passes,) = room.client.get("/v1/passes").json["items"]
    assert (passes["remaining"], passes["valid_from"]) == (4, "2027-02-05")


def test_day_passes_follow_the_membership_that_gives_them(room: Any) -> None:
    membership_id = room.house.membership(member_id=room.member_id, passes=4)
    room.house.run_jobs()
    assert visit(room, room.member_id).status_code == 201

    def left_after(version: int, **terms: Any) -> tuple[int, int]:
        room.house.membership(membership_id=membership_id, member_id=room.member_id, version=version, **terms)
        (given,) = room.client.get("/v1/passes").json["items"]
        return given["days"], given["remaining"]

    assert left_after(2, passes=6) == (6, 5)
    assert left_after(3, passes=6, status="cancelled") == (1, 0)
    assert left_after(4, passes=6) == (6, 5)
