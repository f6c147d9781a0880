"""Ending, pausing and changing memberships, with the credit notes that follow from it (BIL-7, PRO-4, PRO-6, PRO-8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError
from common.money import Money
from invoicing.domain.membership_lines import BillableLine
from invoicing.domain.plan_changes import ChangeTiming, PlanChange, change_day, default_timing, plan_change
from invoicing.domain.proration import Commitment, Settlement, earliest_end
from invoicing.models import CreditNote, Membership
from invoicing.services.memberships import announce_membership, store_change, today_of
from invoicing.services.promo_codes import give_back_uses
from invoicing.services.scheduling import membership_terms, schedule_membership
from invoicing.services.settings import billing_settings
from invoicing.services.settlements import billed_lines, left_out, settle_membership
from invoicing.services.successors import begin_on, check_not_followed, draft_successor

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Changed:
    """A membership after a change, with the credit notes made for what was billed too far."""

    membership: Membership
    credit_notes: list[CreditNote]


def earliest_end_of(session: TenantSession, membership: Membership) -> date:
    """The first last day that minimum term and notice allow, when asked for today (PRO-8)."""
    commitment = Commitment(membership.minimum_term_months, membership.notice_days)
    today = today_of(session, membership)
    return earliest_end(membership.start_date, commitment, requested_on=today, anchor=membership.anchor)


def end_membership(
    session: TenantSession,
    membership: Membership,
    end_date: date | None,
    *,
    override: bool = False,
    reason: str | None = None,
) -> Changed:
    """Set the last day of a locked membership; None takes an end back. Before the start it is cancelled.

    Days billed beyond it are credited if the plan prorates (BIL-7). Raises ConflictError when minimum term or notice
    bind (PRO-8) and staff does not ``override``, or when it would run on beside the membership that replaced it.
    """
    binding = membership.minimum_term_months or membership.notice_days
    if end_date is not None and binding and not override:
        earliest = earliest_end_of(session, membership)
        if end_date < earliest:
            raise ConflictError(
                "commitment",
                f"the earliest end is {earliest.isoformat()}",
                extra={"earliest_end": earliest.isoformat()},
            )
    if end_date is not None:
        end_date = max(end_date, membership.start_date - ONE_DAY)
    check_not_followed(session, membership, end_date)
    membership.end_date, membership.end_reason = end_date, reason
    if end_date is not None and end_date < membership.start_date and membership.promo_code_id is not None:
        give_back_uses(session, [membership.id])
    notes = settle_membership(session, membership, "membership ended")
    if end_date is not None and membership.prorate and membership.billed_until is not None:
        membership.billed_until = min(membership.billed_until, end_date + ONE_DAY)
    return _stored(session, membership, notes)


def pause_membership(session: TenantSession, membership: Membership, first: date, last: date | None) -> Changed:
    """Pause a locked membership from ``first`` to ``last`` (included; None: until it is resumed). Days that were
    billed already are credited if the plan prorates (PRO-6)."""
    if last is not None and last < first:
        raise InvalidError(
            "invalid_pause",
            "a pause cannot end before it begins",
            errors=[FieldError("/to", "Must not be before from.")],
        )
    if first < membership.start_date or (membership.end_date is not None and first > membership.end_date):
        raise InvalidError("invalid_pause", "the membership does not run then")
    pause = {"from": first.isoformat(), "to": last.isoformat() if last else None}
    membership.pauses = [*membership.pauses, pause]
    return _stored(session, membership, settle_membership(session, membership, "membership paused"))


def resume_membership(session: TenantSession, membership: Membership, day: date) -> Changed:
    """End the pauses of a locked membership so that ``day`` is charged again.

    Days that were billed with the pause taken off are charged by a fee on the next run (PRO-6). Raises ConflictError
    for days whose whole period was left out while later ones are billed: no line can bill them any more.
    """
    kept = []
    for pause in membership.pauses:
        if date.fromisoformat(pause["from"]) >= day:
            continue
        open_end = pause["to"] is None or date.fromisoformat(pause["to"]) >= day
        kept.append({**pause, "to": (day - ONE_DAY).isoformat()} if open_end else pause)
    if kept == membership.pauses:
        raise ConflictError("not_paused", "there is no pause on or after that day")
    _check_not_left_out(session, membership, day)
    membership.pauses = kept
    return _stored(session, membership, settle_membership(session, membership, "membership resumed"))


def _check_not_left_out(session: TenantSession, membership: Membership, day: date) -> None:
    gap = left_out(billed_lines(session, membership), membership, day)
    if gap is not None:
        last = gap.end - ONE_DAY
        raise ConflictError(
            "pause_left_out",
            f"{day.isoformat()} to {last.isoformat()} were left out for the pause, and later days are billed: resume "
            f"from {gap.end.isoformat()} on, and charge the days before as a fee",
            extra={"resume_from": gap.end.isoformat()},
        )


def _stored(session: TenantSession, membership: Membership, notes: list[CreditNote]) -> Changed:
    membership.earliest_issue = max(membership.earliest_issue, today_of(session, membership))
    store_change(session, billing_settings(session), membership)
    return Changed(membership, notes)


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """A plan change, planned or done; ``membership`` is the new one (not stored in a preview)."""

    change: PlanChange
    timing: ChangeTiming
    membership: Membership
    old: Membership
    credit_notes: list[CreditNote]


def change_plan(
    session: TenantSession,
    membership: Membership,
    *,
    plan_id: UUID,
    day: date | None = None,
    timing: ChangeTiming | None = None,
    price: Money | None = None,
    quantity: Decimal | None = None,
    discount_percent: Decimal | None = None,
    preview: bool = False,
) -> PlanChanged:
    """Give a locked membership another plan from ``day`` on, which belongs to the new plan (PRO-4).

    Without a day: upgrades today, downgrades at the end of the period, unless ``timing`` says otherwise. The old
    membership ends the day before, and its unused rest is credited. Quantity and discount go on unless others are
    given, a price of its own does not (`successors`). A preview changes nothing.
    """
    settings = billing_settings(session)
    today = today_of(session, membership)
    if membership.end_date is not None and membership.end_date < max(today, membership.start_date):
        raise ConflictError("membership_ended", "this membership has ended")
    new = draft_successor(
        session, settings, membership, plan_id, price=price, quantity=quantity, discount_percent=discount_percent
    )
    old_terms = membership_terms(membership, settings.generate_days_before)
    timing = timing or default_timing(old_terms, membership_terms(new, settings.generate_days_before))
    day = day or change_day(old_terms, timing, today)
    if day < membership.start_date or (membership.end_date is not None and day > membership.end_date):
        raise InvalidError(
            "invalid_change_date",
            "the membership does not run then",
            errors=[FieldError("/date", "Must lie within the membership.")],
        )
    begin_on(session, settings, membership, new, day)
    terms = replace(membership_terms(new, settings.generate_days_before), earliest_issue=max(today, day))
    change = plan_change(
        day,
        billed=[each.period for each in billed_lines(session, membership)],
        old_prorates=membership.prorate,
        new=terms,
        as_of=today,
        pauses=membership.pause_list,
    )
    if preview:
        return PlanChanged(change, timing, new, membership, [])
    ended = end_membership(session, membership, day - ONE_DAY, override=True, reason="plan_change")
    new.replaces_id = membership.id
    session.add(new)
    session.flush()
    schedule_membership(session, settings, new)
    session.flush()
    announce_membership(session, new)
    return PlanChanged(change, timing, new, membership, ended.credit_notes)


def change_lines(changed: PlanChanged) -> list[dict[str, Any]]:
    """The lines of a plan change as shown: credits with negative amounts, then charges."""
    lines = [_credit_line(changed.old, each) for each in changed.change.credits]
    return lines + [_charge_line(changed.membership, each) for each in changed.change.charges]


def _credit_line(old: Membership, settlement: Settlement) -> dict[str, Any]:
    billed = settlement.billed
    return {
        "kind": "credit",
        "description": old.plan_name,
        "period": {"start": billed.period.start, "end": billed.period.end},
        "quantity": billed.quantity,
        "unit_price": billed.unit_price,
        "discount_percent": billed.discount_percent,
        "net": settlement.difference,
        "explain": settlement.explain,
    }


def _charge_line(new: Membership, line: BillableLine) -> dict[str, Any]:
    return {
        "kind": "charge",
        "description": new.plan_name,
        "period": {"start": line.period.start, "end": line.period.end},
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount_percent": line.discount_percent,
        "net": line.amount,
        "explain": line.explain,
    }
