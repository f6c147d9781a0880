"""An organisation's settings: made with their defaults when first needed, changed with the reminders that follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.ids import new_id
from notifications.domain.reminders import DEFAULT_HOURS
from notifications.models import BookingCopy, NotificationSettings


def notification_settings(session: TenantSession) -> NotificationSettings:
    """The organisation's settings; two first readers at once make one row."""
    return _found(session, select(NotificationSettings))


def settings_to_change(session: TenantSession) -> NotificationSettings:
    """The settings, locked until the transaction ends."""
    return _found(session, select(NotificationSettings).with_for_update())


def reminder_hours(session: TenantSession) -> int | None:
    """How long before a booking its people are reminded; None when they are not.

    The settings stay as they are until the transaction ends: a change waits, and finds the bookings written by then.
    """
    return _found(session, select(NotificationSettings).with_for_update(read=True, key_share=True)).reminder_hours


def _found(session: TenantSession, statement: Select[Any]) -> NotificationSettings:
    fresh = statement.execution_options(populate_existing=True)
    found: NotificationSettings | None = session.scalars(fresh).one_or_none()
    if found is not None:
        return found
    _make(session)
    made: NotificationSettings = session.scalars(fresh).one()
    return made


def _make(session: TenantSession) -> None:
    defaults = {"booking_reminders": True, "booking_reminder_hours": DEFAULT_HOURS, "version": 1}
    values = {"id": new_id(), "organization_id": session.organization_id, **defaults}
    session.execute(insert(NotificationSettings).values(values).on_conflict_do_nothing())


def change_settings(session: TenantSession, settings: NotificationSettings, **values: bool | int) -> None:
    """Change locked settings, and plan the reminders of the bookings to come anew."""
    before = settings.reminder_hours
    for name, value in values.items():
        setattr(settings, name, value)
    settings.touch()
    session.flush()
    if settings.reminder_hours != before:
        _plan_reminders(session, settings.reminder_hours)


def _plan_reminders(session: TenantSession, hours: int | None) -> None:
    """Move the reminders that have not come; one that would lie in the past by now stays where it was."""
    statement = update(BookingCopy).execution_options(synchronize_session=False)
    if hours is None:
        session.execute(statement.where(BookingCopy.remind_at.is_not(None)).values(remind_at=None))
        return
    now, instant = session.now(), BookingCopy.starts_at - timedelta(hours=hours)
    to_come = or_(BookingCopy.remind_at.is_(None), BookingCopy.remind_at > now)
    session.execute(
        statement.where(BookingCopy.status == "confirmed", BookingCopy.starts_at > now, to_come).values(
            remind_at=case((instant > now, instant), else_=BookingCopy.remind_at)
        )
    )
