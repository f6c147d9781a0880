"""Occupancy and what booking adds to the checklist."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from common.clock import wall_to_instant

ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def test_booked_and_open_hours_of_a_week(room: Any) -> None:
    room.house.resource(room.location_id, display_name="=Desks", capacity=2)
    room.book("2027-02-15T09:00:00Z", "2027-02-15T11:30:00Z")
    cancelled = room.book("2027-02-16T09:00:00Z", "2027-02-16T11:30:00Z").json
    room.client.post(f"/v1/bookings/{cancelled['id']}/cancellation")
    query = {"from": "2027-02-15", "to": "2027-02-22"}
    items = room.client.get("/v1/reports/occupancy", query_string=query).json["items"]
    desks, blue = items
    assert (blue["bookings"], blue["booked_hours"], blue["open_hours"], blue["percent"]) == (1, "2.5", "50", "5")
    assert blue["revenue"]["amount_minor"] == 3750
    assert (desks["open_hours"], desks["percent"]) == ("100", "0")
    table = room.client.get("/v1/reports/occupancy", query_string={**query, "format": "csv"})
    assert table.content_type == "text/csv; charset=utf-8"
    assert [line.split(",", 3)[3] for line in table.text.splitlines()] == [
        "resource_name,start,end,bookings,booked_hours,open_hours,percent,no_shows,revenue,currency",
        "'=Desks,2027-02-15,2027-02-22,0,0,100,0,0,0.00,EUR",
        "Blue Room,2027-02-15,2027-02-22,1,2.5,50,5,0,37.50,EUR",
    ]
    backwards = {"from": "2027-02-22", "to": "2027-02-15"}
    assert room.client.get("/v1/reports/occupancy", query_string=backwards).status_code == 422
    assert room.house.member_user(room.member_id).get("/v1/reports/occupancy", query_string=query).status_code == 403


def test_the_checklist_hears_of_requests_that_wait(room: Any) -> None:
    assert room.client.get("/v1/setup/booking").json["problems"] == []
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, booking_policy={"approval": True})
    room.house.member_user(room.member_id).post(
        "/v1/bookings", room.body("2027-02-15T09:00:00Z", "2027-02-15T11:30:00Z")
    )
    shown = room.client.get("/v1/setup/booking").json
    assert [problem["code"] for problem in shown["problems"]] == ["bookings_waiting"]
    assert shown["facts"]["bookings_waiting"] == 1


def report(room: Any, name: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of a report."""
    answer = room.client.get(f"/v1/reports/{name}", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["items"])


def test_a_report_by_day_tiles_the_one_in_all(room: Any) -> None:
    """A booking over midnight counts where it begins, and its hours where they are."""
    night = room.house.resource(room.location_id, display_name="Night", booking_policy={"opening_hours": ALWAYS})
    there = {"resource_id": f"res_{night.hex}"}
    room.book("2027-02-15T20:00:00Z", "2027-02-16T03:00:00Z", **there)  # 21:00 to 4:00
    room.book("2027-02-28T20:00:00Z", "2027-03-01T01:00:00Z", **there)
    month = {"from": "2027-02-01", "to": "2027-03-01", "resource_id": f"res_{night.hex}"}
    [total] = report(room, "occupancy", **month)
    assert (total["bookings"], total["booked_hours"], total["open_hours"]) == (2, "10", "672")
    for step in ("day", "week", "month"):
        rows = report(room, "occupancy", **month, by=step)
        assert (rows[0]["start"], rows[-1]["end"]) == ("2027-02-01", "2027-03-01")
        assert all(one["end"] == two["start"] for one, two in pairwise(rows))
        for name in ("booked_hours", "open_hours"):
            assert sum(Decimal(row[name]) for row in rows) == Decimal(total[name])
        assert sum(row["bookings"] for row in rows) == 2
        assert sum(row["revenue"]["amount_minor"] for row in rows) == total["revenue"]["amount_minor"]
    days = {row["start"]: row for row in report(room, "occupancy", **month, by="day")}
    assert [(days[f"2027-02-{day}"]["bookings"], days[f"2027-02-{day}"]["booked_hours"]) for day in (15, 16)] == [
        (1, "3"),
        (0, "4"),
    ]
    rest = report(room, "occupancy", **{**month, "from": "2027-02-03"}, by="week")
    weeks = [(row["start"], row["end"]) for row in rest]
    assert weeks[:2] == [("2027-02-03", "2027-02-08"), ("2027-02-08", "2027-02-15")]


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        ("Europe/Berlin", ("2027-03-28", "23"), ("2027-10-31", "25")),
        ("America/New_York", ("2027-03-14", "23"), ("2027-11-07", "25")),
        ("Australia/Lord_Howe", ("2027-10-03", "23.5"), ("2027-04-04", "24.5")),
    ],
)
def test_a_day_is_the_locations_and_has_the_hours_it_has(
    room: Any, zone: str, short: tuple[str, str], long: tuple[str, str]
) -> None:
    place = room.house.location(timezone=zone, opening_hours=ALWAYS)
    desk = room.house.resource(place, display_name="Far away")
    for day, hours in (short, long):
        first = date.fromisoformat(day)
        start, end = (wall_to_instant(datetime.combine(d, time()), zone) for d in (first, first + timedelta(days=1)))
        made = room.book(start.isoformat(), end.isoformat(), resource_id=f"res_{desk.hex}")
        assert made.status_code == 201, made.json
        around = {"from": str(first - timedelta(days=1)), "to": str(first + timedelta(days=2))}
        rows = report(room, "occupancy", **around, by="day", resource_id=f"res_{desk.hex}")
        assert [(row["booked_hours"], row["open_hours"], row["percent"]) for row in rows] == [
            ("0", "24", "0"),
            (hours, hours, "100"),
            ("0", "24", "0"),
        ]


