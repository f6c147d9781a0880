"""Bookings on a calendar never overlap on the screen, whatever they do in the rooms."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from portal.board import Board, by_room_and_day, shown_hours, week_of

MONDAY = date(2027, 2, 15)
BERLIN = "Europe/Berlin"
ROOM = {"id": "res_1", "name": "Blue Room"}


def booking(start: str, end: str, room: str = "res_1") -> dict[str, Any]:
    return {"resource_id": room, "start": f"2027-02-{start}:00Z", "end": f"2027-02-{end}:00Z"}


@pytest.fixture
def board(built_portal: Any) -> Any:
    with built_portal.test_request_context():
        yield Board(MONDAY, BERLIN, 8, 18)


def test_bookings_after_each_other_share_a_row(board: Board) -> None:
    lanes, blocks = board.place([ROOM], [booking("15T08:00", "15T09:00"), booking("15T09:00", "15T10:30")])
    assert [(block.row, block.column, block.width) for block in blocks] == [(2, 6, 4), (2, 10, 6)]
    assert lanes[0].height == 1


def test_bookings_at_the_same_time_stand_below_each_other_and_move_the_next_room_down(board: Board) -> None:
    desks = [booking("15T08:00", "15T12:00"), booking("15T09:00", "15T10:00"), booking("15T10:00", "15T11:00")]
    other = {"id": "res_2", "name": "Lighthouse"}
    lanes, blocks = board.place([ROOM, other], [*desks, booking("15T08:00", "15T09:00", "res_2")])
    assert [block.row for block in blocks] == [2, 3, 3, 4]
    assert [(lane.row, lane.height) for lane in lanes] == [(2, 2), (4, 1)]


def test_what_begins_the_day_before_is_cut_at_the_edge(board: Board) -> None:
    _, blocks = board.place([ROOM], [booking("14T20:00", "15T08:00"), booking("14T08:00", "14T09:00")])
    assert [(block.column, block.width) for block in blocks] == [(2, 4)]


def test_a_night_booking_stands_on_both_of_its_days() -> None:
    night = booking("15T20:00", "16T01:00")
    till_midnight = booking("15T22:00", "15T23:00")
    cells = by_room_and_day([night, till_midnight], week_of(MONDAY), BERLIN)
    assert cells[("res_1", date(2027, 2, 16))] == [night]
    assert len(cells[("res_1", MONDAY)]) == 2


@pytest.mark.parametrize(
    ("opening", "bookings", "hours"),
    [
        ({"mon": [["09:00", "17:30"]]}, [], (9, 18)),
        ({}, [], (8, 18)),
        ({"mon": [["09:00", "17:00"]]}, [booking("15T05:30", "15T19:15")], (6, 21)),
        ({"mon": [["09:00", "11:00"]]}, [], (9, 13)),
    ],
)
def test_the_day_shows_the_opening_hours_widened_to_what_is_booked(
    opening: Any, bookings: Any, hours: tuple[int, int]
) -> None:
    assert shown_hours(opening, MONDAY, bookings, BERLIN) == hours
