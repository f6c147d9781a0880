"""Money as payments reports it: copies by version, and an invoice's amounts worked out from all of them (PAY-3).

What is paid is always the sum over the copies, so that messages in any order, and repeated, end in the same state.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from common.clock import local_date
from common.db import TenantSession
from common.ids import new_id
from common.messaging import outbox
from common.money import Money
from contracts.invoicing import RefundRequested
from contracts.payments import PaymentRefunded, PaymentState
from invoicing.domain.allocation import Balance
from invoicing.domain.document_states import payment_state, state_after
from invoicing.models import AccountCredit, CreditAllocation, Customer, Invoice, PaymentCopy, RefundCopy
from invoicing.services.customers import lock_customer
from invoicing.services.invoices import store_balance_change, today_of

ARRIVED = frozenset({"succeeded", "refunded", "partially_refunded"})
UNDER_WAY = frozenset({"pending", "action_required"})


def record_payment(session: TenantSession, message: PaymentState) -> None:
    """Keep the newest state of a payment and work out its invoice anew."""
    if isinstance(message, PaymentRefunded):
        _keep_refund(session, message)
    _keep_payment(session, message)
    if message.invoice_id is not None:
        recompute_invoice(session, message.invoice_id)


def _keep_payment(session: TenantSession, message: PaymentState) -> None:
    values = {
        "id": message.payment_id,
        "organization_id": session.organization_id,
        "version": message.version,
        "invoice_id": message.invoice_id,
        "currency": message.amount.currency,
        "amount_minor": message.amount.amount_minor,
        "refunded_minor": message.refunded.amount_minor,
        "state": message.state,
        "method": message.method,
        "source": message.source,
        "attempt": message.attempt,
        "occurred_at": message.occurred_at,
    }
    statement = insert(PaymentCopy).values(**values)
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: new[name] for name in values if name not in ("id", "organization_id")},
            where=PaymentCopy.version < new.version,
        )
    )


def _keep_refund(session: TenantSession, message: PaymentRefunded) -> None:
    values = {
        "id": message.refund_id,
        "organization_id": session.organization_id,
        "payment_id": message.payment_id,
        "invoice_id": message.invoice_id,
        "credit_note_id": message.credit_note_id,
        "currency": message.refund.currency,
        "amount_minor": message.refund.amount_minor,
        "occurred_at": message.occurred_at,
    }
    session.execute(insert(RefundCopy).values(**values).on_conflict_do_nothing())


def recompute_invoice(session: TenantSession, invoice_id: UUID) -> None:
    """Work out paid, credited and payable of an invoice from its payments, refunds and credits; announce a change.

    An invoice that has not arrived here cannot be: payments learnt of it from us.
    """
    payer_id = session.scalar(select(Invoice.payer_id).where(Invoice.id == invoice_id))
    if payer_id is None:
        return
    lock_customer(session, payer_id)
    invoice = session.scalars(select(Invoice).where(Invoice.id == invoice_id).with_for_update()).one()
    was, before, processing = invoice.state, _amounts(invoice), bool(invoice.processing_minor)
    _apply(session, invoice, _payments(session, invoice_id))
    if (invoice.state, _amounts(invoice)) != (was, before):
        money_failed = processing and not invoice.processing_minor
        store_balance_change(session, invoice, was=was, money_failed=money_failed)


def _amounts(invoice: Invoice) -> tuple[Any, ...]:
    return (
        invoice.payment_state,
        invoice.paid_minor,
        invoice.credited_minor,
        invoice.processing_minor,
        invoice.refunded_minor,
    )


def _payments(session: TenantSession, invoice_id: UUID) -> list[PaymentCopy]:
    statement = select(PaymentCopy).where(PaymentCopy.invoice_id == invoice_id)
    order = statement.order_by(PaymentCopy.occurred_at, PaymentCopy.attempt, PaymentCopy.id)
    return list(session.scalars(order.execution_options(populate_existing=True)))


def _apply(session: TenantSession, invoice: Invoice, payments: list[PaymentCopy]) -> None:
    arrived = sum(p.amount_minor - p.refunded_minor for p in payments if p.state in ARRIVED)
    processing = sum(p.amount_minor for p in payments if p.state in UNDER_WAY)
    refunded = sum(p.refunded_minor for p in payments)
    total = invoice.total_minor if invoice.state != "void" else 0
    credited = min(_credited(session, invoice.id), invoice.total_minor)
    paid = min(max(arrived, 0), max(total - credited, 0))
    if invoice.state == "void" and invoice.collect_now:
        _ask_back(session, invoice, sum(p.amount_minor for p in payments if p.state in ARRIVED), max(arrived, 0))
    else:
        _keep_credit(session, invoice, "overpayment", max(arrived, 0) - paid)
    invoice.paid_minor, invoice.credited_minor = paid, credited
    invoice.payable_minor = invoice.total_minor - paid - credited
    invoice.processing_minor, invoice.refunded_minor = processing, refunded
    balance = Balance(invoice.total, invoice.paid, invoice.credited)
    invoice.state = state_after(invoice.state, balance)  # type: ignore[arg-type]
    invoice.payment_state = payment_state(
        balance,
        processing=Money(processing, invoice.currency),
        refunded=Money(refunded, invoice.currency),
        last_attempt_failed=bool(payments) and payments[-1].state in ("failed", "reversed", "disputed"),
    )


def _credited(session: TenantSession, invoice_id: UUID) -> int:
    """Credit laid on the invoice, and what was given back with a credit note."""
    allocated = select(func.coalesce(func.sum(CreditAllocation.amount_minor), 0)).where(
        CreditAllocation.invoice_id == invoice_id
    )
    given_back = select(func.coalesce(func.sum(RefundCopy.amount_minor), 0)).where(
        RefundCopy.invoice_id == invoice_id, RefundCopy.credit_note_id.is_not(None), RefundCopy.failed.is_(False)
    )
    return int(session.scalar(allocated) or 0) + int(session.scalar(given_back) or 0)


def _ask_back(session: TenantSession, invoice: Invoice, arrived_minor: int, kept_minor: int) -> None:
    """Money for a void invoice that was to be paid at once belongs to whoever paid too late: payments returns it.

    The row of the ledger remembers, with nothing left in it, how much was asked for so far. What could not be returned,
    and is still with us (``kept_minor``), is credit of the customer, and asked for no more.
    """
    asked = _credit_of(session, invoice, "to_refund")
    if asked is None:
        asked = account_credit(session, invoice, "to_refund", invoice.id, 0)
        asked.id = new_id()
        session.add(asked)
    # Of somebody we do not know it stays with payments, whose checklist shows it.
    is_known = session.get_one(Customer, invoice.payer_id).version > 0
    credit_minor = min(_not_returned(session, asked.id), kept_minor) if is_known else 0
    _keep_credit(session, invoice, "refund_failed", credit_minor)
    wanted, known = arrived_minor - credit_minor, asked.amount_minor
    asked.amount_minor = wanted
    if wanted <= known:
        return
    invoice.touch()
    session.flush()
    message = RefundRequested(
        request_id=asked.id,
        invoice_id=invoice.id,
        amount=Money(wanted, invoice.currency),
        reason=f"paid after the invoice was void: {invoice.void_reason or 'no reason given'}",
        version=invoice.version,
    )
    outbox.add(session, message, aggregate_id=invoice.id, aggregate_version=invoice.version)


def _not_returned(session: TenantSession, request_id: UUID) -> int:
    """What a request asked back in vain of payments that are still with us: a chargeback leaves nothing to credit."""
    ours = select(PaymentCopy.id).where(PaymentCopy.state.in_(ARRIVED))
    failed = select(func.coalesce(func.sum(RefundCopy.amount_minor), 0)).where(
        RefundCopy.request_id == request_id, RefundCopy.failed.is_(True), RefundCopy.payment_id.in_(ours)
    )
    return int(session.scalar(failed) or 0)


def _credit_of(session: TenantSession, invoice: Invoice, source: str) -> AccountCredit | None:
    return session.scalars(
        select(AccountCredit)
        .where(AccountCredit.source == source, AccountCredit.source_id == invoice.id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _keep_credit(session: TenantSession, invoice: Invoice, source: str, over_minor: int) -> None:
    """What was paid beyond the invoice is account credit (PAY-4).

    When less of it is there than was used (the payment was refunded or taken back), the invoices that it paid are
    payable again, the newest first: nobody is given the same money twice.
    """
    credit = _credit_of(session, invoice, source)
    if credit is None:
        if over_minor:
            session.add(account_credit(session, invoice, source, invoice.id, over_minor, today_of(session, invoice)))
        return
    used = credit.amount_minor - credit.left_minor
    reopened = _take_back(session, credit, used - over_minor)
    credit.amount_minor, credit.left_minor = over_minor, max(over_minor - used, 0)
    session.flush()
    for invoice_id in reopened:
        recompute_invoice(session, invoice_id)


def _take_back(session: TenantSession, credit: AccountCredit, minor: int) -> list[UUID]:
    """Take account credit off the invoices it was laid on; which these are. Their payer is locked."""
    laid = select(CreditAllocation).where(CreditAllocation.account_credit_id == credit.id)
    newest_first = laid.order_by(CreditAllocation.created_at.desc(), CreditAllocation.id.desc())
    reopened = []
    for allocation in session.scalars(newest_first).all() if minor > 0 else ():
        part = min(minor, allocation.amount_minor)
        minor -= part
        if part == allocation.amount_minor:
            session.delete(allocation)
        elif part:
            allocation.amount_minor -= part
        if part:
            reopened.append(allocation.invoice_id)
    return reopened


def account_credit(
    session: TenantSession, invoice: Invoice, source: str, source_id: UUID, amount_minor: int, dated: date | None = None
) -> AccountCredit:
    """Money held for an invoice's payer, not stored yet."""
    return AccountCredit(
        payer_id=invoice.payer_id,
        currency=invoice.currency,
        amount_minor=amount_minor,
        left_minor=amount_minor,
        source=source,
        source_id=source_id,
        dated=dated or local_date(session.now(), invoice.timezone),
        created_at=session.now(),
    )
