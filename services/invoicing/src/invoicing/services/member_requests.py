"""What members may do to their own memberships: change the plan, pause, end (PRO-4, PRO-6, PRO-8).

The organisation says which of it. Members keep to the terms: no price of their own, nothing back for what was billed,
minimum term and notice as agreed. Staff is not bound by any of this.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from common.db import TenantSession
from common.errors import ConflictError, FieldError, ForbiddenError, InvalidError
from invoicing.models import Membership
from invoicing.services.membership_changes import (
    ONE_DAY,
    Changed,
    PlanChanged,
    change_plan,
    earliest_end_of,
    end_membership,
    pause_membership,
)
from invoicing.services.memberships import today_of
from invoicing.services.plans import find_plan_for_members
from invoicing.services.settings import billing_settings

MemberChange = Literal["plan_change", "pause", "end"]
MEMBER_CHANGES: tuple[MemberChange, ...] = ("plan_change", "pause", "end")
REASON = "member_request"
_LONGEST_PAUSE = timedelta(days=184)


def open_changes(session: TenantSession, membership: Membership, payers: Collection[UUID]) -> list[str]:
    """What somebody who pays for ``payers`` may do to a membership; in the order of `MEMBER_CHANGES`."""
    over = membership.end_date is not None and membership.end_date < today_of(session, membership)
    if over or membership.payer_id not in payers:
        return []
    allowed = billing_settings(session).member_changes
    return [each for each in MEMBER_CHANGES if each in allowed]


def require_change(
    session: TenantSession, membership: Membership, change: MemberChange, payers: Collection[UUID]
) -> None:
    """Raise ForbiddenError unless somebody who pays for ``payers`` may do this to a membership."""
    if change not in open_changes(session, membership, payers):
        raise ForbiddenError("member_change_off", "please ask the house to change this membership")


def earliest_own_end(session: TenantSession, membership: Membership) -> date:
    """The first last day that members may ask for: after term and notice, and never inside what was billed."""
    earliest = earliest_end_of(session, membership)
    billed = membership.billed_until
    return max(earliest, billed - ONE_DAY) if billed is not None else earliest


def end_own(session: TenantSession, membership: Membership, end_date: date | None) -> Changed:
    """End a locked membership, or take back an end that its member had asked for (None).

    Raises ConflictError ``commitment`` with ``earliest_end``, and ``end_not_yours``.
    """
    if end_date is None:
        if membership.end_date is not None and membership.end_reason != REASON:
            raise ConflictError("end_not_yours", "this end was set by the house; please ask there")
        return end_membership(session, membership, None)
    _require_not_before(end_date, earliest_own_end(session, membership))
    return end_membership(session, membership, end_date, override=True, reason=REASON)


def pause_own(session: TenantSession, membership: Membership, first: date, last: date | None) -> Changed:
    """Pause a locked membership for days that were not billed yet. Raises InvalidError."""
    earliest = max(today_of(session, membership) + ONE_DAY, membership.billed_until or date.min)
    if first < earliest:
        raise _invalid_pause("/from", f"Must be {earliest.isoformat()} or later.")
    if last is None:
        raise _invalid_pause("/to", "Please say when it goes on.")
    if last - first > _LONGEST_PAUSE:
        raise _invalid_pause("/to", "Six months at most.")
    return pause_membership(session, membership, first, last)


def change_own_plan(
    session: TenantSession, membership: Membership, plan_id: UUID, *, preview: bool = False
) -> PlanChanged:
    """Change the plan of a locked membership at its price, without a discount of the old one: dearer ones today, others
    after what was agreed.

    Raises InvalidError for plans that are not sold to members, ConflictError ``commitment`` and ``same_plan``.
    """
    find_plan_for_members(session, plan_id)
    if plan_id == membership.plan_id:
        raise ConflictError("same_plan", "the membership has this plan already")
    # A discount was agreed for one plan: it is the house's to grant it for another, dearer one.
    own_terms: dict[str, Any] = {"plan_id": plan_id, "discount_percent": Decimal(0)}
    planned = change_plan(session, membership, **own_terms, preview=True)
    if planned.timing == "period_end":
        _require_not_before(planned.change.day - ONE_DAY, earliest_end_of(session, membership))
    return planned if preview else change_plan(session, membership, **own_terms)


def _require_not_before(wanted: date, earliest: date) -> None:
    if wanted < earliest:
        told = earliest.isoformat()
        raise ConflictError("commitment", f"the earliest end is {told}", extra={"earliest_end": told})


def _invalid_pause(pointer: str, detail: str) -> InvalidError:
    return InvalidError("invalid_pause", "this pause is not possible", errors=[FieldError(pointer, detail)])
