"""From reports to what a payment is worth: its state, what it keeps paid, and what that means for its invoice."""

from __future__ import annotations

from payments.domain.payment_state import (
    ChargeFact,
    DisputeFact,
    PaymentFacts,
    RefundFact,
)
from payments.domain.payment_state import (
    Refund as RefundReport,
)
from payments.models import Invoice, Payment


def facts_of(payment: Payment) -> PaymentFacts:
    """Everything reported about a payment so far."""
    return PaymentFacts(
        amount=payment.amount,
        charge=ChargeFact[payment.charge],
        refunds={ref: RefundReport(minor, RefundFact[fact]) for ref, (minor, fact) in payment.refunds.items()},
        disputes={ref: DisputeFact[fact] for ref, fact in payment.disputes.items()},
    )


def store_facts(payment: Payment, facts: PaymentFacts) -> None:
    """Keep merged facts."""
    payment.charge = facts.charge.name
    payment.refunds = {ref: [refund.amount_minor, refund.fact.name] for ref, refund in facts.refunds.items()}
    payment.disputes = {ref: fact.name for ref, fact in facts.disputes.items()}


def refresh(payment: Payment, invoice: Invoice | None, *, touches_invoice: bool = True) -> None:
    """Derive state and sums from the facts, and move the invoice's money by the difference.

    ``touches_invoice`` false: a refund with a credit note, which leaves what is payable as it is.
    """
    facts = facts_of(payment)
    payment.state = facts.state.value
    payment.refunded_minor = facts.refunded.amount_minor
    change = facts.kept.amount_minor - payment.kept_minor
    payment.kept_minor = facts.kept.amount_minor
    if invoice is not None and touches_invoice and change:
        _move(invoice, change)


def _move(invoice: Invoice, change: int) -> None:
    """Count money that invoicing has not heard of; what goes beyond the invoice is account credit."""
    if change > 0:
        invoice.unreflected_minor += min(change, invoice.payable.amount_minor)
    else:
        invoice.unreflected_minor -= min(-change, max(invoice.paid_minor + invoice.unreflected_minor, 0))


def reflect(invoice: Invoice, paid_before: int, paid_now: int) -> None:
    """Invoicing counted money: what it now has in ``paid`` is no longer ours to remember."""
    change = paid_now - paid_before
    if change > 0 and invoice.unreflected_minor > 0:
        invoice.unreflected_minor -= min(change, invoice.unreflected_minor)
    elif change < 0 and invoice.unreflected_minor < 0:
        invoice.unreflected_minor += min(-change, -invoice.unreflected_minor)