def test_what_became_of_bookings_and_what_they_brought_in(room: Any) -> None:
    policy = {"check_in_minutes": 15}
    fees = {"steps": [{"hours_before": 720, "percent": "50"}], "no_show_percent": "80"}
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy=policy, cancellation_policy=fees
    )
    came = room.book("2027-02-02T09:00:00Z", "2027-02-02T11:00:00Z").json
    room.book("2027-02-03T09:00:00Z", "2027-02-03T11:00:00Z")
    cancelled = room.book("2027-02-04T09:00:00Z", "2027-02-04T11:00:00Z").json
    room.client.post(f"/v1/bookings/{cancelled['id']}/cancellation")
    room.house.advance(datetime(2027, 2, 2, 9, tzinfo=UTC))
    room.client.post(f"/v1/bookings/{came['id']}/check-in")
    room.house.advance(datetime(2027, 2, 5, tzinfo=UTC))
    [row] = report(room, "bookings", **{"from": "2027-02-01", "to": "2027-03-01", "by": "month"})
    assert (row["bookings"], row["no_shows"], row["cancelled"], row["booked_hours"]) == (1, 1, 1, "2")
    assert (row["revenue"]["amount_minor"], row["fees"]["amount_minor"]) == (3000, 1500 + 2400)
    query = {"from": "2027-02-01", "to": "2027-03-01", "format": "csv"}
    table = room.client.get("/v1/reports/bookings", query_string=query)
    assert table.headers["Content-Disposition"] == 'attachment; filename="bookings.csv"'
    assert table.text.splitlines()[1].endswith("Blue Room,2027-02-01,2027-03-01,1,1,1,2,30.00,39.00,EUR")


def test_visits_are_counted_by_the_locations_own_day(room: Any) -> None:
    tokyo = room.house.location(display_name="Tokyo", timezone="Asia/Tokyo")
    room.client.post("/v1/passes", {"member_id": f"mem_{room.member_id.hex}", "days": 5})
    for hour in (8, 9, 15, 16):  # 17:00, 18:00 on Monday and 0:00, 1:00 on Tuesday in Tokyo
        room.house.advance(datetime(2027, 2, 1, hour, tzinfo=UTC))
        visit = room.client.post(
            "/v1/check-ins", {"member_id": f"mem_{room.member_id.hex}", "location_id": f"loc_{tokyo.hex}"}
        )
        assert visit.status_code == 201, visit.json
        room.client.post(f"/v1/check-ins/{visit.json['id']}/check-out")
    days = {"from": "2027-02-01", "to": "2027-02-03", "by": "day"}
    rows = report(room, "check-ins", **days, location_id=f"loc_{tokyo.hex}")
    assert [(row["start"], row["visits"], row["visitors"], row["day_passes"]) for row in rows] == [
        ("2027-02-01", 2, 1, 1),
        ("2027-02-02", 2, 1, 1),
    ]
    assert len(report(room, "check-ins", **days)) == 4
    table = room.client.get("/v1/reports/check-ins", query_string={**days, "format": "csv"})
    assert table.text.splitlines()[0] == "location_id,location_name,start,end,visits,visitors,day_passes"


