"""Giving money back through the gateway that took it, never more than was paid (PAY-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select

from common.db import TenantSession
from common.errors import DomainError, InvalidError, NotFoundError
from common.ids import encode_id, new_id
from common.jobs import JobRun, wake_scheduler
from common.messaging import outbox
from common.money import Money
from payments.domain.payment_state import RefundFact
from payments.domain.refunds import check_refund, refundable
from payments.gateways.port import PaymentGateway, RefundOutcome, RefundRequest, RefundState
from payments.messages.publishes import payment_refunded, payment_succeeded
from payments.models import Collection, Gateway, Invoice, Payment, Refund
from payments.services import ledger
from payments.services.charging import lock_payment, note
from payments.services.planning import lock_invoice, replan
from payments.services.providers import Providers

logger = structlog.get_logger(__name__)
_ANSWER_SECONDS = 120
_BATCH = 20
_FACTS = {
    RefundState.SUCCEEDED: RefundFact.SUCCEEDED,
    RefundState.PENDING: RefundFact.PENDING,
    RefundState.FAILED: RefundFact.FAILED,
    RefundState.UNKNOWN: RefundFact.PENDING,
}


@dataclass(frozen=True, slots=True)
class RefundErrand:
    """A committed refund with all that is needed to carry it to the provider."""

    refund_id: UUID
    gateway: PaymentGateway
    request: RefundRequest
    repeated: bool = False


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
    request_key: str | None = None,
    fingerprint: str | None = None,
) -> Refund:
    """The intent of a refund of a locked payment; counted as given from now on. Raises as `check_refund`.

    A refund without a credit note makes the invoice payable again, but not by itself: automatic collection of it stops.
    """
    check_refund(ledger.facts_of(payment), amount)
    now = session.now()
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        fact=RefundFact.PENDING.name,
        credit_note_id=credit_note_id,
        reason=reason,
        request_key=request_key,
        request_fingerprint=fingerprint,
        asked=0,
        announced=False,
        check_at=now,
        created_at=now,
    )
    refund.key = f"{encode_id('pay', payment.id)}:refund:{refund.id.hex}"
    session.add(refund)
    session.flush()
    _add_report(session, payment, invoice, refund)
    wake_scheduler(session)
    return refund


def refund_credit_note(
    session: TenantSession, invoice_id: UUID, credit_note_id: UUID, amount: Money, reason: str | None
) -> None:
    """Give back what a credit note says in all, less what it has given back, from the newest of the invoice's payments.

    ``amount`` is the note's whole refund so far, so that messages may come twice and in any order.
    """
    lock_invoice(session, invoice_id)
    left = amount.amount_minor - _given_by_note(session, credit_note_id)
    statement = select(Payment.id).where(Payment.invoice_id == invoice_id, Payment.kept_minor > 0)
    for payment_id in session.scalars(statement.order_by(Payment.created_at.desc(), Payment.id)).all():
        payment, invoice = lock_payment(session, payment_id)
        part = min(left, refundable(ledger.facts_of(payment)).amount_minor)
        if part > 0:
            money = Money(part, amount.currency)
            begin_refund(session, payment, invoice, money, reason=reason, credit_note_id=credit_note_id)
            left -= part


def _given_by_note(session: TenantSession, credit_note_id: UUID) -> int:
    statement = select(func.coalesce(func.sum(Refund.amount_minor), 0)).select_from(Refund)
    mine = statement.where(Refund.credit_note_id == credit_note_id, Refund.fact != RefundFact.FAILED.name)
    return int(session.scalar(mine) or 0)


def errand_for_refund(session: TenantSession, providers: Providers, refund: Refund) -> RefundErrand:
    """What carries a refund to its provider. Raises InvalidError when the gateway is no longer connected."""
    payment = session.get_one(Payment, refund.payment_id)
    if payment.gateway_id is None:
        adapter = providers.make("manual", {})
    else:
        gateway = session.get_one(Gateway, payment.gateway_id)
        if gateway.state != "connected":
            raise InvalidError("gateway_disconnected", "the gateway that took this money is no longer connected")
        adapter = providers.open(gateway)
    request = RefundRequest(
        idempotency_key=refund.key or str(refund.id),
        charge_reference=payment.provider_reference or str(payment.id),
        amount=refund.amount,
        reason=refund.reason or "",
        metadata={"payment_id": encode_id("pay", payment.id)},
    )
    return RefundErrand(refund.id, adapter, request, repeated=refund.asked > 0)


def lease(session: TenantSession, refund: Refund) -> None:
    """Give the provider's answer time (real) to arrive before another worker asks for it."""
    refund.asked += 1
    refund.rest_until = session.clock.now() + timedelta(seconds=_ANSWER_SECONDS)


