"""What a booking's people are told, with calendar entries that are right in the location's zone (BOK-6)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import icalendar
import pytest
from sqlalchemy.orm import undefer

from common.ids import new_id
from common.messaging import Result
from notifications.models import Attachment, Notification

Example = Callable[..., Any]


def told(post: Any) -> list[str]:
    return [row.template for row in post.rows(Notification)]


def calendars(post: Any) -> list[Any]:
    with post.database.session(post.organization_id) as session:
        files = session.query(Attachment).options(undefer(Attachment.content)).order_by(Attachment.id)
        return [icalendar.Calendar.from_ical(file.content) for file in files]


def test_a_confirmed_booking_is_told_with_local_times_and_a_calendar_entry(rehearsal: Any, booking: Any) -> None:
    assert booking("booking-created", version=1).result is Result.DONE
    (row,) = rehearsal.rows(Notification)
    assert row.template == "booking-confirmed"
    assert "Monday, 15 February 2027, 09:00 – 12:00" in row.subject
    (calendar,) = calendars(rehearsal)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert event.start.isoformat() == "2027-02-15T09:00:00+01:00"
    assert event["ATTENDEE"] == "mailto:member@example.com"
    assert calendar.walk("VTIMEZONE")


def test_a_moved_booking_updates_the_same_entry_and_a_check_in_is_no_news(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1)
    booking("booking-changed", version=2, status="checked_in")
    booking("booking-changed", version=3, start="2027-02-15T09:00:00Z", end="2027-02-15T12:00:00Z")
    booking("booking-changed", version=4, start="2027-02-15T09:00:00Z", end="2027-02-15T12:00:00Z", note="x")
    booking("booking-completed", version=5, status="completed")
    assert told(rehearsal) == ["booking-confirmed", "booking-changed"]
    events = [calendar.walk("VEVENT")[0] for calendar in calendars(rehearsal)]
    assert len({event["UID"] for event in events}) == 1
    assert [event["SEQUENCE"] for event in events] == [1, 3]


def test_a_cancellation_takes_the_entry_away_and_names_the_fee(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1)
    fee = {"amount_minor": 2250, "currency": "EUR"}
    booking("booking-cancelled", version=2, status="cancelled", cancellation_fee=fee)
    assert told(rehearsal) == ["booking-confirmed", "booking-cancelled"]
    assert "€22.50" in rehearsal.rows(Notification)[-1].text
    assert calendars(rehearsal)[-1]["METHOD"] == "CANCEL"


def test_a_request_is_told_then_its_confirmation_or_refusal(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1, status="tentative")
    booking("booking-confirmed", version=2)
    assert told(rehearsal) == ["booking-requested", "approval-needed", "booking-confirmed"]


def test_whoever_approves_hears_of_a_request_and_of_a_series_of_them_once(rehearsal: Any, booking: Any) -> None:
    series, ids = str(new_id()), [str(new_id()) for _ in range(3)]
    tentative = {"series_id": series, "version": 1, "status": "tentative"}
    for send in _weeks(booking, "booking-created", "request-1", ids, **tentative):
        send()
    (asked,) = [row for row in rehearsal.rows(Notification) if row.template == "approval-needed"]
    assert asked.recipient == "desk@harbour.example"
    assert asked.subject.startswith("Please approve: Blue Room, Monday, 1 March 2027")
    assert asked.subject.endswith("(+2)")
    assert f"/admin/bookings/bkg_{ids[0].replace('-', '')}" in asked.text


def test_a_rejected_request_says_so(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1, status="tentative")
    booking("booking-cancelled", version=2, status="rejected")
    assert rehearsal.rows(Notification)[-1].subject.startswith("Declined: Blue Room")


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_hold_that_comes_to_nothing_is_told_to_nobody(rehearsal: Any, booking: Any, end: str) -> None:
    booking("booking-created", version=1, status="held")
    booking("booking-cancelled", version=2, status=end)
    assert told(rehearsal) == []


def test_a_confirmation_overtaken_by_its_cancellation_is_not_sent_any_more(rehearsal: Any, booking: Any) -> None:
    booking("booking-cancelled", version=2, status="cancelled")
    booking("booking-created", version=1)
    assert told(rehearsal) == ["booking-cancelled"]


def test_a_booking_of_a_member_who_is_not_here_yet_waits(rehearsal: Any, booking: Any) -> None:
    assert booking("booking-created", member_id=str(new_id())).result is Result.RETRY


def test_a_booking_in_the_hour_that_clocks_repeat_keeps_its_instant(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1, start="2027-10-31T01:30:00Z", end="2027-10-31T03:00:00Z")
    (event,) = calendars(rehearsal)[0].walk("VEVENT")
    assert event.end.utcoffset().total_seconds() == 3600
    assert event.start.isoformat().startswith("2027-10-31T02:30:00")


def _weeks(booking: Any, name: str, request_id: str, bookings: list[str], **changes: Any) -> list[Callable[[], Any]]:
    def send(week: int, booking_id: str) -> Any:
        day = 1 + 7 * week
        return booking(
            name,
            request_id,
            booking_id=booking_id,
            start=f"2027-03-{day:02}T08:00:00Z",
            end=f"2027-03-{day:02}T09:00:00Z",
            **changes,
        )

    return [partial(send, week, booking_id) for week, booking_id in enumerate(bookings)]


def test_a_series_is_one_mail_with_all_its_dates_however_they_arrive(rehearsal: Any, booking: Any) -> None:
    """BOK-4: each occurrence has its own message; four workers handle them at once."""
    series, ids = str(new_id()), [str(new_id()) for _ in range(4)]
    price = {"amount_minor": 1500, "currency": "EUR"}
    sends = _weeks(booking, "booking-created", "request-1", ids, series_id=series, version=1, price=price)
    with ThreadPoolExecutor(4) as pool:
        outcomes = [future.result() for future in [pool.submit(send) for send in reversed(sends)]]
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    (row,) = rehearsal.rows(Notification)
    assert row.subject.endswith("Monday, 1 March 2027, 09:00 – 10:00 (+3)")
    assert all(f"{day} March 2027" in row.text for day in (1, 8, 15, 22))
    assert "€60.00" in row.text
    (calendar,) = calendars(rehearsal)
    assert calendar["METHOD"] == "PUBLISH"
    assert len(calendar.walk("VEVENT")) == 4


def test_occurrences_cancelled_by_two_requests_are_two_mails(rehearsal: Any, booking: Any) -> None:
    series, ids = str(new_id()), [str(new_id()) for _ in range(3)]
    for send in _weeks(booking, "booking-created", "request-1", ids, series_id=series, version=1):
        send()
    cancel = {"series_id": series, "version": 2, "status": "cancelled"}
    _weeks(booking, "booking-cancelled", "request-2", ids, **cancel)[0]()
    for send in _weeks(booking, "booking-cancelled", "request-3", ids, **cancel)[1:]:
        send()
    assert told(rehearsal) == ["booking-confirmed", "booking-cancelled", "booking-cancelled"]


def test_an_occurrence_that_comes_after_the_mail_has_left_gets_its_own(rehearsal: Any, booking: Any) -> None:
    series, ids = str(new_id()), [str(new_id()) for _ in range(2)]
    first, second = _weeks(booking, "booking-created", "request-1", ids, series_id=series, version=1)
    first()
    (row,) = rehearsal.rows(Notification)
    rehearsal.update(Notification, row.id, channel="email")
    second()
    assert told(rehearsal) == ["booking-confirmed", "booking-confirmed"]
