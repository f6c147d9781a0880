"""A reminder some hours before each booking: one per booking and time, as the organisation wants it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.db.plumbing import organization_table
from common.ids import new_id
from common.jobs import JobRun, next_due
from common.testing.plugin import ApiClient
from notifications.config import NotificationsSettings
from notifications.jobs import build_jobs
from notifications.models import BookingCopy, Notification

SETTINGS = "/v1/settings/notifications"
START = datetime(2027, 2, 15, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def owner(notifications_app: Any, rehearsal: Any, sign_in: Callable[..., ApiClient]) -> ApiClient:
    """The owner of the rehearsal organisation."""
    return sign_in(notifications_app, rehearsal.organization_id)


def jobs() -> list[Any]:
    settings = NotificationsSettings(database_url="", internal_token="x", secret="x")
    return [job for job in build_jobs(settings) if job.name == "remind-of-bookings"]


def advance(post: Any, to: datetime) -> None:
    """Move the rehearsal's clock and do what is due, as the scheduler would."""
    with post.database.system_session() as session:
        mine = organization_table.c.id == post.organization_id
        session.execute(organization_table.update().where(mine).values(clock_now=to))
        session.commit()
    due = next_due(post.database, jobs(), post.organization_id)
    if due is not None and due <= to:
        work(post, to)


def work(post: Any, now: datetime) -> None:
    (job,) = jobs()
    job.run(JobRun(post.database, post.organization_id, now))


def reminders(post: Any) -> list[Any]:
    return post.rows(Notification, Notification.template == "booking-reminder")


def due_at(post: Any) -> datetime | None:
    return next_due(post.database, jobs(), post.organization_id)


def test_a_booking_is_reminded_of_once_a_day_before(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1)
    assert due_at(rehearsal) == START - 24 * HOUR
    advance(rehearsal, START - 24 * HOUR - timedelta(seconds=1))
    assert reminders(rehearsal) == []
    advance(rehearsal, START - 24 * HOUR)
    advance(rehearsal, START)
    (row,) = reminders(rehearsal)
    assert (row.recipient, row.state) == ("member@example.com", "sent")
    assert "Monday, 15 February 2027, 09:00 – 12:00" in row.subject
    assert row.booking_id is not None
    assert due_at(rehearsal) is None


@pytest.mark.parametrize(("lead", "count"), [(timedelta(hours=24), 0), (timedelta(hours=24, seconds=1), 1)])
def test_a_booking_made_later_than_the_reminder_has_none(
    rehearsal: Any, booking: Any, lead: timedelta, count: int
) -> None:
    advance(rehearsal, START - lead)
    booking("booking-created", version=1)
    advance(rehearsal, START - HOUR)
    assert len(reminders(rehearsal)) == count


def test_a_message_that_waited_does_not_cost_a_live_reminder(live: Any, example: Any) -> None:
    member_id, now = str(new_id()), live.database.clock.now()
    live.send(example("member-changed", member_id=member_id))
    same = {"booking_id": str(new_id()), "member_id": member_id, "status": "confirmed", "timezone": "Europe/Berlin"}
    fact = example("booking-created", **same, start=(now + 23 * HOUR).isoformat())
    live.consumer.handle(replace(live.envelope(fact), created_at=now - 2 * HOUR))
    work(live, now)
    assert len(reminders(live)) == 1


def test_a_moved_booking_is_reminded_of_at_its_new_time_only(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1)
    later = {"start": "2027-02-17T08:00:00Z", "end": "2027-02-17T09:00:00Z"}
    booking("booking-changed", version=2, **later)
    advance(rehearsal, START)
    assert reminders(rehearsal) == []
    advance(rehearsal, START + 48 * HOUR)
    assert reminders(rehearsal) == [], "it has begun by then"


def test_a_booking_moved_after_its_reminder_is_reminded_of_again_but_never_twice_of_one_time(
    rehearsal: Any, booking: Any
) -> None:
    booking("booking-created", version=1)
    advance(rehearsal, START - 24 * HOUR)
    booking("booking-changed", version=2, start="2027-02-18T08:00:00Z", end="2027-02-18T09:00:00Z")
    assert due_at(rehearsal) == START + 48 * HOUR
    booking("booking-changed", version=3)
    booking("booking-changed", version=4, start="2027-02-18T08:00:00Z", end="2027-02-18T09:00:00Z")
    advance(rehearsal, START + 48 * HOUR)
    assert [row.subject.split(", ")[2] for row in reminders(rehearsal)] == ["15 February 2027", "18 February 2027"]


def test_another_room_is_what_the_reminder_says(rehearsal: Any, booking: Any) -> None:
    booking("booking-created", version=1)
    booking("booking-changed", version=2, resource_name="Red Room")
    advance(rehearsal, START - 24 * HOUR)
    (row,) = reminders(rehearsal)
    assert row.subject.startswith("Reminder: Red Room")


@pytest.mark.parametrize("status", ["cancelled", "rejected", "expired"])
def test_a_cancelled_booking_is_not_reminded_of(rehearsal: Any, booking: Any, status: str) -> None:
    booking("booking-created", version=1)
    booking("booking-cancelled", version=2, status=status)
    assert due_at(rehearsal) is None


