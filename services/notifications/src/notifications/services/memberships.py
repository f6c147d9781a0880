"""A membership's beginning and end, told when they really come about and not at every change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from contracts.invoicing import MembershipChanged
from notifications.mail.links import LINKS
from notifications.models import MembershipCopy
from notifications.services.notifying import Notice, notify
from notifications.services.recipients import person_recipient

_STARTED = {"active", "paused"}


def watch_membership(session: TenantSession, message: MembershipChanged) -> None:
    """Tell of the start once, and of each last day that was not there from the beginning.

    What counts is the first known state against the newest, so that the order of arrival does not matter.
    """
    known = _remember(session, message)
    if message.status in _STARTED:
        _tell(session, message, "membership-started", "started")
    if known.end_date is not None and known.end_date != known.first_end_date:
        _tell(session, message, "membership-ending", f"ending:{known.end_date}", end_date=known.end_date)


def _remember(session: TenantSession, message: MembershipChanged) -> MembershipCopy:
    fresh = {
        "id": message.membership_id,
        "organization_id": session.organization_id,
        "status": message.status,
        "end_date": message.end_date,
        "first_end_date": message.end_date,
        "first_version": message.version,
        "version": message.version,
    }
    session.execute(insert(MembershipCopy).values(fresh).on_conflict_do_nothing())
    statement = select(MembershipCopy).where(MembershipCopy.id == message.membership_id).with_for_update()
    known = session.scalars(statement.execution_options(populate_existing=True)).one()
    if message.version > known.version:
        known.status, known.end_date, known.version = message.status, message.end_date, message.version
    elif message.version < known.first_version:
        known.first_end_date, known.first_version = message.end_date, message.version
    session.flush()
    return known


def _tell(session: TenantSession, message: MembershipChanged, template: str, event: str, **newer: Any) -> None:
    notify(
        session,
        Notice(
            template=template,
            source=f"membership:{message.membership_id}:{event}",
            recipient=person_recipient(session, message.member_id, message.company_id),
            data={"membership": _data(message) | newer, "link": LINKS.membership(session.organization)},
        ),
    )


def _data(message: MembershipChanged) -> dict[str, Any]:
    return {
        "plan": message.plan_name,
        "start_date": message.start_date,
        "end_date": message.end_date,
        "price": message.price,
    }
