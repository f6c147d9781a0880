"""The booking part of the story (API.md), and what refuses it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from booking.service import SERVICE
from common.db.migrate import schema_differences
from common.db.plumbing import plumbing_metadata
from common.ids import new_id

START, END = "2027-02-15T09:00:00+01:00", "2027-02-15T12:00:00+01:00"


def test_models_agree_with_the_migrations(booking_app: Any) -> None:
    url = booking_app.extensions["database"].url
    assert schema_differences(url, [plumbing_metadata, SERVICE.metadata]) == []


def test_pri_1_the_quote_is_what_the_booking_costs(room: Any) -> None:
    quoted = room.client.post("/v1/bookings/quote", room.body(START, END))
    assert quoted.status_code == 200, quoted.json
    assert quoted.json["total"] == {"amount_minor": 4500, "currency": "EUR"}
    assert quoted.json["available"] is True
    assert quoted.json["lines"][0]["net"]["amount_minor"] == 4500
    assert quoted.json["explain"]
    made = room.book(START, END, payment="on_invoice")
    assert made.status_code == 201, made.json
    assert made.json["status"] == "confirmed"
    assert made.json["price"] == {"amount_minor": 4500, "currency": "EUR"}
    assert made.json["start"] == "2027-02-15T08:00:00Z"
    assert made.headers["Deskledger-Messages"].endswith(":booking.booking-created.v1")
    path = f"/v1/bookings/{made.json['id']}"
    assert room.client.get(path).json["customer_name"] == "Example Member"
    listed = room.client.get("/v1/bookings", query_string={"from": START, "to": END}).json["items"]
    assert [item["id"] for item in listed] == [made.json["id"]]


def test_bok_1_a_taken_slot_is_409_and_the_adjacent_one_is_free(room: Any) -> None:
    assert room.book(START, END).status_code == 201
    taken = room.book("2027-02-15T11:00:00+01:00", "2027-02-15T13:00:00+01:00")
    assert (taken.status_code, taken.json["code"]) == (409, "slot_taken")
    assert room.book(END, "2027-02-15T13:00:00+01:00").status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"colour": "red"}, 422, "invalid"),
        ({"start": 7}, 422, "invalid"),
        ({"start": "2027-02-15T09:00:00"}, 422, "invalid"),
        ({"end": START}, 422, "invalid"),
        ({"end": "2027-02-15T07:00:00Z"}, 422, "invalid"),
        ({"resource_id": f"res_{new_id().hex}"}, 422, "unknown_resource"),
        ({"resource_id": f"mem_{new_id().hex}"}, 422, "invalid"),
        ({"member_id": f"mem_{new_id().hex}"}, 422, "unknown_member"),
        ({"company_id": f"com_{new_id().hex}"}, 422, "unknown_company"),
        ({"member_id": None}, 422, "customer_missing"),
        ({"payment": "later"}, 422, "invalid"),
        ({"custom_price": {"amount_minor": 5, "currency": "USD"}}, 422, "currency_mismatch"),
        ({"custom_price": {"amount_minor": -5, "currency": "EUR"}}, 422, "invalid"),
        ({"extras": [{"code": "elephant"}]}, 422, "unknown_extra"),
        ({"recurrence": {"rrule": "FREQ=WEEKLY"}}, 422, "recurrence_unbounded"),
        ({"recurrence": {"rrule": "nonsense"}}, 422, "recurrence_invalid"),
        ({"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3", "exdates": ["soon"]}}, 422, "exdate_invalid"),
        ({"end": "2029-02-15T09:00:00Z"}, 422, "too_long"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_booked(room: Any, change: dict[str, Any], status: int, code: str) -> None:
    refused = room.client.post("/v1/bookings", {**room.body(START, END), **change})
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.json
    assert refused.content_type == "application/problem+json"
    assert room.client.get("/v1/bookings").json["items"] == []


def test_a_booking_needs_an_idempotency_key_and_is_made_once_with_it(room: Any) -> None:
    missing = room.client.post("/v1/bookings", room.body(START, END), headers={"Idempotency-Key": ""})
    assert (missing.status_code, missing.json["code"]) == (400, "idempotency_key_missing")
    headers = {"Idempotency-Key": "once"}
    first = room.client.post("/v1/bookings", room.body(START, END), headers=headers)
    again = room.client.post("/v1/bookings", room.body(START, END), headers=headers)
    assert first.json == again.json
    assert len(room.client.get("/v1/bookings").json["items"]) == 1


@pytest.mark.parametrize("more", [{}, {"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}}], ids=["single", "series"])
def test_a_key_that_was_used_replays_the_answer_or_refuses_another_body(room: Any, more: dict[str, Any]) -> None:
    headers, body = {"Idempotency-Key": "mine"}, {**room.body(START, END), **more}
    first = room.client.post("/v1/bookings", body, headers=headers)
    again = room.client.post("/v1/bookings", body, headers=headers)
    assert (again.status_code, again.data) == (201, first.data)
    assert (again.headers["Idempotent-Replayed"], again.headers["ETag"]) == ("true", first.headers["ETag"])
    other = room.client.post("/v1/bookings", {**body, "note": "other"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(room.client.get("/v1/bookings").json["items"]) == len(first.json["occurrences"])


def test_a_booking_is_three_round_trips_to_the_database(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/decisions/0012."""
    room.book(START, END)
    trips: list[str] = []

    def span(statement: str) -> Any:
        trips.append(" ".join(statement.split()))
        return nullcontext()

    monkeypatch.setattr("common.db.statements.statement_span", span)
    assert room.book(END, "2027-02-15T13:00:00+01:00").status_code == 201
    assert [trip.split()[0] for trip in trips] == ["BEGIN;", "WITH", "INSERT"]
    assert "; COMMIT; NOTIFY" in trips[-1]


