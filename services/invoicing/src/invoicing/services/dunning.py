"""Reminders, overdue invoices, late fees and the end of memberships, each at its stored instant (PAY-8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select

from common.clock import local_date, start_of_day
from common.db import Database, TenantSession
from common.errors import DomainError
from common.ids import new_id
from common.messaging import outbox
from contracts.invoicing import InvoiceOverdue, InvoiceReminderDue
from invoicing.domain.dunning import late_fee, late_fees_owed, reminder_due
from invoicing.messages.publishes import invoice_fields
from invoicing.models import BillingSettings, Customer, Fee, Invoice, Membership
from invoicing.services.dunning_days import dunning_steps, invoice_values, next_dunning
from invoicing.services.fees import store_fee
from invoicing.services.invoices import find_invoice
from invoicing.services.membership_changes import end_membership
from invoicing.services.settings import billing_settings
from invoicing.services.standing import refresh_standing
from invoicing.services.wording import say

BATCH = 50

logger = structlog.get_logger(__name__)


def work_on_due_invoices(database: Database, organization_id: UUID) -> None:
    """Do what is due of every unpaid invoice, in the order of time."""
    while _batch(database, organization_id):
        pass


def _batch(database: Database, organization_id: UUID) -> int:
    with database.session(organization_id) as session:
        now = session.now()
        statement = select(Invoice.id).where(Invoice.dunning_at <= now).order_by(Invoice.dunning_at, Invoice.id)
        ids = session.scalars(statement.limit(BATCH)).all()
        for invoice_id in ids:
            invoice = find_invoice(session, invoice_id, lock=True)
            if invoice.dunning_at is not None and invoice.dunning_at <= now:
                attend_to(session, invoice, now)
            session.commit()
        return len(ids)


def attend_to(session: TenantSession, invoice: Invoice, now: datetime) -> None:
    """Remind, announce, charge, end: what a locked unpaid invoice has due by ``now``; then plan its next step."""
    settings = billing_settings(session)
    customer = session.get_one(Customer, invoice.payer_id)
    done = True
    # A refund without a credit note was somebody's decision: nobody is reminded of it.
    if invoice.state == "open" and invoice.payable_minor and invoice.payment_state != "refunded":
        _remind(session, settings, customer, invoice, now)
        _announce_overdue(session, invoice, now)
        # What costs the customer something waits for money on its way; should it fail, this is looked at again.
        if customer.reminders and invoice.payment_state != "processing":
            _charge_late_fees(session, settings, customer, invoice, now)
            done = _end_memberships(session, settings, customer, invoice, now)
    invoice.dunning_at = next_dunning(settings, customer, invoice_values(invoice), now)
    if not done:
        tomorrow = start_of_day(local_date(now, invoice.timezone) + timedelta(days=1), invoice.timezone)
        invoice.dunning_at = min(tomorrow, invoice.dunning_at or tomorrow)
    session.flush()
    refresh_standing(session, customer.id)


def _remind(
    session: TenantSession, settings: BillingSettings, customer: Customer, invoice: Invoice, now: datetime
) -> None:
    """Send the latest reminder that has come; not while money is on its way."""
    steps = dunning_steps(
        settings,
        invoice.due_date,
        invoice.timezone,
        reminders=customer.reminders,
        collect=invoice.collect or invoice.collect_now,
    )
    # The hour counts as well as the day: before it, today's reminder is not due yet.
    come = [day for at, kind, day in steps if kind == "reminder" and at <= now]
    today = local_date(now, invoice.timezone)
    day = reminder_due(invoice.due_date, today, invoice.reminded, come) if come else None
    if day is None:
        return
    invoice.reminded = [*invoice.reminded, day]
    if invoice.payment_state == "processing":
        return
    invoice.touch()
    session.flush()
    message = InvoiceReminderDue(**invoice_fields(invoice), day=day)
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)


def _announce_overdue(session: TenantSession, invoice: Invoice, now: datetime) -> None:
    days = (local_date(now, invoice.timezone) - invoice.due_date).days
    if days <= 0 or invoice.overdue_announced:
        return
    invoice.overdue_announced = True
    invoice.touch()
    session.flush()
    message = InvoiceOverdue(**invoice_fields(invoice), days_overdue=days)
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)


def _charge_late_fees(
    session: TenantSession, settings: BillingSettings, customer: Customer, invoice: Invoice, now: datetime
) -> None:
    """A late fee is a new fee on the next run, never a line on the old invoice."""
    policy = settings.late_fee_policy
    if policy is None:
        return
    today = local_date(now, invoice.timezone)
    owed = late_fees_owed(policy, invoice.due_date, today)
    amount = late_fee(policy, invoice.payable)
    for part in range(invoice.late_fees + 1, owed + 1 if amount else 0):
        fee = Fee(
            id=new_id(),
            payer_id=customer.id,
            member_id=invoice.member_id,
            company_id=invoice.company_id,
            location_id=invoice.location_id,
            source="late_fee",
            source_id=invoice.id,
            part=part,
            name=say(invoice.language, "late_fee", invoice.number or ""),
            currency=amount.currency,
            price_minor=amount.amount_minor,
            dated=today,
            created_on=today,
            status="unbilled",
            created_at=now,
        )
        session.add(fee)
        session.flush()
        store_fee(session, settings, customer, fee)
    invoice.late_fees = max(invoice.late_fees, owed)


def _end_memberships(
    session: TenantSession, settings: BillingSettings, customer: Customer, invoice: Invoice, now: datetime
) -> bool:
    """What the customer pays for ends today, once for an invoice: who lets them stay is not overruled.

    False when something forbids it for now (a period on a draft): then nothing ends.
    """
    after_days, today = settings.end_memberships_after_days, local_date(now, invoice.timezone)
    if after_days is None or (today - invoice.due_date).days < after_days or invoice.memberships_ended:
        return True
    try:
        with session.begin_nested():
            _end_all(session, customer, today)
    except DomainError as error:
        logger.warning("memberships_not_ended", customer=str(customer.id), invoice=str(invoice.id), code=error.code)
        return False
    invoice.memberships_ended = True
    return True


def _end_all(session: TenantSession, customer: Customer, today: date) -> None:
    statement = select(Membership).where(
        Membership.payer_id == customer.id, or_(Membership.end_date.is_(None), Membership.end_date > today)
    )
    for membership in session.scalars(statement.order_by(Membership.id).with_for_update()).all():
        end_membership(session, membership, today, override=True, reason="arrears")
