"""Asking providers how charges stand: unknown outcomes, debits on their way, members who never confirmed.

Charges that failed before their member's eyes are cancelled, so that they cannot succeed beside a later attempt.

Nothing is ever charged with another key to find out. A charge that the provider has never seen is sent again exactly
as it was stored, with the same key, once the first one can no longer be on its way; one that nobody asks for any more
is given up then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from common.db import TenantSession
from common.errors import DomainError, UnavailableError
from common.jobs import JobRun
from payments.domain.payment_state import ChargeFact
from payments.gateways.port import ChargeOutcome, ChargeState, FailureKind
from payments.models import Invoice, Payment
from payments.services import charging
from payments.services.collecting import Errand, errand_for
from payments.services.providers import Providers

logger = structlog.get_logger(__name__)
_BATCH = 20
_LEASE_SECONDS = 120
# A request may still be on its way when the provider is first asked about it.
_ASKED_BEFORE_REPEATING = 2


@dataclass(frozen=True, slots=True)
class _Question:
    errand: Errand
    reference: str | None
    fact: ChargeFact
    age: timedelta
    action_expired: bool
    asked: int
    is_wanted: bool


def resolve_due(run: JobRun, providers: Providers) -> None:
    """Ask about every payment of the organisation whose time to ask has come."""
    while questions := _claim(run, providers):
        for question in questions:
            outcome = _ask(question)
            with run.database.session(run.organization_id) as session:
                payment, invoice = charging.lock_payment(session, question.errand.payment_id)
                report = charging.report_closing if question.fact is ChargeFact.FAILED else charging.report_charge
                report(session, payment, invoice, outcome)
                _ask_later_if_still_due(session, payment, run.now)
                session.commit()


def _claim(run: JobRun, providers: Providers) -> list[_Question]:
    """Take a lease (real time) on the next payments to ask about; another worker takes them over when it runs out."""
    with run.database.session(run.organization_id) as session:
        real_now = session.clock.now()
        statement = (
            select(Payment)
            .where(Payment.check_at <= run.now, Payment.rest_until.is_(None) | (Payment.rest_until <= real_now))
            .order_by(Payment.check_at, Payment.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        payments = session.scalars(statement).all()
        questions = []
        for payment in payments:
            payment.rest_until = real_now + timedelta(seconds=_LEASE_SECONDS)
            try:
                questions.append(_question(session, providers, payment))
            except UnavailableError as error:
                # One gateway that cannot be opened must not keep the others from being asked.
                logger.error("gateway_unusable", payment=str(payment.id), code=error.code)
        session.commit()
    return questions


def _question(session: TenantSession, providers: Providers, payment: Payment) -> _Question:
    now = session.now()
    return _Question(
        errand_for(session, providers, payment),
        payment.provider_reference,
        ChargeFact[payment.charge],
        now - payment.charged_at,
        now - payment.charged_at >= charging.ACTION_LASTS,
        payment.asked,
        _is_wanted(session, payment),
    )


def _is_wanted(session: TenantSession, payment: Payment) -> bool:
    """Whether the invoice still asks for all of it: meanwhile it may have become void, or have been credited."""
    invoice = session.get(Invoice, payment.invoice_id) if payment.invoice_id else None
    return invoice is None or invoice.payable >= payment.amount


def _ask(question: _Question) -> ChargeOutcome:
    try:
        return _answer(question)
    except DomainError as error:
        # No answer, or no access just now: nothing is known to have changed, and it is asked again later.
        logger.info("charge_not_told", payment=str(question.errand.payment_id), code=error.code)
        return ChargeOutcome(ChargeState.UNKNOWN, failure_code=error.code)


def _answer(question: _Question) -> ChargeOutcome:
    gateway, request = question.errand.gateway, question.errand.request
    if question.fact is ChargeFact.UNKNOWN:
        found = gateway.find_charge(request, age=question.age)
        if found is not None:
            return found
        if question.asked < _ASKED_BEFORE_REPEATING:
            return ChargeOutcome(ChargeState.UNKNOWN, failure_code="not_found_yet")
        if not question.is_wanted:
            return ChargeOutcome(ChargeState.FAILED, failure_code="canceled", failure_kind=FailureKind.SOFT)
        return gateway.charge(request)
    if question.reference is None:
        return ChargeOutcome(ChargeState.UNKNOWN, failure_code="no_reference")
    if question.fact is ChargeFact.FAILED:
        return gateway.cancel_charge(question.reference)
    outcome = gateway.fetch_charge(question.reference, age=question.age)
    if outcome.state is ChargeState.ACTION_REQUIRED and question.action_expired:
        return gateway.cancel_charge(question.reference)
    return outcome


def _ask_later_if_still_due(session: TenantSession, payment: Payment, now: datetime) -> None:
    """What a provider would not tell is not asked for again in the same turn."""
    fact = ChargeFact[payment.charge]
    if fact is not ChargeFact.UNKNOWN and payment.check_at is not None and payment.check_at <= now:
        payment.check_at = session.now() + charging.PENDING_ASKED
