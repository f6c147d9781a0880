"""The status of memberships as a question to the database, so that lists can be filtered by it and still be paged."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, and_, case, cast, exists, false, func, literal, not_, or_, select

from common.clock import local_date
from common.db import TenantSession
from invoicing.models import Location, Membership


def has_status(session: TenantSession, status: str) -> ColumnElement[bool]:
    """As `memberships.status_of` with today at each membership's location; nothing has a status that is unknown."""
    today = _today(session)
    cancelled = Membership.end_date < Membership.start_date
    ended = and_(not_(_is(cancelled)), Membership.end_date < today)
    begun = and_(not_(_is(cancelled)), not_(_is(ended)), Membership.start_date <= today)
    paused = and_(begun, is_paused(today))
    trial = Membership.start_date + cast(Membership.trial_days, Integer) > today
    conditions = {
        "cancelled": cancelled,
        "ended": ended,
        "upcoming": and_(not_(_is(cancelled)), not_(_is(ended)), Membership.start_date > today),
        "paused": paused,
        "trial": and_(begun, not_(paused), trial),
        "active": and_(begun, not_(paused), not_(trial)),
    }
    return conditions.get(status, false())


def is_over(session: TenantSession) -> ColumnElement[bool]:
    """Ended, or cancelled before it began."""
    return or_(_is(has_status(session, "ended")), _is(has_status(session, "cancelled")))


def _is(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Without an end date a comparison with it is neither true nor false: here it is false."""
    return func.coalesce(condition, false())


def _today(session: TenantSession) -> ColumnElement[date]:
    """The civil date at a membership's location."""
    now, here = session.now(), session.organization.timezone
    zones = session.execute(select(Location.id, Location.timezone)).all()
    usual = local_date(now, here)
    others = {row.id: day for row in zones if (day := local_date(now, row.timezone)) != usual}
    default: ColumnElement[date] = literal(usual, Date)
    if not others:
        return default
    days: Any = {key: literal(day, Date) for key, day in others.items()}
    here_today: ColumnElement[date] = case(days, value=Membership.location_id, else_=default)
    return here_today


def is_paused(today: ColumnElement[date] | date) -> ColumnElement[bool]:
    """Whether a day lies in one of a membership's pauses."""
    pause = func.jsonb_array_elements(Membership.pauses).column_valued("pause")
    first, last = cast(pause.op("->>")("from"), Date), cast(pause.op("->>")("to"), Date)
    return exists(select(pause).where(first <= today, or_(last.is_(None), last >= today)))
