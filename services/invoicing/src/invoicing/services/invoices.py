"""Invoices after their issue: found, sent, voided, written off; and the messages about what changed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, NotFoundError
from common.jobs import wake_scheduler
from common.messaging import outbox
from common.money import Money
from contracts.invoicing import InvoiceChanged, InvoicePaid, InvoiceVoided
from invoicing.domain.document_states import check_not_locked, check_transition, check_voidable
from invoicing.messages.publishes import invoice_fields
from invoicing.models import AccountCredit, CreditAllocation, Customer, Fee, Invoice, InvoiceLine, Membership
from invoicing.services.customers import lock_customer
from invoicing.services.deposits import hold_deposits
from invoicing.services.dunning_days import invoice_values, next_dunning
from invoicing.services.plan_purchases import give_what_was_paid
from invoicing.services.scheduling import schedule_fee, schedule_membership
from invoicing.services.settings import billing_settings


def find_invoice(session: TenantSession, invoice_id: UUID, *, lock: bool = False) -> Invoice:
    """An invoice by id; ``lock`` takes its payer's lock first. Raises NotFoundError."""
    statement = select(Invoice).where(Invoice.id == invoice_id).execution_options(populate_existing=True)
    invoice = session.scalars(statement).one_or_none()
    if invoice is None:
        raise NotFoundError("invoice_not_found", "there is no such invoice")
    if lock:
        lock_customer(session, invoice.payer_id)
        invoice = session.scalars(statement.with_for_update()).one()
    return invoice


def today_of(session: TenantSession, invoice: Invoice) -> date:
    """The civil date now where the invoice was issued."""
    return local_date(session.now(), invoice.timezone)


def store_balance_change(session: TenantSession, invoice: Invoice, *, was: str, money_failed: bool = False) -> None:
    """After amounts of a locked invoice changed: plan its dunning, count the change, announce it.

    ``was`` is the state before; becoming paid is announced once, by invoice-paid. ``money_failed``: a payment that was
    under way did not arrive, and what waited for it is due now.
    """
    if invoice.state == "paid" and was != "paid":
        invoice.paid_at = session.now()
        give_for_payment(session, invoice)
    elif invoice.state != "paid":
        invoice.paid_at = None
        if was == "paid":
            session.flush()
            hold_deposits(session, [invoice.id])
    plan_dunning(session, invoice)
    if money_failed and invoice.state == "open":
        invoice.dunning_at = session.now()
    invoice.touch()
    session.flush()
    fields = invoice_fields(invoice)
    if invoice.state == "paid" and was != "paid":
        message: InvoiceChanged | InvoicePaid = InvoicePaid(**fields, paid_at=invoice.paid_at or session.now())
    else:
        message = InvoiceChanged(**fields)
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)
    from invoicing.services.standing import refresh_standing

    refresh_standing(session, invoice.payer_id)


def give_for_payment(session: TenantSession, invoice: Invoice) -> None:
    """What a settled invoice leads to: its deposits are held, the plans bought with it give what they give."""
    session.flush()
    hold_deposits(session, [invoice.id])
    give_what_was_paid(session, [line.fee_id for line in invoice.lines if line.fee_id and line.plan_id])


def plan_dunning(session: TenantSession, invoice: Invoice) -> None:
    """Set when a changed invoice next needs attention."""
    customer = session.get_one(Customer, invoice.payer_id)
    invoice.dunning_at = next_dunning(billing_settings(session), customer, invoice_values(invoice), session.now())


def void_invoice(session: TenantSession, invoice: Invoice, reason: str | None = None) -> Invoice:
    """Void a locked invoice that is wholly unpaid; it keeps its number and its sources become billable again (DOC-3).

    Account credit laid on it goes back to where it came from. Raises ConflictError.
    """
    settings = billing_settings(session)
    check_not_locked(invoice.issue_date, settings.lock_date)
    check_newest(session, invoice)
    _give_back_account_credit(session, invoice)
    check_voidable(invoice.state, invoice.balance, Money(invoice.processing_minor, invoice.currency))  # type: ignore[arg-type]
    invoice.state, invoice.voided_at, invoice.void_reason = "void", session.now(), reason
    invoice.send_at = invoice.dunning_at = None
    release_sources(session, invoice)
    invoice.touch()
    session.flush()
    message = InvoiceVoided(**invoice_fields(invoice))
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)
    from invoicing.services.standing import refresh_standing

    refresh_standing(session, invoice.payer_id)
    wake_scheduler(session)
    return invoice


def _give_back_account_credit(session: TenantSession, invoice: Invoice) -> None:
    if invoice.state != "open" or invoice.paid_minor:
        return
    statement = select(CreditAllocation).where(
        CreditAllocation.invoice_id == invoice.id, CreditAllocation.account_credit_id.is_not(None)
    )
    for allocation in session.scalars(statement).all():
        credit = session.get_one(AccountCredit, allocation.account_credit_id, populate_existing=True)
        credit.left_minor += allocation.amount_minor
        invoice.credited_minor -= allocation.amount_minor
        invoice.payable_minor += allocation.amount_minor
        session.delete(allocation)


