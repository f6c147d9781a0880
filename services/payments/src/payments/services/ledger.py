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


def refresh(payment: Payment, invoice: Invoice | None, *, with_credit_note: bool = False) -> None:
    """Derive state and sums from the facts, and move the invoice's money by the difference.

    ``with_credit_note``: the change is a refund that a credit note explains; what is payable stays as it is.
    """
    facts = facts_of(payment)
    payment.state = facts.state.value
    given = facts.refunded.amount_minor - payment.refunded_minor
    kept = facts.kept.amount_minor - payment.kept_minor
    payment.refunded_minor += given
    payment.kept_minor += kept
    if invoice is None:
        return
    invoice.kept_minor += kept
    if with_credit_note:
        # Not by what is kept: of a disputed payment that is nothing, before and after.
        invoice.noted_minor = max(invoice.noted_minor + given, 0)


def reflect(invoice: Invoice, credited_before: int) -> None:
    """Invoicing counted credits: what it now has in ``credited`` is no longer ours to remember."""
    counted = max(invoice.credited_minor - credited_before, 0)
    invoice.noted_minor -= min(counted, invoice.noted_minor)
