"""Giving money back through the gateway that took it, never more than was paid (PAY-5)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.errors import InvalidError, NotFoundError
from common.ids import encode_id, new_id
from common.jobs import wake_scheduler
from common.messaging import outbox
from common.money import Money
from payments.domain.payment_state import RefundFact
from payments.domain.refunds import WAITING, check_refund
from payments.gateways.port import RefundOutcome, RefundState
from payments.messages.publishes import payment_refund_failed, payment_refunded
from payments.models import Invoice, Payment, Refund
from payments.services import ledger
from payments.services.charging import PENDING_ASKED, lock_payment, note
from payments.services.planning import replan

_FACTS = {
    RefundState.SUCCEEDED: RefundFact.SUCCEEDED,
    RefundState.PENDING: RefundFact.PENDING,
    RefundState.FAILED: RefundFact.FAILED,
    RefundState.UNKNOWN: RefundFact.PENDING,
}


def refund_by_request(session: TenantSession, request_key: str, fingerprint: str) -> Refund | None:
    """What an earlier request with the same key led to. Raises InvalidError when that had another body."""
    refund = session.scalars(select(Refund).where(Refund.request_key == request_key)).one_or_none()
    if refund is not None and refund.request_fingerprint != fingerprint:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    return refund


def begin_refund(
    session: TenantSession,
    payment: Payment,
    invoice: Invoice | None,
    amount: Money,
    *,
    reason: str | None = None,
    credit_note_id: UUID | None = None,
    request_id: UUID | None = None,
    request_key: str | None = None,
    fingerprint: str | None = None,
) -> Refund:
    """The intent of a refund of a locked payment; counted as given from now on. Raises as `check_refund`.

    A refund without a credit note makes the invoice payable again, but not by itself: automatic collection of it stops.
    """
    check_refund(ledger.facts_of(payment), amount)
    refund = new_refund(session, payment, amount, reason=reason, credit_note_id=credit_note_id, request_id=request_id)
    refund.request_key, refund.request_fingerprint = request_key, fingerprint
    start_refund(session, payment, invoice, refund)
    return refund


def new_refund(
    session: TenantSession,
    payment: Payment,
    amount: Money,
    *,
    reason: str | None,
    credit_note_id: UUID | None,
    request_id: UUID | None,
) -> Refund:
    """A refund that waits: nothing is counted yet, and nobody carries it to the provider."""
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        fact=WAITING,
        credit_note_id=credit_note_id,
        request_id=request_id,
        reason=reason,
        asked=0,
        announced=False,
        created_at=session.now(),
    )
    refund.key = f"{encode_id('pay', payment.id)}:refund:{refund.id.hex}"
    session.add(refund)
    return refund


def start_refund(session: TenantSession, payment: Payment, invoice: Invoice | None, refund: Refund) -> None:
    """Count a waiting refund of a locked payment as given, and have it made."""
    refund.fact, refund.check_at = RefundFact.PENDING.name, session.now()
    session.flush()
    _add_report(session, payment, invoice, refund)
    wake_scheduler(session)


def report_refund(
    session: TenantSession, payment: Payment, invoice: Invoice | None, refund: Refund, outcome: RefundOutcome
) -> None:
    """Add what was reported about a refund of a locked payment."""
    refund.provider_reference = refund.provider_reference or outcome.provider_reference
    before = RefundFact[refund.fact]
    if outcome.state is RefundState.UNKNOWN:
        if before is RefundFact.PENDING:
            _ask_again(session, refund)
        return
    after = max(before, _FACTS[outcome.state])
    refund.fact = after.name
    _watch(session, refund, outcome)
    if after is RefundFact.FAILED:
        refund.failure_code = outcome.failure_code or "refund_failed"
    if after is not before or not refund.announced:
        _add_report(session, payment, invoice, refund)
        _announce(session, payment, refund)


def refuse_refund(
    session: TenantSession, payment: Payment, invoice: Invoice | None, refund: Refund, failure_code: str
) -> None:
    """A refund of a locked payment that cannot be made, whether it was begun or waited; announced."""
    if refund.fact == WAITING:
        refund.fact = RefundFact.PENDING.name
    report_refund(session, payment, invoice, refund, RefundOutcome(RefundState.FAILED, failure_code=failure_code))


def lock_refund(session: TenantSession, refund_id: UUID) -> tuple[Payment, Invoice | None, Refund]:
    """A refund with its payment and invoice, held until the end of the transaction. Raises NotFoundError."""
    payment_id = session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        raise NotFoundError("refund_not_found", "there is no such refund")
    payment, invoice = lock_payment(session, payment_id)
    fresh = select(Refund).where(Refund.id == refund_id).execution_options(populate_existing=True)
    return payment, invoice, session.scalars(fresh).one()


def _watch(session: TenantSession, refund: Refund, outcome: RefundOutcome) -> None:
    """Webhooks get lost: a refund on its way is asked for once a day besides, the sandbox's when it is due."""
    refund.check_at = refund.rest_until = None
    if refund.fact == RefundFact.PENDING.name:
        settles = outcome.settles_after
        refund.check_at = refund.created_at + settles if settles is not None else session.now() + PENDING_ASKED
        refund.asked = 0


def _ask_again(session: TenantSession, refund: Refund) -> None:
    rest = timedelta(seconds=min(5 * 2**refund.asked, 3600))
    refund.rest_until = session.clock.now() + rest
    refund.check_at = session.now() + (timedelta(0) if session.organization.clock_now else rest)


def _add_report(session: TenantSession, payment: Payment, invoice: Invoice | None, refund: Refund) -> None:
    reported = payment.refunds.get(str(refund.id))
    if reported is None:
        note(session, payment, "refund_started", None)
    facts = ledger.facts_of(payment).with_refund(str(refund.id), refund.amount, RefundFact[refund.fact])
    ledger.store_facts(payment, facts)
    with_note = refund.credit_note_id is not None
    ledger.refresh(payment, invoice, with_credit_note=with_note)
    payment.touch()
    if invoice is None or with_note:
        return
    collection = replan(session, invoice)
    if refund.fact != RefundFact.FAILED.name:
        collection.stopped = collection.stopped or "refunded"
    elif collection.stopped == "refunded" and not gives_back(session, invoice):
        # The money never left: what else becomes payable is collected as ever.
        collection.stopped = None
    replan(session, invoice)


def gives_back(session: TenantSession, invoice: Invoice) -> bool:
    """Whether any refund of the invoice's payments without a credit note stands."""
    session.flush()
    statement = select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    standing = (Refund.credit_note_id.is_(None), Refund.fact != RefundFact.FAILED.name)
    return session.scalar(statement.where(Payment.invoice_id == invoice.id, *standing).limit(1)) is not None


def _announce(session: TenantSession, payment: Payment, refund: Refund) -> None:
    session.flush()
    failed = refund.fact == RefundFact.FAILED.name
    if failed and refund.key is None and not refund.announced:
        return  # begun in the provider's dashboard and never counted here: nothing has changed
    message = payment_refund_failed(payment, refund) if failed else payment_refunded(payment, refund)
    refund.announced = True
    outbox.add(session, message, aggregate_id=payment.id, aggregate_version=payment.version)
