"""Chargebacks: the bank takes the money while a dispute is open, and keeps it when it is lost (PAY-3)."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import outbox
from payments.domain.payment_state import DisputeFact
from payments.gateways.events import DisputeState
from payments.messages.publishes import payment_reversed, payment_succeeded
from payments.models import Collection, Invoice, Payment
from payments.services import ledger
from payments.services.charging import note
from payments.services.planning import replan
from payments.services.refunds import gives_back

_FACTS = {
    DisputeState.OPENED: DisputeFact.OPENED,
    DisputeState.WON: DisputeFact.WON,
    DisputeState.LOST: DisputeFact.LOST,
}


def report_dispute(
    session: TenantSession,
    payment: Payment,
    invoice: Invoice | None,
    reference: str,
    state: DisputeState,
    reason: str | None,
) -> None:
    """Add what was reported about a chargeback of a locked payment.

    The invoice is payable again while the bank has the money, but is not charged by itself: the member disagrees.
    """
    before = ledger.facts_of(payment)
    after = before.with_dispute(reference, _FACTS[state])
    if after == before:
        return
    ledger.store_facts(payment, after)
    ledger.refresh(payment, invoice)
    note(session, payment, f"dispute_{state.value}", reason)
    payment.occurred_at = session.now()
    payment.touch()
    if invoice is not None:
        _hold(session, invoice, disputed=after.disputed)
    session.flush()
    if after.collected and after.disputed != before.disputed:
        message = payment_reversed(payment, reason or "disputed") if after.disputed else payment_succeeded(payment)
        outbox.add(session, message, aggregate_id=payment.id, aggregate_version=payment.version)


def _hold(session: TenantSession, invoice: Invoice, *, disputed: bool) -> None:
    collection = session.get(Collection, invoice.id) or replan(session, invoice)
    if disputed:
        collection.stopped = "disputed"
    elif collection.stopped == "disputed":
        # What was given back before is not to be charged again, whoever won.
        collection.stopped = "refunded" if gives_back(session, invoice) else None
    replan(session, invoice)
