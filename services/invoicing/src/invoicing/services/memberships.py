"""Memberships: made, changed, shown."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.jobs import wake_scheduler
from common.messaging import outbox
from common.money import Money
from invoicing.domain.document_states import check_not_locked
from invoicing.domain.periods import choose_anchor
from invoicing.messages.publishes import membership_changed
from invoicing.models import BillingSettings, Customer, Membership, Plan
from invoicing.services.currency import check_currency
from invoicing.services.customers import known_location, lock_customer, resolve_payer, zone_of
from invoicing.services.plans import recurring_plan
from invoicing.services.promo_codes import redeem
from invoicing.services.scheduling import schedule_membership
from invoicing.services.settings import billing_settings

MAX_YEARS_AWAY = 5


def create_membership(
    session: TenantSession,
    *,
    plan_id: UUID,
    start_date: date,
    member_id: UUID | None = None,
    company_id: UUID | None = None,
    location_id: UUID | None = None,
    promo_code: str | None = None,
    replaces: Membership | None = None,
    **values: Any,
) -> Membership:
    """Give a customer a plan from ``start_date``. ``values`` override the plan's terms (price, quantity, trial …).

    The anchor is chosen now and stored (BIL-2). Raises InvalidError for what does not fit together.
    """
    payer = resolve_payer(session, member_id, company_id, is_personal=bool(values.get("is_personal")))
    settings = billing_settings(session)
    membership = draft_membership(
        session,
        settings,
        payer.customer,
        plan_id=plan_id,
        start_date=start_date,
        location_id=location_id,
        member_id=payer.member_id,
        company_id=payer.company_id,
        **values,
    )
    check_not_locked(membership.earliest_issue, settings.lock_date)
    membership.replaces_id = replaces.id if replaces else None
    session.add(membership)
    session.flush()
    if promo_code is not None:
        code = redeem(
            session,
            promo_code,
            payer.customer.id,
            membership.id,
            plan_id=plan_id,
            location_id=membership.location_id,
        )
        membership.discount_percent = _discounted(membership.discount_percent, code.percent)
        membership.promo_code_id = code.id
    schedule_membership(session, settings, membership)
    session.flush()
    announce_membership(session, membership)
    return membership


def _discounted(percent: Decimal, code_percent: Decimal | None) -> Decimal:
    """Two percentages one after the other: 10 and then 50 are 55."""
    if code_percent is None:
        raise InvalidError("promo_code_not_applicable", "a membership takes promo codes with a percentage only")
    return 100 - (100 - percent) * (100 - code_percent) / 100


def draft_membership(
    session: TenantSession,
    settings: BillingSettings,
    customer: Customer,
    *,
    plan_id: UUID,
    start_date: date,
    location_id: UUID | None = None,
    member_id: UUID | None = None,
    company_id: UUID | None = None,
    price: Money | None = None,
    setup_fee: Money | None = None,
    deposit: Money | None = None,
    **values: Any,
) -> Membership:
    """A membership that is not stored: what a plan would mean for a customer (also for previews)."""
    plan = recurring_plan(session, plan_id)
    known_location(session, location_id)
    location_id = location_id or customer.location_id
    today = local_date(session.now(), zone_of(session, location_id))
    _check_start(start_date, today)
    for amount in (price, setup_fee, deposit):
        check_currency(session, amount)
    terms = _terms_of_plan(plan) | {name: value for name, value in values.items() if value is not None}
    _check_end(start_date, terms.get("end_date"))
    first_day = start_date + timedelta(days=terms["trial_days"])
    anchor = choose_anchor(
        first_day,
        plan.interval,  # type: ignore[arg-type]
        plan.interval_count,
        period_start=settings.period_start,  # type: ignore[arg-type]
        billing_day=customer.billing_day,
    )
    if price is not None:
        terms["price_minor"] = price.amount_minor
    if setup_fee is not None:
        terms["setup_fee_minor"] = setup_fee.amount_minor
    if deposit is not None:
        terms["deposit_minor"] = deposit.amount_minor
    return Membership(
        plan_id=plan.id,
        plan_name=plan.name,
        payer_id=customer.id,
        member_id=member_id,
        company_id=company_id,
        location_id=location_id,
        start_date=start_date,
        currency=plan.currency,
        anchor_date=anchor.start,
        interval=plan.interval,
        interval_count=plan.interval_count,
        earliest_issue=today,
        pauses=[],
        billed_until=None,
        created_at=session.now(),
        **terms,
    )


_FROM_PLAN = (
    "price_minor",
    "prorate",
    "trial_days",
    "setup_fee_minor",
    "deposit_minor",
    "minimum_term_months",
    "notice_days",
    "credits_hours",
    "credits_carry_over_cap",
    "passes",
    "resource_discount_percent",
    "tax_percent",
    "tax_category",
    "prices_include_tax",
    "revenue_account",
)


def _terms_of_plan(plan: Plan) -> dict[str, Any]:
    terms: dict[str, Any] = {name: getattr(plan, name) for name in _FROM_PLAN}
    terms["listed_taxes"] = plan.taxes
    return {**terms, "quantity": Decimal(1), "discount_percent": Decimal(0), "is_personal": False, "end_date": None}


def _check_start(start_date: date, today: date) -> None:
    if abs(start_date.year - today.year) > MAX_YEARS_AWAY:
        raise InvalidError(
            "invalid_start_date",
            "this start is too far away",
            errors=[FieldError("/start_date", f"Must be within {MAX_YEARS_AWAY} years.")],
        )


def _check_end(start_date: date, end_date: date | None) -> None:
    if end_date is not None and end_date < start_date:
        raise InvalidError(
            "invalid_end_date",
            "a membership cannot end before it starts",
            errors=[FieldError("/end_date", "Must not be before start_date.")],
        )


def find_membership(session: TenantSession, membership_id: UUID, *, lock: bool = False) -> Membership:
    """A membership by id; ``lock`` takes its payer's lock first. Raises NotFoundError."""
    statement = select(Membership).where(Membership.id == membership_id)
    membership = session.scalars(statement).one_or_none()
    if membership is None:
        raise NotFoundError("membership_not_found", "there is no such membership")
    if lock:
        lock_customer(session, membership.payer_id)
        membership = session.scalars(statement.with_for_update()).one()
    return membership


