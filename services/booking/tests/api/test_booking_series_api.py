"""Recurring bookings and their edits through the API (BOK-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from common.telemetry import export_spans
from common.telemetry.spans import stop_exporting

WEEKLY = {"rrule": "FREQ=WEEKLY;COUNT=6", "exdates": ["2027-03-29"]}
FIRST = ("2027-03-01T09:00:00+01:00", "2027-03-01T10:00:00+01:00")


def starts(answer: Any) -> list[str]:
    return [occurrence["start"] for occurrence in answer.json["occurrences"]]


def test_bok_4_a_series_keeps_its_wall_time_and_leaves_exdates_out(room: Any) -> None:
    made = room.book(*FIRST, recurrence=WEEKLY)
    assert made.status_code == 201, made.json
    # Clocks go forward in Berlin on 28 March 2027; the sixth date would be 5 April.
    assert starts(made) == [
        "2027-03-01T08:00:00Z",
        "2027-03-08T08:00:00Z",
        "2027-03-15T08:00:00Z",
        "2027-03-22T08:00:00Z",
        "2027-04-05T07:00:00Z",
    ]
    assert made.json["price"]["amount_minor"] == 1500
    listed = room.client.get("/v1/bookings", query_string={"series_id": made.json["series_id"], "sort": "start"})
    assert [item["start"] for item in listed.json["items"]] == starts(made)


def test_bok_4_a_series_with_taken_dates_is_refused_as_a_whole_with_their_list(room: Any) -> None:
    room.book("2027-03-15T09:30:00+01:00", "2027-03-15T10:30:00+01:00")
    room.book("2027-04-05T09:00:00+02:00", "2027-04-05T10:00:00+02:00")
    refused = room.book(*FIRST, recurrence=WEEKLY)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert refused.json["conflicts"] == [
        {"start": "2027-03-15T08:00:00Z", "end": "2027-03-15T09:00:00Z"},
        {"start": "2027-04-05T07:00:00Z", "end": "2027-04-05T08:00:00Z"},
    ]
    assert [error["pointer"] for error in refused.json["errors"]] == ["/recurrence"] * 2
    assert refused.json["errors"][0]["detail"].startswith("2027-03-15")
    assert len(room.client.get("/v1/bookings").json["items"]) == 2


def test_one_of_a_series_is_moved_alone(room: Any) -> None:
    made = room.book(*FIRST, recurrence=WEEKLY)
    second = made.json["occurrences"][1]["id"]
    moved = room.client.patch(f"/v1/bookings/{second}", {"start": "2027-03-08T14:00:00+01:00"})
    assert (moved.json["start"], moved.json["end"]) == ("2027-03-08T13:00:00Z", "2027-03-08T14:00:00Z")
    assert len(moved.json["occurrences"]) == 1
    first = room.client.get(f"/v1/bookings/{made.json['id']}").json
    assert (first["start"], first["version"]) == ("2027-03-01T08:00:00Z", 1)


def test_this_and_following_move_by_the_local_clock_and_are_priced_anew(room: Any) -> None:
    made = room.book(*FIRST, recurrence=WEEKLY)
    fourth = made.json["occurrences"][3]["id"]
    change = {"start": "2027-03-22T13:00:00+01:00", "end": "2027-03-22T15:00:00+01:00", "scope": "following"}
    moved = room.client.patch(f"/v1/bookings/{fourth}", change)
    assert moved.status_code == 200, moved.json
    assert starts(moved) == ["2027-03-22T12:00:00Z", "2027-04-05T11:00:00Z"]
    assert {o["price"]["amount_minor"] for o in moved.json["occurrences"]} == {3000}


def test_a_series_moved_onto_a_taken_date_stays_where_it_was(room: Any) -> None:
    made = room.book(*FIRST, recurrence=WEEKLY)
    room.book("2027-03-15T14:00:00+01:00", "2027-03-15T15:00:00+01:00")
    change = {"start": "2027-03-01T14:00:00+01:00", "scope": "all"}
    refused = room.client.patch(f"/v1/bookings/{made.json['id']}", change)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert refused.json["conflicts"] == [{"start": "2027-03-15T13:00:00Z", "end": "2027-03-15T14:00:00Z"}]
    assert room.client.get(f"/v1/bookings/{made.json['id']}").json["start"] == "2027-03-01T08:00:00Z"
    assert room.book("2027-03-01T14:00:00+01:00", "2027-03-01T15:00:00+01:00").status_code == 201


def test_all_of_a_series_are_cancelled_and_their_time_is_free(room: Any) -> None:
    made = room.book(*FIRST, recurrence=WEEKLY)
    path = f"/v1/bookings/{made.json['occurrences'][2]['id']}/cancellation"
    cancelled = room.client.post(path, {"scope": "all"})
    assert [o["status"] for o in cancelled.json["occurrences"]] == ["cancelled"] * 5
    assert room.book(*FIRST, recurrence=WEEKLY).status_code == 201


def test_a_resource_may_forbid_series_to_members(room: Any) -> None:
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"recurring_allowed": False}
    )
    member = room.house.member_user(room.member_id)
    refused = member.post("/v1/bookings", room.body(*FIRST, recurrence=WEEKLY))
    assert (refused.status_code, refused.json["code"]) == (422, "recurring_not_allowed")
    assert room.book(*FIRST, recurrence=WEEKLY).json["overridden"] == ["recurring_not_allowed"]


@pytest.mark.parametrize("scope", ["all", "following"])
def test_bok_5_a_series_is_no_way_around_the_fee_of_one_of_its_dates(room: Any, scope: str) -> None:
    steps = {"steps": [{"hours_before": 24, "percent": "50"}]}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, cancellation_policy=steps)
    member = room.house.member_user(room.member_id)
    made = member.post("/v1/bookings", room.body(*FIRST, recurrence=WEEKLY)).json
    first, second = (occurrence["id"] for occurrence in made["occurrences"][:2])
    room.house.advance(datetime(2027, 3, 1, 5, tzinfo=UTC))  # three hours before the first
    edited, start = (second, "2027-03-08T14:00:00+01:00") if scope == "all" else (first, "2027-03-01T14:00:00+01:00")
    refused = member.patch(f"/v1/bookings/{edited}", {"start": start, "scope": scope})
    assert (refused.status_code, refused.json["code"]) == (422, "too_late_to_change")
    assert member.get(f"/v1/bookings/{first}").json["start"] == "2027-03-01T08:00:00Z"
    following = {"start": "2027-03-08T14:00:00+01:00", "scope": "following"}
    assert member.patch(f"/v1/bookings/{second}", following).status_code == 200, "all of these are free to cancel"
    assert room.client.patch(f"/v1/bookings/{first}", {"start": FIRST[0], "scope": "all"}).status_code == 200


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What this process tells of its statements: those sent past SQLAlchemy, too."""
    memory = InMemorySpanExporter()
    export_spans("booking", "", memory)
    yield memory
    stop_exporting()


