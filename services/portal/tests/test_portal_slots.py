"""Free times as starts to choose from, by the clock of the place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from portal.slots import free_day, free_starts, joined, on_day, window

BERLIN = "Europe/Berlin"
MONDAY, TUESDAY = date(2027, 2, 15), date(2027, 2, 16)


def span(start: str, end: str) -> dict[str, str]:
    return {"start": f"2027-02-{start}:00Z", "end": f"2027-02-{end}:00Z"}


def test_starts_are_every_half_hour_that_still_leaves_half_an_hour() -> None:
    found = free_starts([span("15T08:10", "15T09:45"), span("15T10:00", "15T10:20")], BERLIN)
    assert found == ["2027-02-15T08:30:00Z", "2027-02-15T09:00:00Z"]


def test_spans_that_touch_are_one() -> None:
    apart = [span("15T10:00", "15T11:00"), span("15T08:00", "15T09:00"), span("15T09:00", "15T09:30")]
    assert joined(apart) == [span("15T08:00", "15T09:30"), span("15T10:00", "15T11:00")]
    assert joined([span("15T08:00", "15T12:00"), span("15T09:00", "15T10:00")]) == [span("15T08:00", "15T12:00")]


def test_a_day_is_cut_at_midnight_of_the_place() -> None:
    night = [span("15T22:00", "16T01:00")]
    assert on_day(night, MONDAY, BERLIN) == [span("15T22:00", "15T23:00")]
    assert on_day(night, TUESDAY, BERLIN) == [span("15T23:00", "16T01:00")]


@pytest.mark.parametrize(
    ("query", "spans", "day"),
    [
        ("", [span("16T08:00", "16T10:00"), span("17T08:00", "17T10:00")], TUESDAY),
        ("", [], MONDAY),
        ("", [span("15T09:00", "15T09:20"), span("16T08:00", "16T10:00")], TUESDAY),
        ("?date=2027-02-15", [span("16T08:00", "16T10:00")], MONDAY),
    ],
)
def test_without_a_chosen_day_the_first_free_one_is_shown(portal: Any, query: str, spans: Any, day: date) -> None:
    with portal.test_request_context(f"/{query}"):
        assert free_day(MONDAY, spans, BERLIN) == day


def test_a_chosen_day_is_asked_for_alone_else_the_week(portal: Any) -> None:
    now = datetime(2027, 2, 15, 7, tzinfo=UTC)
    with portal.test_request_context("/?date=2027-02-20"):
        assert window(now, BERLIN) == {"date": "2027-02-20"}
    with portal.test_request_context("/"):
        assert window(now, BERLIN) == {"from": "2027-02-15T07:00:00Z", "to": "2027-02-22T23:00:00Z"}
