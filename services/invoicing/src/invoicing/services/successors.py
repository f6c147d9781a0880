"""The membership that follows another one after a plan change: what it takes over, and what it forbids (PRO-4).

It keeps holder, place, quantity, an agreed discount, pauses that are still to come and the rest of a trial. Setup fee
and deposit are asked for once: the successor takes them over when the old membership never came to bill them.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import ConflictError
from common.ids import encode_id, new_id
from common.money import Money
from invoicing.domain.discounts import without_share
from invoicing.models import BillingSettings, Customer, Membership, PromoCode
from invoicing.services.memberships import draft_membership, move_anchor, today_of


def draft_successor(
    session: TenantSession,
    settings: BillingSettings,
    old: Membership,
    plan_id: UUID,
    *,
    price: Money | None = None,
    quantity: Decimal | None = None,
    discount_percent: Decimal | None = None,
) -> Membership:
    """A membership that is not stored, with another plan at its own price; `begin_on` says from when."""
    new = draft_membership(
        session,
        settings,
        session.get_one(Customer, old.payer_id),
        plan_id=plan_id,
        start_date=max(old.start_date, today_of(session, old)),
        location_id=old.location_id,
        member_id=old.member_id,
        company_id=old.company_id,
        price=price,
        quantity=quantity or old.quantity,
        discount_percent=discount_percent,
        is_personal=old.is_personal,
        end_date=old.end_date,
        trial_days=0,
    )
    new.id, new.version = new_id(), 1
    new.setup_fee_minor = new.deposit_minor = None
    if discount_percent is None:
        _keep_discount(session, old, new)
    return new


def _keep_discount(session: TenantSession, old: Membership, new: Membership) -> None:
    """What was agreed goes on; the share of a promo code only for the plans that the code is for."""
    new.discount_percent, new.promo_code_id = old.discount_percent, old.promo_code_id
    code = session.get(PromoCode, old.promo_code_id) if old.promo_code_id else None
    listed = code.scope.get("plan_ids") if code is not None else None
    if code is not None and listed and str(new.plan_id) not in listed:
        new.discount_percent = without_share(old.discount_percent, code.percent or Decimal(0))
        new.promo_code_id = None


def begin_on(
    session: TenantSession, settings: BillingSettings, old: Membership, new: Membership, day: date
) -> Membership:
    """Let a drafted successor begin on ``day``.

    It counts its periods from where the old one did; one with another interval from its own first day, for else a plan
    that does not prorate would charge a whole year for its last weeks.
    """
    new.start_date = day
    charged_from = old.start_date + timedelta(days=old.trial_days)
    if day < charged_from:
        new.trial_days = (charged_from - day).days
    if old.billed_until is None and day <= charged_from:
        new.setup_fee_minor, new.deposit_minor = old.setup_fee_minor, old.deposit_minor
    new.pauses = [_from_on(pause, day) for pause in old.pauses if pause["to"] is None or pause["to"] >= day.isoformat()]
    if (new.interval, new.interval_count) == (old.interval, old.interval_count):
        new.anchor_date = old.anchor_date
    else:
        move_anchor(session, settings, new)
    return new


def _from_on(pause: dict[str, str | None], day: date) -> dict[str, str | None]:
    return {**pause, "from": max(pause["from"] or "", day.isoformat())}


def check_not_followed(session: TenantSession, membership: Membership, end_date: date | None) -> None:
    """Raise ConflictError when a membership would run on beside the one that took its place: both would be billed."""
    for successor in _successors(session, membership):
        if end_date is None or end_date >= successor.start_date:
            shown = encode_id("mbs", successor.id)
            raise ConflictError(
                "membership_replaced",
                f"from {successor.start_date.isoformat()} on {shown} takes its place: end that before it begins first",
                extra={"replaced_by": shown},
            )


def _successors(session: TenantSession, membership: Membership) -> list[Membership]:
    """Those that follow a membership; where one was cancelled, those that follow it in turn."""
    found, ids = [], [membership.id]
    while ids:
        rows = session.scalars(select(Membership).where(Membership.replaces_id.in_(ids)).order_by(Membership.id)).all()
        ids = [row.id for row in rows if row.end_date is not None and row.end_date < row.start_date]
        found += [row for row in rows if row.id not in ids]
    return found
