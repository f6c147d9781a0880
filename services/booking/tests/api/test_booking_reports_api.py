"""Occupancy and what booking adds to the checklist."""

from __future__ import annotations

from typing import Any


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
    assert table.text.splitlines()[1:] == [
        "Dock 1,'=Desks,0,0,100,0,0.00,EUR",
        "Dock 1,Blue Room,1,2.5,50,5,37.50,EUR",
    ]
    backwards = {"from": "2027-02-22", "to": "2027-02-15"}
    assert room.client.get("/v1/reports/occupancy", query_string=backwards).status_code == 422
    assert room.house.member_user(room.member_id).get("/v1/reports/occupancy", query_string=query).status_code == 403


def test_the_checklist_hears_of_requests_that_wait(room: Any) -> None:
    assert room.client.get("/v1/setup/booking").json["problems"] == []
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"approval_required": True}
    )
    room.house.member_user(room.member_id).post(
        "/v1/bookings", room.body("2027-02-15T09:00:00Z", "2027-02-15T11:30:00Z")
    )
    shown = room.client.get("/v1/setup/booking").json
    assert [problem["code"] for problem in shown["problems"]] == ["bookings_waiting"]
    assert shown["facts"]["bookings_waiting"] == 1