def test_another_organisations_things_do_not_exist(room: Any, sign_in: Any) -> None:
    from common.testing.plugin import add_organization

    made = room.book(START, END).json
    stranger = sign_in(room.house.app, add_organization(room.house.database))
    assert stranger.get(f"/v1/bookings/{made['id']}").status_code == 404
    assert stranger.post(f"/v1/bookings/{made['id']}/cancellation").status_code == 404
    assert stranger.post("/v1/bookings", room.body(START, END)).json["code"] == "unknown_resource"
    assert stranger.get("/v1/bookings").json["items"] == []


def test_acc_1_members_see_and_book_only_for_themselves(room: Any) -> None:
    other = room.house.member(display_name="Other")
    mine = room.house.member_user(room.member_id)
    theirs = room.house.member_user(other)
    made = mine.post("/v1/bookings", {k: v for k, v in room.body(START, END).items() if k != "member_id"})
    assert made.status_code == 201, made.json
    assert made.json["member_id"] == f"mem_{room.member_id.hex}"
    assert theirs.get(f"/v1/bookings/{made.json['id']}").status_code == 404
    assert theirs.get("/v1/bookings").json["items"] == []
    for_other = theirs.post("/v1/bookings", room.body("2027-02-16T09:00:00Z", "2027-02-16T10:00:00Z"))
    assert (for_other.status_code, for_other.json["code"]) == (422, "unknown_member")
    priced = mine.post("/v1/bookings", room.body(END, "2027-02-15T13:00:00+01:00", is_free=True))
    assert priced.status_code == 403


def test_a_room_without_a_rate_is_not_booked_for_nothing(room: Any) -> None:
    bare = room.house.resource(room.location_id, type="event_space")
    body = {**room.body(START, END), "resource_id": f"res_{bare.hex}"}
    refused = room.client.post("/v1/bookings", body)
    assert (refused.status_code, refused.json["code"]) == (422, "no_rate")
    assert room.client.post("/v1/bookings", {**body, "is_free": True}).json["price"]["amount_minor"] == 0