def today_of(session: TenantSession, membership: Membership) -> date:
    """The civil date now at the membership's location."""
    return local_date(session.now(), zone_of(session, membership.location_id))


def status_of(membership: Membership, today: date) -> str:
    """upcoming, trial, active, paused, ended or cancelled (it never ran a day)."""
    if membership.end_date is not None and membership.end_date < membership.start_date:
        return "cancelled"
    if membership.end_date is not None and membership.end_date < today:
        return "ended"
    if today < membership.start_date:
        return "upcoming"
    paused = any(p.first_day <= today and (p.last_day is None or today <= p.last_day) for p in membership.pause_list)
    if paused:
        return "paused"
    return "trial" if today < membership.start_date + timedelta(days=membership.trial_days) else "active"


_UNBILLED_ONLY = {"start_date", "trial_days", "setup_fee_minor", "deposit_minor"}


def change_membership(session: TenantSession, membership: Membership, **values: Any) -> Membership:
    """Change the terms of a locked membership from its next period on.

    A membership that was billed keeps its start date, trial, setup fee and deposit (BIL-7); an end date goes through
    `membership_changes.end_membership`. Raises ConflictError for what is settled.
    """
    settings = billing_settings(session)
    for name in ("price", "setup_fee", "deposit"):
        if name in values:
            amount = values.pop(name)
            check_currency(session, amount)
            values[f"{name}_minor"] = amount.amount_minor if amount is not None else None
    if membership.billed_until is not None and _UNBILLED_ONLY & values.keys():
        raise ConflictError("already_billed", "a membership that was billed keeps its start date and trial (BIL-7)")
    if "location_id" in values:
        known_location(session, values["location_id"])
    if "start_date" in values:
        _check_start(values["start_date"], today_of(session, membership))
    is_moved = values.get("is_personal", membership.is_personal) != membership.is_personal
    for name, value in values.items():
        setattr(membership, name, value)
    if is_moved:
        _move_to_payer(session, membership)
    _check_end(membership.start_date, membership.end_date)
    if _UNBILLED_ONLY & values.keys():
        move_anchor(session, settings, membership)
    membership.earliest_issue = max(membership.earliest_issue, today_of(session, membership))
    store_change(session, settings, membership)
    return membership


def _move_to_payer(session: TenantSession, membership: Membership) -> None:
    """Who pays from the next period on, after a membership became personal or its company's; what was billed stays."""
    payer = resolve_payer(session, membership.member_id, membership.company_id, is_personal=membership.is_personal)
    membership.payer_id, membership.company_id = payer.customer.id, payer.company_id


def move_anchor(session: TenantSession, settings: BillingSettings, membership: Membership) -> None:
    """Choose the anchor anew, from the first day that is charged (BIL-1, PRO-7)."""
    customer = session.get_one(Customer, membership.payer_id)
    membership.anchor_date = choose_anchor(
        membership.start_date + timedelta(days=membership.trial_days),
        membership.interval,  # type: ignore[arg-type]
        membership.interval_count,
        period_start=settings.period_start,  # type: ignore[arg-type]
        billing_day=customer.billing_day,
    ).start


def store_change(session: TenantSession, settings: BillingSettings, membership: Membership) -> None:
    """Plan a changed membership anew, count the change and announce it."""
    schedule_membership(session, settings, membership)
    membership.touch()
    session.flush()
    announce_membership(session, membership)


def announce_membership(session: TenantSession, membership: Membership) -> None:
    """Tell the others about a membership, and the scheduler that there may be work."""
    status = status_of(membership, today_of(session, membership))
    outbox.add(
        session,
        membership_changed(membership, status),
        aggregate_id=membership.id,
        aggregate_version=membership.version,
    )
    wake_scheduler(session)