def check_newest(session: TenantSession, invoice: Invoice) -> None:
    """Raise ConflictError when an invoice bills a membership period that others follow on: without it there would be
    a hole between them that no run fills (BIL-2)."""
    later, line = aliased(InvoiceLine), InvoiceLine
    after = and_(later.kind == "membership", later.period_start > line.period_start)
    of_pause = and_(later.kind == "pause", later.fee_id.in_(select(Fee.id).where(Fee.source_id == line.id)))
    statement = (
        select(Invoice.number)
        .join(later, later.invoice_id == Invoice.id)
        .join(line, or_(and_(later.membership_id == line.membership_id, after), of_pause))
        .where(line.invoice_id == invoice.id, line.kind == "membership", line.released.is_(False))
        .where(later.released.is_(False), later.invoice_id != invoice.id)
        .order_by(later.period_start.desc().nulls_last(), Invoice.number)
    )
    newest = session.execute(statement.limit(1)).first()
    if newest is not None:
        raise ConflictError(
            "not_the_newest_invoice",
            f"{newest.number or 'a draft'} bills the same membership for later days: void that first, or credit "
            "this one",
        )


def release_sources(session: TenantSession, invoice: Invoice) -> None:
    """Make what an invoice billed billable again, not dated before today (a void, a dropped draft)."""
    today = today_of(session, invoice)
    settings = billing_settings(session)
    customer = session.get_one(Customer, invoice.payer_id)
    first_days = _first_days(invoice)
    for line in invoice.lines:
        line.released = True
    session.flush()
    for fee in session.scalars(select(Fee).where(Fee.invoice_id == invoice.id, Fee.status == "invoiced")).all():
        fee.status, fee.invoice_id, fee.created_on = "unbilled", None, today
        schedule_fee(session, settings, customer, fee)
    _drop_pause_fees(session, invoice)
    for membership_id, first_day in first_days.items():
        membership = session.get_one(Membership, membership_id, populate_existing=True, with_for_update=True)
        membership.billed_until = _billed_until(session, membership, first_day)
        membership.earliest_issue = max(membership.earliest_issue, today)
        schedule_membership(session, settings, membership)


def _drop_pause_fees(session: TenantSession, invoice: Invoice) -> None:
    """Fees for days after a pause go with their line: the run bills its period anew, with these days."""
    mine = [line.id for line in invoice.lines if line.membership_id]
    fees = select(Fee).where(Fee.source == "pause", Fee.source_id.in_(mine), Fee.status == "unbilled")
    for fee in session.scalars(fees).all() if mine else ():
        fee.status, fee.issue_on, fee.run_at = "removed", None, None
        fee.touch()


def _first_days(invoice: Invoice) -> dict[UUID, date | None]:
    """The memberships on an invoice, each with the first day that it bills of them."""
    firsts: dict[UUID, date | None] = {}
    for line in invoice.lines:
        if line.membership_id is None:
            continue
        day = line.period_start if line.kind == "membership" and not line.released else None
        known = firsts.get(line.membership_id)
        firsts[line.membership_id] = day if known is None else min(known, day or known)
    return firsts


def _billed_until(session: TenantSession, membership: Membership, first_day: date | None) -> date | None:
    """Back to the ``first_day`` of the lines taken away, which were the newest; None when no other is left.

    The lines that are left do not tell: one may stop at an end that was taken back since, and yet have charged its
    whole period, or answer for fewer days than it was made for.
    """
    others = select(InvoiceLine.id).where(
        InvoiceLine.membership_id == membership.id,
        InvoiceLine.kind == "membership",
        InvoiceLine.released.is_(False),
    )
    if session.scalars(others.limit(1)).first() is None:
        return None
    until = membership.billed_until
    return until if until is None or first_day is None else min(until, first_day)


def write_off(session: TenantSession, invoice: Invoice) -> Invoice:
    """Give a locked open invoice up as uncollectible; a late payment still settles it (DOC-1)."""
    check_transition(invoice.state, "uncollectible")  # type: ignore[arg-type]
    was, invoice.state = invoice.state, "uncollectible"
    store_balance_change(session, invoice, was=was)
    return invoice


def check_issued(invoice: Invoice) -> None:
    """Raise ConflictError for a draft or a void."""
    if invoice.state in ("draft", "void"):
        raise ConflictError("invoice_not_issued", f"this invoice is {invoice.state}")


def check_downloadable(invoice: Invoice) -> None:
    """Raise ConflictError for a draft: it is no document yet."""
    if invoice.state == "draft":
        raise ConflictError("invoice_not_issued", "a draft has no document yet")