def test_a_long_series_takes_as_many_statements_as_a_short_one(room: Any, spans: InMemorySpanExporter) -> None:
    counts = []
    for hour, dates in ((9, 12), (10, 12), (11, 40)):
        spans.clear()
        when = (f"2027-03-01T{hour:02}:00:00+01:00", f"2027-03-01T{hour + 1}:00:00+01:00")
        made = room.book(*when, recurrence={"rrule": f"FREQ=DAILY;COUNT={dates}"})
        assert len(made.json["occurrences"]) == dates
        counts.append(sum(each.kind.name == "CLIENT" for each in spans.get_finished_spans()))
    assert counts[1] == counts[2] > 0


def test_every_answer_names_the_customer(room: Any) -> None:
    company = room.house.company(display_name="Example Ltd")
    made = room.book(*FIRST, recurrence=WEEKLY).json
    for_company = room.book(FIRST[1], "2027-03-01T11:00:00+01:00", member_id=None, company_id=f"com_{company.hex}").json
    path = f"/v1/bookings/{made['id']}"
    answers = [
        made,
        room.client.patch(path, {"start": "2027-03-01T14:00:00+01:00", "preview": True}).json,
        room.client.patch(path, {"note": "Board", "scope": "all"}).json,
        room.client.get(f"{path}/cancellation").json,
        room.client.post(f"{path}/check-in").json,
        room.client.post(f"/v1/bookings/{made['occurrences'][1]['id']}/cancellation", {"scope": "all"}).json,
    ]
    assert [answer["customer_name"] for answer in answers] == ["Example Member"] * 6
    assert for_company["customer_name"] == "Example Ltd"
