"""Carrying refunds to their providers, and asking what became of them.

As with charges the intent is committed before and the outcome after the call. A refund whose answer was lost is looked
for before it is sent again, with the same key; one on its way is asked for until the bank has decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from common.db import TenantSession
from common.errors import DomainError, InvalidError, UnavailableError
from common.ids import encode_id
from common.jobs import JobRun
from payments.gateways.port import PaymentGateway, RefundOutcome, RefundRequest, RefundState
from payments.models import Gateway, Payment, Refund
from payments.services.providers import Providers
from payments.services.refunds import lock_refund, report_refund

logger = structlog.get_logger(__name__)
_ANSWER_SECONDS = 120
_UNUSABLE_REST = timedelta(hours=1)
_BATCH = 20
DISCONNECTED = "gateway_disconnected"


@dataclass(frozen=True, slots=True)
class RefundErrand:
    """A committed refund with all that is needed to carry it to the provider.

    ``repeated``: it may have been made before. ``reference``: it was, and the bank has not decided since ``age``.
    """

    refund_id: UUID
    gateway: PaymentGateway
    request: RefundRequest
    repeated: bool = False
    reference: str | None = None
    age: timedelta = timedelta(0)


def errand_for_refund(session: TenantSession, providers: Providers, refund: Refund) -> RefundErrand:
    """What carries a refund to its provider. Raises InvalidError when the gateway is no longer connected."""
    payment = session.get_one(Payment, refund.payment_id)
    request = RefundRequest(
        idempotency_key=refund.key or str(refund.id),
        charge_reference=payment.provider_reference or str(payment.id),
        amount=refund.amount,
        reason=refund.reason or "",
        metadata={"payment_id": encode_id("pay", payment.id)},
    )
    return RefundErrand(
        refund.id,
        _adapter(session, providers, payment),
        request,
        repeated=refund.asked > 0,
        reference=refund.provider_reference,
        age=session.now() - refund.created_at,
    )


def _adapter(session: TenantSession, providers: Providers, payment: Payment) -> PaymentGateway:
    if payment.gateway_id is None:
        return providers.make("manual", {})
    gateway = session.get_one(Gateway, payment.gateway_id)
    if gateway.state != "connected":
        raise InvalidError(DISCONNECTED, "the gateway that took this money is no longer connected")
    return providers.open(gateway)


def lease(session: TenantSession, refund: Refund) -> None:
    """Give the provider's answer time (real) to arrive before another worker asks for it."""
    refund.asked += 1
    refund.rest_until = session.clock.now() + timedelta(seconds=_ANSWER_SECONDS)


def carry_refund(errand: RefundErrand) -> RefundOutcome:
    """Make the refund at the provider, or ask about the one that was made before. No transaction."""
    try:
        return _carried(errand)
    except DomainError as error:
        logger.info("refund_not_told", refund=str(errand.refund_id), code=error.code)
        return RefundOutcome(RefundState.UNKNOWN, failure_code=error.code)


def _carried(errand: RefundErrand) -> RefundOutcome:
    if errand.reference is not None:
        return errand.gateway.fetch_refund(errand.reference, age=errand.age)
    if errand.repeated and (found := errand.gateway.find_refund(errand.request)) is not None:
        return found
    return errand.gateway.refund(errand.request)


def refund_due(run: JobRun, providers: Providers) -> None:
    """Carry every refund that is due, and ask about those whose end is open."""
    while claimed := _claim(run, providers):
        for refund_id, errand in claimed:
            outcome = carry_refund(errand) if errand else RefundOutcome(RefundState.FAILED, failure_code=DISCONNECTED)
            with run.database.session(run.organization_id) as session:
                payment, invoice, refund = lock_refund(session, refund_id)
                report_refund(session, payment, invoice, refund, outcome)
                session.commit()


def _claim(run: JobRun, providers: Providers) -> list[tuple[UUID, RefundErrand | None]]:
    """Take a lease (real time) on the next refunds; one without an errand can no longer be made."""
    with run.database.session(run.organization_id) as session:
        real_now = session.clock.now()
        statement = (
            select(Refund)
            .where(Refund.check_at <= run.now, Refund.rest_until.is_(None) | (Refund.rest_until <= real_now))
            .order_by(Refund.check_at, Refund.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        claimed: list[tuple[UUID, RefundErrand | None]] = []
        for refund in session.scalars(statement).all():
            try:
                claimed.append((refund.id, errand_for_refund(session, providers, refund)))
                lease(session, refund)
            except InvalidError:
                claimed.append((refund.id, None))
            except UnavailableError as error:
                # One gateway that cannot be opened must not keep the others from refunding.
                logger.error("gateway_unusable", refund=str(refund.id), code=error.code)
                refund.check_at = session.now() + _UNUSABLE_REST
        session.commit()
    return claimed