@pytest.mark.parametrize("status", ["tentative", "held"])
def test_only_what_is_confirmed_is_reminded_of(rehearsal: Any, booking: Any, status: str) -> None:
    booking("booking-created", version=1, status=status)
    assert due_at(rehearsal) is None
    booking("booking-confirmed", version=2)
    assert due_at(rehearsal) == START - 24 * HOUR


def test_messages_in_disorder_end_in_the_same_plan(rehearsal: Any, booking: Any) -> None:
    booking("booking-changed", version=3, note="x", status="confirmed")
    booking("booking-created", version=1, start="2027-02-20T08:00:00Z", end="2027-02-20T09:00:00Z")
    booking("booking-changed", version=2)
    assert due_at(rehearsal) == START - 24 * HOUR
    booking("booking-cancelled", version=5, status="cancelled")
    booking("booking-changed", version=4)
    assert due_at(rehearsal) is None


def test_each_occurrence_of_a_series_has_its_reminder(rehearsal: Any, booking: Any) -> None:
    series = str(new_id())
    for week in range(3):
        start, end = (START + timedelta(weeks=week) + hours * HOUR for hours in (0, 1))
        booking(
            "booking-created", "request", booking_id=str(new_id()), series_id=series, version=1,
            start=start.isoformat(), end=end.isoformat(),
        )  # fmt: skip
    for week in range(3):
        advance(rehearsal, START + timedelta(weeks=week) - HOUR)
    assert len(reminders(rehearsal)) == 3


def test_two_workers_at_once_send_one_reminder_each(rehearsal: Any, booking: Any) -> None:
    for _ in range(60):
        booking("booking-created", booking_id=str(new_id()), version=1)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: work(rehearsal, START - HOUR), range(2)))
    assert len(reminders(rehearsal)) == 60


def test_settings_switch_reminders_off_and_on_and_move_them(rehearsal: Any, booking: Any, owner: ApiClient) -> None:
    booking("booking-created", version=1)
    shown = owner.get(SETTINGS)
    assert (shown.json["booking_reminders"], shown.json["booking_reminder_hours"]) == (True, 24)
    assert owner.patch(SETTINGS, {"booking_reminders": False}).json["booking_reminders"] is False
    assert due_at(rehearsal) is None
    booking("booking-created", booking_id=str(new_id()), version=1)
    assert due_at(rehearsal) is None
    again = owner.patch(SETTINGS, {"booking_reminders": True, "booking_reminder_hours": 3})
    assert again.status_code == 200
    assert due_at(rehearsal) == START - 3 * HOUR
    advance(rehearsal, START - 2 * HOUR)
    assert len(reminders(rehearsal)) == 2
    assert owner.patch(SETTINGS, {"booking_reminder_hours": 24}).status_code == 200
    assert due_at(rehearsal) is None


def test_a_longer_notice_that_has_passed_keeps_the_reminder_that_was_planned(
    rehearsal: Any, booking: Any, owner: ApiClient
) -> None:
    booking("booking-created", version=1)
    advance(rehearsal, START - 30 * HOUR)
    owner.patch(SETTINGS, {"booking_reminder_hours": 48})
    assert due_at(rehearsal) == START - 24 * HOUR


def test_a_booking_made_while_the_settings_change_ends_up_with_the_new_ones(
    rehearsal: Any, booking: Any, owner: ApiClient
) -> None:
    """The settings' lock orders the two: whoever comes second sees the first."""
    hours = [30, 31, 32, 33]
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(booking, "booking-created", booking_id=str(new_id()), version=1) for _ in range(12)]
        changed = [pool.submit(owner.patch, SETTINGS, {"booking_reminder_hours": value}) for value in hours]
        assert all(future.result().settled for future in made)
        assert {future.result().status_code for future in changed} == {200}
    newest = owner.get(SETTINGS).json["booking_reminder_hours"]
    assert {row.remind_at for row in rehearsal.rows(BookingCopy)} == {START - newest * HOUR}


@pytest.mark.parametrize(
    "body",
    [
        {"booking_reminder_hours": 0},
        {"booking_reminder_hours": 337},
        {"booking_reminder_hours": "soon"},
        {"booking_reminder_hours": None},
        {"booking_reminders": "perhaps"},
        {"reminders": True},
    ],
)
def test_bad_settings_are_refused_and_change_nothing(owner: ApiClient, body: dict[str, Any]) -> None:
    before = owner.get(SETTINGS)
    refused = owner.patch(SETTINGS, body)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"].startswith("/")
    assert owner.get(SETTINGS).json == before.json


def test_settings_are_changed_by_owners_and_admins_with_if_match(
    notifications_app: Any, rehearsal: Any, owner: ApiClient, sign_in: Callable[..., ApiClient]
) -> None:
    desk = sign_in(notifications_app, rehearsal.organization_id, "front_desk")
    etag = desk.get(SETTINGS).headers["ETag"]
    assert desk.patch(SETTINGS, {"booking_reminders": False}).status_code == 403
    assert owner.patch(SETTINGS, {"booking_reminder_hours": 5}, headers={"If-Match": etag}).status_code == 200
    assert owner.patch(SETTINGS, {"booking_reminder_hours": 6}, headers={"If-Match": etag}).status_code == 412
