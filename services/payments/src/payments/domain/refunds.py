"""How much of a payment may still be given back (PAY-5)."""

from __future__ import annotations

from common.errors import ConflictError, InvalidError
from common.money import Money
from payments.domain.payment_state import PaymentFacts

# A refund that was asked for while a chargeback holds the money: not begun, and not counted as given.
WAITING = "WAITING"


def refundable(facts: PaymentFacts) -> Money:
    """What was paid and is still with us; refunds on their way count as given."""
    return facts.kept


def promised(facts: PaymentFacts) -> Money:
    """What was paid and not given back, whoever has it now: what a refund may wait for."""
    return facts.amount - facts.refunded


def check_refund(facts: PaymentFacts, amount: Money) -> None:
    """Raise unless ``amount`` may be refunded.

    ConflictError: ``payment_not_collected`` (nothing came in, or it was returned), ``payment_disputed`` (the bank has
    the money). InvalidError: ``currency_mismatch``, ``amount_not_positive``, ``refund_exceeds_payment``.
    """
    if amount.currency != facts.amount.currency:
        raise InvalidError("currency_mismatch", f"the payment was made in {facts.amount.currency}")
    if amount.amount_minor <= 0:
        raise InvalidError("amount_not_positive", "a refund gives back a positive amount")
    if not facts.collected:
        raise ConflictError("payment_not_collected", "only a payment that succeeded can be refunded")
    if facts.disputed:
        raise ConflictError("payment_disputed", "a chargeback has taken this money already")
    left = refundable(facts)
    if amount > left:
        raise InvalidError("refund_exceeds_payment", f"at most {left.decimal()} {left.currency} can be refunded")
