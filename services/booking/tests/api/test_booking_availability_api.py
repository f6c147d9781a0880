"""``/v1/availability`` and its public view."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

DAY = {"date": "2027-02-15"}


def spans(intervals: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Times of day in UTC."""
    return [(i["start"][11:16], i["end"][11:16]) for i in intervals]


def look(room: Any, **query: Any) -> Any:
    answer = room.client.get("/v1/availability", query_string={"resource_id": f"res_{room.resource_id.hex}", **query})
    assert answer.status_code == 200, answer.json
    return answer.json


def test_free_and_busy_times_of_a_day_within_opening_hours(room: Any) -> None:
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z")
    shown = look(room, **DAY)
    assert spans(shown["free"]) == [("07:00", "09:00"), ("10:00", "17:00")]
    assert spans(shown["busy"]) == [("09:00", "10:00")]
    assert shown["prices"][0] == {"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}, "when": "any"}
    assert shown["items"][0]["name"] == "Blue Room"


def test_bok_3_buffers_and_closures_are_not_free(room: Any) -> None:
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"buffer_after_minutes": 30}
    )
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z")
    assert spans(look(room, **DAY)["free"]) == [("07:00", "08:30"), ("10:30", "17:00")]
    closures = [{"start": "2027-02-15", "end": "2027-02-15", "from_time": "12:00", "to_time": "24:00"}]
    room.house.location(location_id=room.location_id, version=2, closures=closures)
    assert spans(look(room, **DAY)["free"]) == [("07:00", "08:30"), ("10:30", "11:00")]


def test_a_hall_is_busy_while_a_half_is_booked_and_the_other_half_is_free(room: Any) -> None:
    hall = room.house.resource(room.location_id, display_name="Hall")
    left, right = (room.house.resource(room.location_id, parent_ids=[hall]) for _ in range(2))
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{left.hex}")
    assert spans(look(room, resource_id=f"res_{hall.hex}", **DAY)["busy"]) == [("09:00", "10:00")]
    assert look(room, resource_id=f"res_{right.hex}", **DAY)["busy"] == []
    room.book("2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z", resource_id=f"res_{hall.hex}")
    assert spans(look(room, resource_id=f"res_{right.hex}", **DAY)["busy"]) == [("11:00", "12:00")]


def test_a_capacity_of_two_is_busy_only_when_both_are_taken(room: Any) -> None:
    area = room.house.resource(room.location_id, capacity=2)
    for _ in range(2):
        room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{area.hex}")
    room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z", resource_id=f"res_{area.hex}")
    assert spans(look(room, resource_id=f"res_{area.hex}", **DAY)["busy"]) == [("09:00", "10:00")]


def test_a_location_is_answered_with_as_many_statements_as_one_room(room: Any) -> None:
    def statements() -> int:
        seen: list[str] = []
        engine = room.house.database.engine

        def count(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", count)
        query = {"location_id": f"loc_{room.location_id.hex}", "from": "2027-02-01T00:00:00Z"}
        answer = room.client.get("/v1/availability", query_string={**query, "to": "2027-03-04T00:00:00Z"})
        event.remove(engine, "before_cursor_execute", count)
        assert answer.status_code == 200
        return len(seen)

    before = statements()
    for number in range(20):
        resource_id = room.house.resource(room.location_id, display_name=f"Room {number}")
        room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{resource_id.hex}")
    assert statements() == before


def test_members_see_free_times_only_from_now_and_the_notice_on(room: Any) -> None:
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"min_notice_minutes": 60}
    )
    member = room.house.member_user(room.member_id)
    query = {"resource_id": f"res_{room.resource_id.hex}", "date": "2027-02-01"}
    assert spans(member.get("/v1/availability", query_string=query).json["free"]) == [("09:00", "17:00")]
    assert spans(look(room, date="2027-02-01")["free"]) == [("07:00", "17:00")]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2027-02-15T09:00:00Z"},
        {"from": "2027-02-15T09:00:00", "to": "2027-02-16T09:00:00"},
        {"from": "2027-02-16T09:00:00Z", "to": "2027-02-15T09:00:00Z"},
        {"from": "2027-02-16T09:00:00Z", "to": "2029-02-15T09:00:00Z"},
        {"date": "tomorrow"},
        {"date": "2027-02-15", "resource_id": "nonsense"},
    ],
)
def test_bad_windows_are_refused(room: Any, query: dict[str, str]) -> None:
    assert room.client.get("/v1/availability", query_string=query).status_code == 422


def test_gh_1_strangers_see_only_public_resources_and_their_prices(room: Any) -> None:
    with room.house.database.session(room.house.organization_id) as session:
        slug = session.organization.slug
    stranger = room.house.sign_in(room.house.app, None)
    open_room = room.house.resource(room.location_id, display_name="Open Room", visibility="public")
    shown = stranger.get(f"/v1/storefront/{slug}/availability", query_string=DAY)
    assert [item["name"] for item in shown.json["items"]] == ["Open Room"]
    assert stranger.get("/v1/storefront/nobody/availability", query_string=DAY).status_code == 404
    wanted = {"resource_id": f"res_{open_room.hex}", "start": "2027-02-15T09:00:00Z", "end": "2027-02-15T12:00:00Z"}
    quoted = stranger.post(f"/v1/storefront/{slug}/quote", wanted)
    assert (quoted.status_code, quoted.json["total"]["amount_minor"]) == (200, 4500)
    hidden = stranger.post(f"/v1/storefront/{slug}/quote", {**wanted, "resource_id": f"res_{room.resource_id.hex}"})
    assert (hidden.status_code, hidden.json["code"]) == (422, "unknown_resource")
    too_long = stranger.post(f"/v1/storefront/{slug}/quote", {**wanted, "end": "2027-03-29T12:00:00Z"})
    assert too_long.json["code"] == "too_long"
    window = {"from": "2027-02-15T09:00:00Z", "to": "2027-04-15T09:00:00Z"}
    assert stranger.get(f"/v1/storefront/{slug}/availability", query_string=window).json["code"] == "window_too_long"
