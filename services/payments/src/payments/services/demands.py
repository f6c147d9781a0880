"""Money that invoicing asks us to give back, also while a chargeback holds it (PAY-3, PAY-5).

What cannot go back now waits with the payment: it goes when the dispute is won, and is announced as failed when the
money is gone for good. Demands name sums, so that messages may come twice and in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from common.db import TenantSession
from common.money import Money
from payments.domain.payment_state import ChargeFact, PaymentFacts, RefundFact
from payments.domain.refunds import WAITING, promised, refundable
from payments.models import Invoice, Payment, Refund
from payments.services import ledger
from payments.services.charging import lock_payment
from payments.services.planning import lock_invoice
from payments.services.refunds import begin_refund, new_refund, refuse_refund, start_refund

DISPUTED, RETURNED, SPENT = "payment_disputed", "payment_returned", "refund_exceeds_payment"
_CAME_IN = (ChargeFact.SUCCEEDED.name, ChargeFact.REVERSED.name)
_Held = tuple[Payment, Invoice | None]


@dataclass(frozen=True, slots=True)
class _Demand:
    """Who asks, and for which invoice."""

    invoice_id: UUID
    credit_note_id: UUID | None
    request_id: UUID | None
    reason: str | None

    @property
    def is_mine(self) -> ColumnElement[bool]:
        """The refunds that answer it."""
        return (
            (Refund.credit_note_id == self.credit_note_id)
            if self.credit_note_id
            else (Refund.request_id == self.request_id)
        )

    def fields(self) -> dict[str, Any]:
        """What its refunds remember of it."""
        return {"reason": self.reason, "credit_note_id": self.credit_note_id, "request_id": self.request_id}


def refund_credit_note(
    session: TenantSession, invoice_id: UUID, credit_note_id: UUID, amount: Money, reason: str | None
) -> None:
    """Give back what a credit note says in all, less what it has given back, from the newest of the invoice's payments.

    ``amount`` is the note's whole refund so far.
    """
    demand = _Demand(invoice_id, credit_note_id, None, reason)
    held = _payments(session, invoice_id)
    left = amount.amount_minor - _given(session, demand.is_mine)
    _wait(session, demand, held, _give(session, demand, held, left))


def refund_surplus(
    session: TenantSession, invoice_id: UUID, request_id: UUID, amount: Money, reason: str | None
) -> None:
    """Give back what came for an invoice that had no claim to it, as `refund_credit_note` does.

    ``amount`` counts the payments that had arrived when it was asked for, and none that was disputed by then.
    """
    demand = _Demand(invoice_id, None, request_id, reason)
    held = _payments(session, invoice_id)
    disputed = Refund.payment_id.in_([payment.id for payment, _ in held if ledger.facts_of(payment).disputed])
    left = _give(session, demand, held, amount.amount_minor - _given(session, demand.is_mine, ~disputed))
    _wait(session, demand, held, left - _given(session, demand.is_mine, disputed))


def _payments(session: TenantSession, invoice_id: UUID) -> list[_Held]:
    """The payments that brought an invoice's money, locked, the newest first."""
    lock_invoice(session, invoice_id)
    statement = select(Payment.id).where(Payment.invoice_id == invoice_id, Payment.charge.in_(_CAME_IN))
    newest_first = statement.order_by(Payment.created_at.desc(), Payment.id)
    return [lock_payment(session, payment_id) for payment_id in session.scalars(newest_first).all()]


def _given(session: TenantSession, *conditions: ColumnElement[bool]) -> int:
    """What was given back before, or waits to be; what failed was not."""
    statement = select(func.coalesce(func.sum(Refund.amount_minor), 0)).select_from(Refund)
    return int(session.scalar(statement.where(Refund.fact != RefundFact.FAILED.name, *conditions)) or 0)


def _give(session: TenantSession, demand: _Demand, held: list[_Held], left: int) -> int:
    """Begin refunds of what is with us; returns what of ``left`` (minor units) was not covered."""

    def give(payment: Payment, invoice: Invoice | None, part: Money) -> None:
        begin_refund(session, payment, invoice, part, **demand.fields())

    return _spread(held, left, lambda _, facts: refundable(facts).amount_minor, give)


def _wait(session: TenantSession, demand: _Demand, held: list[_Held], left: int) -> None:
    """Let the rest wait with the payments whose money is not here; what is gone for good fails at once."""

    def room(payment: Payment, facts: PaymentFacts) -> int:
        if refundable(facts):
            return 0
        waiting = _given(session, Refund.payment_id == payment.id, Refund.fact == WAITING)
        return promised(facts).amount_minor - waiting

    def wait(payment: Payment, invoice: Invoice | None, part: Money) -> None:
        new_refund(session, payment, part, **demand.fields())
        session.flush()
        settle_waiting(session, payment, invoice)

    _spread(held, left, room, wait)


def _spread(
    held: list[_Held],
    left: int,
    room: Callable[[Payment, PaymentFacts], int],
    take: Callable[[Payment, Invoice | None, Money], None],
) -> int:
    for payment, invoice in held:
        part = min(left, room(payment, ledger.facts_of(payment)))
        if part > 0:
            take(payment, invoice, Money(part, payment.currency))
            left -= part
    return left


def settle_waiting(session: TenantSession, payment: Payment, invoice: Invoice | None) -> None:
    """After a report about a locked payment: what waits goes when its money is back, and fails when it is gone."""
    facts = ledger.facts_of(payment)
    if facts.disputed and not facts.lost:
        return
    for refund in _waiting(session, payment):
        if not facts.collected or facts.lost:
            refuse_refund(session, payment, invoice, refund, DISPUTED if facts.lost else RETURNED)
        elif refund.amount > refundable(ledger.facts_of(payment)):
            # Somebody gave it back at the provider meanwhile.
            refuse_refund(session, payment, invoice, refund, SPENT)
        else:
            start_refund(session, payment, invoice, refund)


def _waiting(session: TenantSession, payment: Payment) -> list[Refund]:
    statement = select(Refund).where(Refund.payment_id == payment.id, Refund.fact == WAITING)
    return list(session.scalars(statement.order_by(Refund.created_at, Refund.id)))
