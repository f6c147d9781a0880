"""When things are to be invoiced: the planned date and the instant of a membership or fee, stored with it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from common.clock import start_of_day
from common.db import TenantSession
from common.money import Money
from invoicing.domain.membership_lines import MembershipTerms, next_issue_date
from invoicing.domain.periods import Anchor, choose_anchor
from invoicing.domain.run_days import item_issue_date
from invoicing.models import BillingSettings, Customer, Fee, Membership
from invoicing.services.customers import zone_of

_LONG_AGO = date(2000, 1, 31)


def membership_terms(membership: Any, generate_days_before: int) -> MembershipTerms:
    """The domain's view of a membership row (`Membership` or a row with the same columns)."""
    currency = membership.currency
    setup_fee, deposit = membership.setup_fee_minor, membership.deposit_minor
    return MembershipTerms(
        price=Money(membership.price_minor, currency),
        anchor=Anchor(membership.anchor_date, membership.interval, membership.interval_count),
        start_date=membership.start_date,
        earliest_issue=membership.earliest_issue,
        end_date=membership.end_date,
        quantity=membership.quantity,
        discount_percent=membership.discount_percent,
        prorate=membership.prorate,
        pauses=membership.pause_list if membership.pauses else (),
        trial_days=membership.trial_days,
        setup_fee=Money(setup_fee, currency) if setup_fee else None,
        deposit=Money(deposit, currency) if deposit else None,
        billed_until=membership.billed_until,
        generate_days_before=generate_days_before,
    )


def schedule_membership(session: TenantSession, settings: BillingSettings, membership: Membership) -> None:
    """Set the planned date and instant of a membership's next invoice; nothing for one that never ran a day."""
    membership.issue_on = None
    if membership.end_date is None or membership.end_date >= membership.start_date:
        membership.issue_on = next_issue_date(membership_terms(membership, settings.generate_days_before))
    membership.run_at = _instant(membership.issue_on, zone_of(session, membership.location_id))


def schedule_fee(session: TenantSession, settings: BillingSettings, customer: Customer, fee: Fee) -> None:
    """Set the planned date and instant of an unbilled fee (BIL-1); a fee that will not be billed has none."""
    fee.issue_on = None
    if fee.status == "unbilled":
        fee.issue_on = item_issue_date(
            usage_anchor(session, settings, customer),
            dated=fee.dated,
            created_on=fee.created_on,
            in_advance=fee.bill_in_advance,
            generate_days_before=settings.generate_days_before,
        )
    fee.run_at = _instant(fee.issue_on, zone_of(session, fee.location_id or customer.location_id))


def _instant(day: date | None, zone: str) -> Any:
    return None if day is None else start_of_day(day, zone)


def usage_anchor(session: TenantSession, settings: BillingSettings, customer: Customer) -> Anchor:
    """The monthly rhythm of a customer's usage: their own day, else that of their oldest monthly membership when the
    organisation bills from the membership's start, else the first of the month (BIL-1)."""
    if customer.billing_day is None and settings.period_start == "membership_start":
        oldest = _oldest_monthly_membership(session, customer.id)
        if oldest is not None:
            return oldest.anchor
    return choose_anchor(_LONG_AGO, "month", period_start="first_of_month", billing_day=customer.billing_day)


def _oldest_monthly_membership(session: TenantSession, payer_id: UUID) -> Membership | None:
    return session.scalars(
        select(Membership)
        .where(
            Membership.payer_id == payer_id,
            Membership.interval == "month",
            Membership.interval_count == 1,
            or_(Membership.end_date.is_(None), Membership.issue_on.is_not(None)),
        )
        .order_by(Membership.start_date, Membership.id)
        .limit(1)
    ).first()


def reschedule_customer(session: TenantSession, settings: BillingSettings, customer: Customer) -> None:
    """Plan a locked customer's unbilled items anew, after their billing day or the settings changed."""
    memberships = session.scalars(select(Membership).where(Membership.payer_id == customer.id)).all()
    for membership in memberships:
        if membership.billed_until is None and membership.interval != "week":
            membership.anchor_date = choose_anchor(
                membership_terms(membership, 0).charged_from,
                membership.interval,  # type: ignore[arg-type]
                membership.interval_count,
                period_start=settings.period_start,  # type: ignore[arg-type]
                billing_day=customer.billing_day,
            ).start
        schedule_membership(session, settings, membership)
    for fee in session.scalars(select(Fee).where(Fee.payer_id == customer.id, Fee.status == "unbilled")):
        schedule_fee(session, settings, customer, fee)
    session.flush()


def reschedule_everything(session: TenantSession, settings: BillingSettings) -> None:
    """Plan all unbilled items of the organisation anew."""
    waiting = select(Membership.payer_id).where(Membership.issue_on.is_not(None))
    with_fees = select(Fee.payer_id).where(Fee.status == "unbilled")
    statement = select(Customer).where(or_(Customer.id.in_(waiting), Customer.id.in_(with_fees)))
    for customer in session.scalars(statement.order_by(Customer.id).with_for_update()).all():
        reschedule_customer(session, settings, customer)
