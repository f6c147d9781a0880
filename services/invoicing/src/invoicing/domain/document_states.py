"""States of invoices and what may be done to them (DOC-1, DOC-3, BIL-8, PAY-3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from common.errors import ConflictError
from common.money import Money

from .allocation import Balance

DocumentState = Literal["draft", "open", "paid", "void", "uncollectible"]
PaymentState = Literal["unpaid", "processing", "partially_paid", "paid", "failed", "refunded"]

TRANSITIONS: dict[DocumentState, frozenset[DocumentState]] = {
    "draft": frozenset({"open"}),
    "open": frozenset({"paid", "void", "uncollectible"}),
    "paid": frozenset({"open"}),  # a late failure, a chargeback or a refund makes it payable again (PAY-3)
    "uncollectible": frozenset({"paid"}),
    "void": frozenset(),
}


def check_transition(current: DocumentState, wanted: DocumentState) -> None:
    """Raise ConflictError unless an invoice may go from one state to the other (DOC-1)."""
    if wanted not in TRANSITIONS[current]:
        raise ConflictError("invalid_state", f"An invoice that is {current} cannot become {wanted}.")


def check_voidable(state: DocumentState, balance: Balance, processing: Money) -> None:
    """Raise ConflictError unless the invoice is open and wholly unpaid; corrections are credit notes then (DOC-3)."""
    check_transition(state, "void")
    if balance.paid or balance.credited or processing:
        raise ConflictError("invoice_not_unpaid", "Only an unpaid invoice can be voided. Make a credit note instead.")


def check_not_locked(day: date, lock_date: date | None) -> None:
    """Raise ConflictError for something dated on or before the billing lock date (BIL-8)."""
    if lock_date is not None and day <= lock_date:
        raise ConflictError("billing_locked", f"Everything up to {lock_date.isoformat()} is locked.")


def state_after(current: DocumentState, balance: Balance) -> DocumentState:
    """The state of an issued invoice once its balance changed: settled is paid, reopened is open (DOC-1, PAY-3, BIL-6).

    Drafts and voids stay; an uncollectible one stays until it is settled.
    """
    if current in ("draft", "void"):
        return current
    if balance.settled:
        return "paid"
    return "open" if current == "paid" else current


def payment_state(
    balance: Balance, *, processing: Money, refunded: Money, last_attempt_failed: bool = False
) -> PaymentState:
    """The payment state, from amounts alone, so that events in any order end in the same one (DOC-1, PAY-3).

    ``processing`` is money on its way, ``refunded`` what went back so far. Settled by credit or with a total of 0
    counts as paid. A fresh failure shows before an earlier part payment does.
    """
    if refunded and not balance.paid:
        return "refunded"
    if balance.settled:
        return "paid"
    if processing:
        return "processing"
    if last_attempt_failed:
        return "failed"
    return "partially_paid" if balance.paid or balance.credited else "unpaid"


def due_date(issue_date: date, payment_terms_days: int) -> date:
    """Issue date plus terms (PAY-1)."""
    return issue_date + timedelta(days=payment_terms_days)


def is_overdue(state: DocumentState, payable: Money, due: date, local_today: date) -> bool:
    """Issued, something payable, and the due date is past: on the due date itself it is not overdue yet (DOC-1)."""
    return state == "open" and payable.amount_minor > 0 and due < local_today
