"""iCalendar as another program reads it (BOK-6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from dateutil.tz import tzical
from icalendar import Calendar

from common.clock import wall_to_instant


def events(body: bytes) -> list[Any]:
    return list(Calendar.from_ical(body).walk("VEVENT"))


def test_bok_6_times_are_right_in_both_dst_weeks_and_the_zone_is_in_the_file(room: Any) -> None:
    made = room.book(
        "2027-03-22T09:00:00+01:00", "2027-03-22T10:00:00+01:00", recurrence={"rrule": "FREQ=WEEKLY;COUNT=33"}
    )
    assert made.status_code == 201, made.json
    feed = room.client.post("/v1/calendars", {"member_id": f"mem_{room.member_id.hex}"})
    assert feed.status_code == 201, feed.json
    stranger = room.house.sign_in(room.house.app, None)
    answer = stranger.get(feed.json["path"])
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    found = events(answer.data)
    assert len(found) == 33
    expected = [datetime.fromisoformat(o["start"]) for o in made.json["occurrences"]]
    assert [event["dtstart"].dt.astimezone(UTC) for event in found] == expected
    assert {event["dtstart"].dt.hour for event in found} == {9}
    assert [str(zone["tzid"]) for zone in Calendar.from_ical(answer.data).walk("VTIMEZONE")] == ["Europe/Berlin"]


def test_bok_6_a_file_per_booking(room: Any) -> None:
    made = room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", note="Bring cake; and more, \\ please").json
    answer = room.client.get(f"/v1/bookings/{made['id']}/ics")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="booking-2027-02-15-1000.ics"'
    (event,) = events(answer.data)
    assert (str(event["summary"]), str(event["location"])) == ("Blue Room", "Dock 1")
    assert str(event["description"]) == "Bring cake; and more, \\ please"
    room.client.post(f"/v1/bookings/{made['id']}/cancellation")
    (event,) = events(room.client.get(f"/v1/bookings/{made['id']}/ics").data)
    assert (str(event["status"]), event["sequence"]) == ("CANCELLED", 1)


def test_bok_7_a_rooms_feed_names_nobody_and_answers_no_more_once_closed(room: Any) -> None:
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", note="secret merger")
    feed = room.client.post("/v1/calendars", {"resource_id": f"res_{room.resource_id.hex}"}).json
    stranger = room.house.sign_in(room.house.app, None)
    body = stranger.get(feed["path"]).data
    assert len(events(body)) == 1
    assert b"secret" not in body
    assert b"Example Member" not in body
    member = room.house.member_user(room.member_id)
    assert member.post("/v1/calendars", {"resource_id": f"res_{room.resource_id.hex}"}).status_code == 403
    assert member.delete(f"/v1/calendars/{feed['id']}").status_code == 404
    assert room.client.delete(f"/v1/calendars/{feed['id']}").status_code == 204
    assert stranger.get(feed["path"]).status_code == 404
    assert stranger.get("/v1/calendars/guess.ics").status_code == 404


def as_another_program_reads_it(body: bytes) -> list[datetime]:
    """Starts by the VTIMEZONE of the file alone, whatever anybody knows about zones."""
    text = body.decode().replace("\r\n ", "")
    zones = tzical(StringIO(text))
    found = re.findall(r"BEGIN:VEVENT.*?DTSTART;TZID=([^:]+):(\d{8}T\d{6})", text, re.DOTALL)
    return [datetime.strptime(wall, "%Y%m%dT%H%M%S").replace(tzinfo=zones.get(zone)) for zone, wall in found]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_bok_6_the_files_own_zone_is_right_through_both_clock_changes(room: Any, zone: str) -> None:
    place = room.house.location(timezone=zone, opening_hours={})
    desk = room.house.resource(place, display_name="Desk")
    start = wall_to_instant(datetime.fromisoformat("2027-02-22T09:00"), zone)
    series = {"resource_id": f"res_{desk.hex}", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=45"}}
    made = room.book(start.isoformat(), (start + timedelta(hours=1)).isoformat(), **series)
    assert made.status_code == 201, made.json
    feed = room.client.post("/v1/calendars", {"member_id": f"mem_{room.member_id.hex}"}).json
    body = room.house.sign_in(room.house.app, None).get(feed["path"]).data
    expected = [datetime.fromisoformat(occurrence["start"]) for occurrence in made.json["occurrences"]]
    read = as_another_program_reads_it(body)
    assert [at.astimezone(UTC) for at in read] == expected
    assert len({at.utcoffset() for at in read}) == 2


def test_bok_6_the_second_of_two_equal_wall_times_is_written_in_utc(room: Any) -> None:
    """02:30 comes twice that night; with the zone's name iCalendar means the first."""
    for start, end, written in (
        ("2027-10-31T02:30:00+02:00", "2027-10-31T02:45:00+02:00", "DTSTART;TZID=Europe/Berlin:20271031T023000"),
        ("2027-10-31T02:30:00+01:00", "2027-10-31T02:45:00+01:00", "DTSTART:20271031T013000Z"),
    ):
        made = room.book(start, end).json
        file = room.client.get(f"/v1/bookings/{made['id']}/ics").data
        (event,) = events(file)
        assert written in file.decode().split("BEGIN:VEVENT")[1]
        assert event["dtstart"].dt.astimezone(UTC) == datetime.fromisoformat(made["start"])
        assert event["dtend"].dt.astimezone(UTC) == datetime.fromisoformat(made["end"])


def test_acc_1_staff_of_one_location_have_feeds_of_its_resources_alone(room: Any) -> None:
    far = room.house.resource(room.house.location(display_name="Dock 2"), display_name="Far Room")
    near = {"resource_id": f"res_{room.resource_id.hex}"}
    foreign = room.client.post("/v1/calendars", {"resource_id": f"res_{far.hex}"}).json
    desk = room.house.user("front_desk", locations=[str(room.location_id)])
    mine = desk.post("/v1/calendars", near).json
    refused = desk.post("/v1/calendars", {"resource_id": f"res_{far.hex}"})
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_resource")
    assert desk.post("/v1/calendars", {"member_id": f"mem_{room.member_id.hex}"}).status_code == 403
    assert [feed["id"] for feed in desk.get("/v1/calendars").json["items"]] == [mine["id"]]
    assert desk.delete(f"/v1/calendars/{foreign['id']}").status_code == 404
    assert len(room.client.get("/v1/calendars").json["items"]) == 2