def carry_refund(errand: RefundErrand) -> RefundOutcome:
    """Make the refund at the provider, or find the one that was made before. No transaction."""
    try:
        if errand.repeated and (found := errand.gateway.find_refund(errand.request)) is not None:
            return found
        return errand.gateway.refund(errand.request)
    except DomainError as error:
        logger.info("refund_not_told", refund=str(errand.refund_id), code=error.code)
        return RefundOutcome(RefundState.UNKNOWN, failure_code=error.code)


def report_refund(
    session: TenantSession, payment: Payment, invoice: Invoice | None, refund: Refund, outcome: RefundOutcome
) -> None:
    """Add what was reported about a refund of a locked payment."""
    refund.provider_reference = refund.provider_reference or outcome.provider_reference
    if outcome.state is RefundState.UNKNOWN:
        _ask_again(session, refund)
        return
    before = RefundFact[refund.fact]
    after = max(before, _FACTS[outcome.state])
    refund.fact, refund.check_at = after.name, None
    if after is RefundFact.FAILED:
        refund.failure_code = outcome.failure_code or "refund_failed"
    if after is not before or not refund.announced:
        _add_report(session, payment, invoice, refund)
        _announce(session, payment, refund)


def refund_due(run: JobRun, providers: Providers) -> None:
    """Carry every refund that is due and not yet known to have been made."""
    while errands := _claim(run, providers):
        for errand in errands:
            outcome = carry_refund(errand)
            with run.database.session(run.organization_id) as session:
                payment, invoice, refund = lock_refund(session, errand.refund_id)
                report_refund(session, payment, invoice, refund, outcome)
                session.commit()


def lock_refund(session: TenantSession, refund_id: UUID) -> tuple[Payment, Invoice | None, Refund]:
    """A refund with its payment and invoice, held until the end of the transaction. Raises NotFoundError."""
    payment_id = session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        raise NotFoundError("refund_not_found", "there is no such refund")
    payment, invoice = lock_payment(session, payment_id)
    fresh = select(Refund).where(Refund.id == refund_id).execution_options(populate_existing=True)
    return payment, invoice, session.scalars(fresh).one()


def _claim(run: JobRun, providers: Providers) -> list[RefundErrand]:
    with run.database.session(run.organization_id) as session:
        real_now = session.clock.now()
        statement = (
            select(Refund)
            .where(Refund.check_at <= run.now, Refund.rest_until.is_(None) | (Refund.rest_until <= real_now))
            .order_by(Refund.check_at, Refund.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        errands = []
        for refund in session.scalars(statement).all():
            try:
                errands.append(errand_for_refund(session, providers, refund))
            except DomainError as error:
                logger.warning("refund_waits", refund=str(refund.id), code=error.code)
            lease(session, refund)
        session.commit()
    return errands


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
    replan(session, invoice)
    collection = session.get(Collection, invoice.id)
    if collection is not None and refund.fact != RefundFact.FAILED.name:
        collection.stopped = collection.stopped or "refunded"
        replan(session, invoice)


def _announce(session: TenantSession, payment: Payment, refund: Refund) -> None:
    session.flush()
    failed = refund.fact == RefundFact.FAILED.name
    if failed and not refund.announced:
        return
    # A refund that bounced after it was announced: the payment's whole state says that the money is back.
    message = payment_succeeded(payment) if failed else payment_refunded(payment, refund)
    refund.announced = True
    outbox.add(session, message, aggregate_id=payment.id, aggregate_version=payment.version)
