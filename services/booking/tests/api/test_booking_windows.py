"""A window of the list shows what touches it: what began long before, too, and nothing that only meets its edges."""

from __future__ import annotations

from typing import Any


def test_bookings_of_a_window_are_those_that_touch_it(room: Any) -> None:
    days = room.book("2027-02-15T09:00:00+01:00", "2027-02-18T12:00:00+01:00", override=True).json
    edge = room.book("2027-02-19T08:00:00+01:00", "2027-02-19T09:00:00+01:00").json
    inside = room.book("2027-02-19T09:00:00+01:00", "2027-02-19T10:00:00+01:00").json
    assert shown(room, "2027-02-18T09:00:00%2B01:00", "2027-02-18T10:00:00%2B01:00") == [days["id"]]
    assert shown(room, "2027-02-19T09:00:00%2B01:00", "2027-02-19T18:00:00%2B01:00") == [inside["id"]]
    assert shown(room, "2027-02-15T00:00:00%2B01:00", "2027-02-20T00:00:00%2B01:00") == [
        days["id"],
        edge["id"],
        inside["id"],
    ]


def shown(room: Any, start: str, end: str) -> list[str]:
    found = room.house.user().get(f"/v1/bookings?from={start}&to={end}&sort=start").json["items"]
    return [booking["id"] for booking in found]