def test_staff_of_one_location_get_reports_of_it_alone(room: Any) -> None:
    """ACC-1."""
    other = room.house.location(display_name="Dock 2")
    room.house.resource(other, display_name="Their room")
    clerk = room.house.user("front_desk", locations=[str(room.location_id)])
    days = {"from": "2027-02-01", "to": "2027-02-03"}
    for name in ("occupancy", "bookings", "check-ins"):
        rows = clerk.get(f"/v1/reports/{name}", query_string=days).json["items"]
        assert {row["location_name"] for row in rows} == {"Dock 1"}
        query = {**days, "location_id": f"loc_{other.hex}"}
        assert clerk.get(f"/v1/reports/{name}", query_string=query).json["items"] == []


@pytest.mark.parametrize("name", ["occupancy", "bookings", "check-ins"])
def test_reports_are_as_many_statements_for_one_room_as_for_many(room: Any, name: str) -> None:
    def month() -> None:
        report(room, name, **{"from": "2027-02-01", "to": "2027-03-01", "by": "day"})

    before = room.house.statements_of(month)
    for number in range(20):
        place = room.house.location(display_name=f"Dock {number}")
        room.house.resource(place, display_name=f"Room {number}")
    assert room.house.statements_of(month) == before


def test_windows_that_are_too_long_are_refused(room: Any) -> None:
    for step, last in (("day", "2027-05-06"), ("month", "2028-02-03")):
        query = {"from": "2027-02-01", "to": last, "by": step}
        answer = room.client.get("/v1/reports/occupancy", query_string=query)
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/to")


def test_a_day_in_one_look_counts_what_touches_it_and_names_the_fullest(room: Any) -> None:
    desks = room.house.resource(room.location_id, display_name="Desks", capacity=2)
    room.book("2027-02-15T09:00:00Z", "2027-02-15T11:30:00Z")
    gone = room.book("2027-02-15T12:00:00Z", "2027-02-15T13:00:00Z").json
    room.client.post(f"/v1/bookings/{gone['id']}/cancellation")
    room.book("2027-02-16T09:00:00Z", "2027-02-16T11:30:00Z")
    found = room.client.get("/v1/reports/day", query_string={"date": "2027-02-15"}).json
    assert (found["date"], found["bookings"]) == ("2027-02-15", 1)
    full = [(each["resource_name"], each["percent"]) for each in found["fullest"]]
    assert full == [("Blue Room", "10"), ("Desks", "0")]
    assert found["fullest"][1]["resource_id"] == f"res_{desks.hex}"
    (fullest,) = room.client.get("/v1/reports/day", query_string={"date": "2027-02-15", "limit": 1}).json["fullest"]
    assert fullest["resource_name"] == "Blue Room"
    today = room.client.get("/v1/reports/day").json["date"]
    assert today == room.client.get("/v1/reports/day", query_string={"date": today}).json["date"]
    assert room.client.get("/v1/reports/day", query_string={"date": "2027-02-15", "days": 0}).status_code == 422
    assert room.house.member_user(room.member_id).get("/v1/reports/day?date=2027-02-15").status_code == 403


def test_long_bookings_count_in_the_reports_of_every_day_that_they_touch(room: Any) -> None:
    room.book("2027-02-15T09:00:00+01:00", "2027-02-18T12:00:00+01:00", override=True)
    query = {"from": "2027-02-17", "to": "2027-02-18"}
    (row,) = room.client.get("/v1/reports/occupancy", query_string=query).json["items"]
    assert (row["booked_hours"], row["bookings"]) == ("24", 0)
    assert room.client.get("/v1/reports/day", query_string={"date": "2027-02-17"}).json["bookings"] == 1
