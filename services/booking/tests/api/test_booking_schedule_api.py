"""Who is in a room, as far as privacy settings let members see it (BOK-7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

DAY = {"from": "2027-02-15T00:00:00Z", "to": "2027-02-16T00:00:00Z"}


def seen(client: Any, room: Any, **query: Any) -> list[tuple[str, str | None, bool]]:
    """Start, name and whether it is the viewer's own."""
    asked = {"resource_id": f"res_{room.resource_id.hex}", **DAY, **query}
    answer = client.get("/v1/bookings/schedule", query_string=asked)
    assert answer.status_code == 200, answer.json
    return [(item["start"][11:16], item["name"], item["is_mine"]) for item in answer.json["items"]]


def test_bok_7_members_see_names_only_where_the_resource_shows_them(room: Any) -> None:
    other = room.house.member(display_name="Somebody Else")
    company = room.house.company(display_name="Example Ltd")
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z")
    room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z", member_id=f"mem_{other.hex}", note="secret")
    room.book("2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z", member_id=None, company_id=f"com_{company.hex}")
    gone = room.book("2027-02-15T13:00:00Z", "2027-02-15T14:00:00Z").json
    room.client.post(f"/v1/bookings/{gone['id']}/cancellation")
    member = room.house.member_user(room.member_id)
    mine = ("09:00", "Example Member", True)
    assert seen(member, room) == [mine, ("10:00", None, False), ("11:00", None, False)]
    named = [("10:00", "Somebody Else", False), ("11:00", "Example Ltd", False)]
    assert seen(room.client, room)[1:] == named
    policy = {"show_names": True}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, booking_policy=policy)
    assert seen(member, room) == [mine, *named]


def test_a_schedule_of_a_location_has_what_the_viewer_may_know_of(room: Any) -> None:
    other = room.house.resource(room.location_id, display_name="Red Room")
    hidden = room.house.resource(room.location_id, visibility="plans", plan_ids=[room.member_id])
    for number, resource in enumerate((other, hidden, room.resource_id)):
        room.book(
            f"2027-02-15T{9 + number:02}:00:00Z", f"2027-02-15T{10 + number}:00:00Z", resource_id=f"res_{resource.hex}"
        )
    asked = {"location_id": f"loc_{room.location_id.hex}", **DAY}
    for client, expected in ((room.client, [other, hidden, room.resource_id]), (None, [other, room.resource_id])):
        viewer = client or room.house.member_user(room.member_id)
        items = viewer.get("/v1/bookings/schedule", query_string=asked).json["items"]
        assert [item["resource_id"] for item in items] == [f"res_{resource.hex}" for resource in expected]


def test_a_hold_that_has_run_out_is_not_in_the_schedule(room: Any) -> None:
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", payment="now")
    assert len(seen(room.client, room)) == 1
    room.house.set_clock(datetime(2027, 2, 1, 8, 10, tzinfo=UTC))
    assert seen(room.client, room) == []


def test_what_a_member_may_not_know_of_has_no_schedule(room: Any) -> None:
    hidden = room.house.resource(room.location_id, visibility="plans", plan_ids=[room.member_id])
    asked = {"resource_id": f"res_{hidden.hex}", **DAY}
    answer = room.house.member_user(room.member_id).get("/v1/bookings/schedule", query_string=asked)
    assert (answer.status_code, answer.json["code"]) == (404, "resource_not_found")
    long = {**asked, "to": "2027-03-20T00:00:00Z"}
    assert room.client.get("/v1/bookings/schedule", query_string=long).json["code"] == "window_too_long"
    backwards = {**asked, "to": "2027-02-14T00:00:00Z"}
    assert room.client.get("/v1/bookings/schedule", query_string=backwards).status_code == 422


def test_acc_1_staff_of_one_location_see_the_times_of_that_one_alone(room: Any) -> None:
    elsewhere = room.house.location(display_name="Dock 2")
    far = room.house.resource(elsewhere, display_name="Far Room")
    for resource in (far, room.resource_id):
        room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{resource.hex}")
    desk = room.house.user("front_desk", locations=[str(room.location_id)])
    for path in ("/v1/bookings/schedule", "/v1/availability"):
        items = desk.get(path, query_string=DAY).json["items"]
        assert [item["resource_id"] for item in items] == [f"res_{room.resource_id.hex}"]
        assert len(room.client.get(path, query_string=DAY).json["items"]) == 2
        foreign = desk.get(path, query_string={**DAY, "location_id": f"loc_{elsewhere.hex}"})
        assert foreign.json["items"] == []
        named = desk.get(path, query_string={**DAY, "resource_id": f"res_{far.hex}"})
        assert (named.status_code, named.json["code"]) == (404, "resource_not_found")


def test_a_long_booking_that_began_days_before_is_in_the_schedule(room: Any) -> None:
    room.book("2027-02-10T09:00:00Z", "2027-02-18T09:00:00Z")
    assert [start for start, _, _ in seen(room.client, room)] == ["09:00"]
