"""Credits, passes and check-ins through the API (CRD-1 to CRD-3, PAS-1)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from booking.domain.credit_ledger import Entry, EntryKind, balances
from booking.models import CreditEntry, CreditGrant
from booking.services import grants
from common.ids import new_id
from common.money import Money
from contracts.catalog import PlanChanged

STEPS = {"steps": [{"hours_before": 24, "percent": "50"}]}


def balance(room: Any, **query: Any) -> dict[str, str]:
    shown = room.client.get("/v1/credits", query_string={"member_id": f"mem_{room.member_id.hex}", **query})
    return shown.json["balance"]


def check_ledger(room: Any) -> None:
    """The sums on the grants are those of the ledger."""
    with room.house.database.session(room.house.organization_id) as session:
        entries = [
            Entry(row.grant_id, EntryKind(row.kind), row.hours, row.booking_id)
            for row in session.scalars(select(CreditEntry).order_by(CreditEntry.id))
        ]
        kept = {row.id: (row.reserved, row.consumed, row.expired) for row in session.scalars(select(CreditGrant))}
    summed = {key: (b.reserved, b.consumed, b.expired) for key, b in balances(entries).items()}
    assert kept == summed


def test_crd_2_credits_cover_part_of_a_booking_and_the_rest_is_paid(room: Any) -> None:
    room.house.credits(room.member_id, "3")
    quoted = room.client.post("/v1/bookings/quote", room.body("2027-02-15T08:00:00Z", "2027-02-15T11:15:00Z")).json
    assert quoted["credits_used"] == "3"
    made = room.book("2027-02-15T08:00:00Z", "2027-02-15T11:15:00Z").json
    assert (made["credits_used"], made["price"]) == ("3", quoted["total"])
    assert made["price"]["amount_minor"] == 375
    assert balance(room)["reserved"] == "3"
    room.house.advance(datetime(2027, 2, 15, 12, tzinfo=UTC))
    assert (balance(room)["consumed"], balance(room)["available"]) == ("3", "0")
    check_ledger(room)


def test_crd_1_a_credit_belongs_to_the_month_of_the_meeting_also_before_that_month(room: Any) -> None:
    room.house.credits(room.member_id, "2")
    room.house.run_jobs()
    made = room.book("2027-03-15T08:00:00Z", "2027-03-15T10:00:00Z").json
    assert made["price"]["amount_minor"] == 0
    granted = room.client.get("/v1/credits").json["items"]
    assert sorted((g["valid_from"], g["available"]) for g in granted) == [("2027-02-01", "2"), ("2027-03-01", "0")]
    room.house.advance(datetime(2027, 3, 2, tzinfo=UTC))
    assert balance(room)["expired"] == "2"
    assert len(room.client.get("/v1/credits").json["items"]) == 2
    check_ledger(room)


def test_crd_1_what_is_left_is_carried_over_up_to_the_cap(room: Any) -> None:
    room.house.credits(room.member_id, "5", credits_carry_over_cap=Decimal(2))
    room.house.advance(datetime(2027, 3, 1, 12, tzinfo=UTC))
    assert balance(room) == {"granted": "12", "reserved": "0", "consumed": "0", "expired": "5", "available": "7"}
    room.house.advance(datetime(2027, 4, 1, 12, tzinfo=UTC))
    assert balance(room)["available"] == "7"
    check_ledger(room)


def test_crd_1_late_work_makes_every_month_once(room: Any) -> None:
    room.house.credits(room.member_id, "5", end_date=date(2027, 4, 30))
    room.house.advance(datetime(2027, 8, 1, tzinfo=UTC))
    shown = room.client.get("/v1/credits").json
    assert sorted(grant["valid_from"] for grant in shown["items"]) == ["2027-02-01", "2027-03-01", "2027-04-01"]
    assert shown["balance"]["available"] == "0"


def test_crd_3_an_in_time_cancellation_gives_back_to_the_same_grant_and_a_late_one_its_share(room: Any) -> None:
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, cancellation_policy=STEPS)
    room.house.credits(room.member_id, "4")
    early = room.book("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z").json
    late = room.book("2027-02-03T08:00:00Z", "2027-02-03T10:00:00Z").json
    assert balance(room)["available"] == "0"
    room.client.post(f"/v1/bookings/{early['id']}/cancellation")
    assert balance(room)["available"] == "2"
    room.house.advance(datetime(2027, 2, 3, 7, tzinfo=UTC))
    cancelled = room.client.post(f"/v1/bookings/{late['id']}/cancellation").json
    assert (cancelled["credits_forfeited"], cancelled["fee"]["amount_minor"]) == ("1", 0)
    assert (balance(room)["available"], balance(room)["consumed"]) == ("3", "1")
    check_ledger(room)


def test_a_moved_booking_draws_its_credits_anew(room: Any) -> None:
    room.house.credits(room.member_id, "3")
    made = room.book("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z").json
    longer = room.client.patch(f"/v1/bookings/{made['id']}", {"end": "2027-02-15T11:00:00Z"}).json
    assert (longer["credits_used"], longer["price"]["amount_minor"]) == ("3", 0)
    shorter = room.client.patch(f"/v1/bookings/{made['id']}", {"end": "2027-02-15T09:00:00Z"}).json
    assert (shorter["credits_used"], balance(room)["available"]) == ("1", "2")
    check_ledger(room)


def test_a_preview_of_a_change_tells_price_and_credits_and_changes_nothing(room: Any) -> None:
    """PRI-1: preview = charged."""
    room.house.credits(room.member_id, "3")
    made = room.book("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z").json
    path, longer = f"/v1/bookings/{made['id']}", {"end": "2027-02-15T12:00:00Z"}
    seen = room.client.patch(path, {**longer, "preview": True}).json
    assert (seen["credits_used"], seen["price"]["amount_minor"]) == ("3", 1500)
    now = room.client.get(path).json
    assert (now["end"], now["credits_used"], now["version"]) == (made["end"], "2", made["version"])
    assert balance(room)["available"] == "1"
    done = room.client.patch(path, longer).json
    assert (done["price"], done["credits_used"]) == (seen["price"], seen["credits_used"])
    check_ledger(room)


def test_crd_2_personal_credits_go_before_the_companys_and_both_are_used(room: Any) -> None:
    company_id = room.house.company()
    room.house.member(member_id=room.member_id, version=2, company_id=company_id)
    room.house.credits(room.member_id, "1")
    room.house.membership(company_id=company_id, credits_hours=Decimal(5))
    personal = room.client.post(
        "/v1/bookings/quote", room.body("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z", is_personal=True)
    )
    assert personal.json["credits_used"] == "1"
    made = room.book("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z").json
    assert (made["price"]["amount_minor"], made["company_id"]) == (0, f"com_{company_id.hex}")
    owners = {g["member_id"] is not None: g["available"] for g in room.client.get("/v1/credits").json["items"]}
    assert owners == {True: "0", False: "4"}


def test_staff_give_credits_for_a_kind_of_room_and_they_run_out(room: Any) -> None:
    body = {
        "member_id": f"mem_{room.member_id.hex}",
        "hours": "2",
        "valid_from": "2027-02-01",
        "expires_on": "2027-02-20",
        "scope": {"resource_types": ["event_space"]},
    }
    assert room.client.post("/v1/credits", body).status_code == 201
    assert room.book("2027-02-15T08:00:00Z", "2027-02-15T10:00:00Z").json["price"]["amount_minor"] == 3000
    wide = room.client.post("/v1/credits", {**body, "scope": {}}).json
    assert room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z").json["price"]["amount_minor"] == 0
    room.house.advance(datetime(2027, 2, 20, 1, tzinfo=UTC))
    assert balance(room)["expired"] == "3"
    ledger = room.client.get("/v1/credits/ledger", query_string={"grant_id": wide["id"]}).json["items"]
    assert [entry["kind"] for entry in reversed(ledger)] == ["grant", "reserve", "consume", "expire"]
    refused = room.client.post("/v1/credits", {**body, "hours": "0"})
    assert refused.status_code == 422
    member = room.house.member_user(room.member_id)
    assert member.post("/v1/credits", body).status_code == 403


def test_a_changed_membership_changes_this_months_credits(room: Any) -> None:
    membership = room.house.credits(room.member_id, "2")
    room.house.run_jobs()
    room.house.credits(room.member_id, "5", membership_id=membership, version=2)
    assert balance(room)["available"] == "5"
    room.house.credits(room.member_id, "5", membership_id=membership, version=3, status="cancelled")
    assert balance(room)["available"] == "0"
    check_ledger(room)


def check_in(room: Any, member_id: Any = None) -> Any:
    body = {"member_id": f"mem_{(member_id or room.member_id).hex}", "location_id": f"loc_{room.location_id.hex}"}
    return room.client.post("/v1/check-ins", body)


def test_pas_1_several_visits_a_day_use_one_pass_and_the_next_day_another(room: Any) -> None:
    assert check_in(room).json["code"] == "no_pass"
    given = room.client.post("/v1/passes", {"member_id": f"mem_{room.member_id.hex}", "days": 2})
    assert given.status_code == 201, given.json
    first = check_in(room)
    assert first.json["pass_id"] == given.json["id"]
    assert check_in(room).json["code"] == "checked_in_already"
    room.house.advance(datetime(2027, 2, 1, 12, tzinfo=UTC))
    assert room.client.post(f"/v1/check-ins/{first.json['id']}/check-out").status_code == 200
    assert check_in(room).status_code == 201
    assert room.client.get("/v1/passes").json["items"][0]["remaining"] == 1
    room.house.advance(datetime(2027, 2, 2, 8, tzinfo=UTC))
    visits = room.client.get("/v1/check-ins").json["items"]
    # The forgotten one ended at midnight in Berlin.
    assert visits[0]["checked_out_at"] == "2027-02-01T23:00:00Z"
    assert visits[0]["closed_by_system"] is True
    assert check_in(room).status_code == 201
    assert room.client.get("/v1/passes").json["items"][0]["remaining"] == 0


def test_pas_1_a_membership_or_a_booking_lets_in_without_a_pass(room: Any) -> None:
    plan = PlanChanged(
        plan_id=new_id(),
        display_name="Flex",
        kind="recurring",
        price=Money(100, "EUR"),
        version=1,
    )
    room.house.tell(plan)
    room.house.membership(member_id=room.member_id, plan_id=plan.plan_id)
    assert check_in(room).json["pass_id"] is None
    guest = room.house.member()
    room.client.post(
        "/v1/bookings", room.body("2027-02-01T10:00:00Z", "2027-02-01T11:00:00Z", member_id=f"mem_{guest.hex}")
    )
    assert check_in(room, guest).json["pass_id"] is None


def test_memberships_with_day_passes_give_them_each_month(room: Any) -> None:
    room.house.membership(member_id=room.member_id, passes=3)
    room.house.run_jobs()
    room.house.advance(datetime(2027, 3, 1, 12, tzinfo=UTC))
    passes = room.client.get("/v1/passes").json["items"]
    assert [(p["valid_from"], p["expires_on"], p["days"]) for p in passes] == [
        ("2027-03-01", "2027-04-01", 3),
        ("2027-02-01", "2027-03-01", 3),
    ]
    with room.house.database.session(room.house.organization_id) as session:
        assert session.scalar(select(func.count()).select_from(CreditGrant)) == 0


def test_crd_1_what_expires_in_several_batches_is_carried_over_up_to_the_cap_all_the_same(room: Any) -> None:
    """Two grants of one membership end together, and a batch may end between them."""
    room.house.credits(room.member_id, "3", credits_carry_over_cap=Decimal(5))
    room.house.advance(datetime(2027, 3, 1, 12, tzinfo=UTC))
    assert balance(room)["available"] == "6"
    april = datetime(2027, 4, 1, 12, tzinfo=UTC)
    room.house.set_clock(april)
    with room.house.database.session(room.house.organization_id) as session:
        while grants.expire_due_grants(session, april, 1):
            session.commit()
    room.house.run_jobs()
    carried = [g for g in room.client.get("/v1/credits").json["items"] if g["source"] == "carry_over"]
    assert sorted((g["valid_from"], g["hours"]) for g in carried) == [("2027-03-01", "3"), ("2027-04-01", "5")]
    check_ledger(room)


def test_pas_1_a_forgotten_visit_keeps_nobody_out_the_next_day_before_any_job_has_run(room: Any) -> None:
    room.client.post("/v1/passes", {"member_id": f"mem_{room.member_id.hex}", "days": 2})
    assert check_in(room).status_code == 201
    room.house.set_clock(datetime(2027, 2, 2, 8, tzinfo=UTC))
    assert check_in(room).status_code == 201
    visits = room.client.get("/v1/check-ins").json["items"]
    assert [(v["checked_out_at"], v["closed_by_system"]) for v in visits] == [
        (None, False),
        ("2027-02-01T23:00:00Z", True),
    ]


def test_acc_1_staff_of_one_location_have_to_do_with_its_visits_alone(room: Any) -> None:
    elsewhere = room.house.location(display_name="Dock 2")
    room.client.post("/v1/passes", {"member_id": f"mem_{room.member_id.hex}", "days": 2})
    visit = check_in(room).json
    desk = room.house.user("front_desk", locations=[str(elsewhere)])
    assert desk.get("/v1/check-ins").json["items"] == []
    assert desk.post(f"/v1/check-ins/{visit['id']}/check-out").status_code == 404
    body = {"member_id": f"mem_{room.member_id.hex}", "location_id": f"loc_{room.location_id.hex}"}
    refused = desk.post("/v1/check-ins", body)
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_location")
    near = room.house.user("front_desk", locations=[str(room.location_id)])
    assert [item["id"] for item in near.get("/v1/check-ins").json["items"]] == [visit["id"]]
    assert near.post(f"/v1/check-ins/{visit['id']}/check-out").status_code == 200


def test_bok_3_a_hold_that_ran_out_counts_no_more_towards_a_quota(room: Any) -> None:
    """BOK-2: expiry counts at read time."""
    policy = {"quotas": [{"limit": "1", "unit": "bookings", "per": "week"}]}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, booking_policy=policy)
    member = room.house.member_user(room.member_id)
    held = room.body("2027-02-15T08:00:00Z", "2027-02-15T09:00:00Z", payment="now")
    assert member.post("/v1/bookings", held).json["status"] == "held"
    other = room.body("2027-02-16T08:00:00Z", "2027-02-16T09:00:00Z")
    assert member.post("/v1/bookings", other).json["code"] == "quota_exceeded"
    room.house.set_clock(datetime(2027, 2, 1, 8, 10, tzinfo=UTC))
    assert member.post("/v1/bookings", other).status_code == 201


def test_what_would_be_good_on_no_day_is_not_given(room: Any) -> None:
    gift = {"member_id": f"mem_{room.member_id.hex}", "expires_on": "2027-02-01"}
    for path, amount in (("/v1/credits", {"hours": "1"}), ("/v1/passes", {"days": 1})):
        refused = room.client.post(path, {**gift, **amount})
        assert (refused.status_code, refused.json["code"]) == (422, "expires_too_early")
        assert refused.json["errors"][0]["pointer"] == "/expires_on"
        assert room.client.post(path, {**gift, **amount, "expires_on": "2027-02-02"}).status_code == 201


def test_crd_1_what_a_void_membership_carried_over_is_gone_as_well(room: Any) -> None:
    terms: dict[str, Any] = {"credits_carry_over_cap": Decimal(2)}
    membership_id = room.house.credits(room.member_id, "5", **terms)
    room.house.advance(datetime(2027, 3, 1, 12, tzinfo=UTC))
    assert balance(room)["available"] == "7"
    room.house.credits(room.member_id, "6", membership_id=membership_id, version=2, **terms)
    assert balance(room)["available"] == "8"
    room.house.credits(room.member_id, "6", membership_id=membership_id, version=3, status="void", **terms)
    assert balance(room)["available"] == "0"
    check_ledger(room)
