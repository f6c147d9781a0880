"""BOK-1 with real connections: the database decides, whoever comes at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text

from booking.models import CreditEntry, CreditGrant


def at_once(calls: list[Any], threads: int = 16) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def overlaps(room: Any) -> int:
    """Pairs of bookings in one unit at one time, by the rows themselves and not by the constraint."""
    with room.house.database.system_session() as session:
        return session.scalar(
            text(
                "SELECT count(*) FROM booking a JOIN booking b ON a.id < b.id AND a.resource_id = b.resource_id "
                "AND a.unit_no = b.unit_no AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at "
                "WHERE a.organization_id = :org AND a.status IN ('held', 'tentative', 'confirmed', 'checked_in') "
                "AND b.status IN ('held', 'tentative', 'confirmed', 'checked_in')"
            ),
            {"org": room.house.organization_id},
        )


def test_bok_1_fifty_at_once_for_one_slot_make_one_booking(room: Any) -> None:
    def one() -> Any:
        return room.house.user().post("/v1/bookings", room.body("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z"))

    answers = at_once([one] * 50)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"slot_taken"}
    assert overlaps(room) == 0


def test_bok_1_a_capacity_of_ten_takes_exactly_ten(room: Any) -> None:
    area = room.house.resource(room.location_id, type="meeting_room", capacity=10)

    def one() -> Any:
        body = room.body("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{area.hex}")
        return room.house.user().post("/v1/bookings", body)

    answers = at_once([one] * 30)
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 20}
    units = sorted(answer.json["unit_no"] for answer in answers if answer.status_code == 201)
    assert units == list(range(1, 11))


def test_requests_with_one_key_at_once_make_one_booking_and_tell_of_no_other(room: Any) -> None:
    area = room.house.resource(room.location_id, type="meeting_room", capacity=10)
    body = room.body("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{area.hex}")

    def one() -> Any:
        return room.house.user().post("/v1/bookings", body, headers={"Idempotency-Key": "one"})

    answers = at_once([one] * 30)
    made = {answer.json["id"] for answer in answers if answer.status_code == 201}
    refused = {answer.json["code"] for answer in answers if answer.status_code != 201}
    assert len(made) == 1
    assert refused <= {"idempotency_key_in_use"}
    later = one()
    assert (later.json["id"], later.headers["Idempotent-Replayed"]) == (made.pop(), "true")
    assert len(room.client.get("/v1/bookings").json["items"]) == 1


def test_a_hall_and_its_halves_at_once_never_clash_and_never_fail(room: Any) -> None:
    hall = room.house.resource(room.location_id, display_name="Hall")
    halves = [room.house.resource(room.location_id, display_name=name, parent_ids=[hall]) for name in ("A", "B")]

    def one(resource: Any) -> Any:
        body = room.body("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{resource.hex}")
        return room.house.user().post("/v1/bookings", body)

    answers = at_once([lambda r=r: one(r) for r in [hall, *halves] * 8])
    assert set(Counter(answer.status_code for answer in answers)) <= {201, 409}
    booked = {answer.json["resource_name"] for answer in answers if answer.status_code == 201}
    assert booked in ({"Hall"}, {"A", "B"})


def test_two_that_swap_their_slots_end_without_a_deadlock(room: Any) -> None:
    early = room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z").json
    late = room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z").json

    def move(booking: Any, start: str) -> Any:
        return room.house.user().patch(f"/v1/bookings/{booking['id']}", {"start": start})

    answers = at_once(
        [lambda: move(early, "2027-02-15T10:00:00Z"), lambda: move(late, "2027-02-15T09:00:00Z")], threads=2
    )
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(409, "slot_taken")}


def test_crd_3_two_bookings_cannot_spend_the_last_credit(room: Any) -> None:
    room.house.credits(room.member_id, "1")
    room.house.run_jobs()

    def one(hour: int) -> Any:
        body = room.body(f"2027-02-15T{hour:02}:00:00Z", f"2027-02-15T{hour + 1:02}:00:00Z")
        return room.house.user().post("/v1/bookings", body)

    answers = at_once([lambda h=h: one(h) for h in range(8, 14)])
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json["price"]["amount_minor"] for answer in answers) == [0] + [1500] * 5
    with room.house.database.session(room.house.organization_id) as session:
        grant = session.scalars(select(CreditGrant)).one()
        assert (grant.reserved, grant.available) == (Decimal(1), Decimal(0))
        kinds = [entry.kind for entry in session.scalars(select(CreditEntry).order_by(CreditEntry.id))]
    assert kinds == ["grant", "reserve"]


def test_bok_2_the_time_of_a_hold_that_ran_out_can_be_booked_before_any_job_ran(room: Any) -> None:
    held = room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", payment="now")
    assert (held.json["status"], held.json["hold_expires_at"]) == ("held", "2027-02-01T08:10:00Z")
    assert room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z").status_code == 409
    room.house.ticks += 1
    from common.tenancy import store_clock

    with room.house.database.system_session() as session:
        store_clock(session, room.house.organization_id, datetime.fromisoformat("2027-02-01T08:10:00Z"), 99)
        session.commit()
    path = f"/v1/bookings/{held.json['id']}"
    assert room.client.get(path).json["status"] == "expired"
    assert room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z").status_code == 201
    room.house.run_jobs()
    assert room.client.get(path).json["cancel_reason"] == "expired"
    assert overlaps(room) == 0


def test_a_half_that_is_added_later_is_taken_by_what_is_booked_in_the_hall(room: Any) -> None:
    hall = room.house.resource(room.location_id, display_name="Hall")
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{hall.hex}")
    half = room.house.resource(room.location_id, display_name="A", parent_ids=[hall], capacity=2)
    wanted = {"resource_id": f"res_{half.hex}"}
    assert room.book("2027-02-15T09:30:00Z", "2027-02-15T10:30:00Z", **wanted).json["code"] == "slot_taken"
    room.house.resource(room.location_id, resource_id=half, parent_ids=[hall], capacity=3, version=2)
    assert room.book("2027-02-15T09:30:00Z", "2027-02-15T10:30:00Z", **wanted).json["code"] == "slot_taken"
    assert room.book("2027-02-15T10:00:00Z", "2027-02-15T10:30:00Z", **wanted).status_code == 201


def test_a_half_that_is_taken_out_of_the_hall_is_free_of_its_bookings(room: Any) -> None:
    """The corner, which stays a part of the half, too; what the hall's other half holds stays taken."""
    house = room.house
    hall = house.resource(room.location_id, display_name="Hall")
    half, other = (house.resource(room.location_id, display_name=name, parent_ids=[hall]) for name in "AB")
    corner = house.resource(room.location_id, display_name="Corner", parent_ids=[half])
    for start, resource in (("09:00", hall), ("11:00", half)):
        end = start.replace(":00", ":45")
        made = room.book(f"2027-02-15T{start}:00Z", f"2027-02-15T{end}:00Z", resource_id=f"res_{resource.hex}")
        assert made.status_code == 201, made.json
    house.resource(room.location_id, resource_id=half, display_name="A", version=2)

    def tried(resource: Any, start: str) -> int:
        times = f"2027-02-15T{start}:15:00Z", f"2027-02-15T{start}:30:00Z"
        return room.book(*times, resource_id=f"res_{resource.hex}").status_code

    assert [tried(other, "09"), tried(corner, "11")] == [409, 409]
    assert [tried(half, "09"), tried(corner, "08")] == [201, 201]
    assert tried(hall, "11") == 201, "the half has nothing to do with the hall any more"
