"""What providers tell us: verified and stored at the door, applied from the table (PAY-7).

The provider's event id keeps replays out, and reports only add facts: neither repetition nor disorder changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.errors import BadRequestError, DomainError
from common.ids import InvalidIdError, decode_id, new_id
from common.jobs import JobRun, wake_scheduler
from payments.domain.payment_state import RefundFact
from payments.gateways import events
from payments.gateways.port import PaymentGateway, ProviderEvent, RefundState, SetupOutcome
from payments.models import Gateway, Payment, PaymentMethod, Refund, WebhookEvent
from payments.services import charging, demands, disputes, methods, refunds
from payments.services.providers import Providers

logger = structlog.get_logger(__name__)
_LEASE_SECONDS = 60
_MOST_ATTEMPTS = 12
# A refund or dispute may overtake what tells us its charge's reference; later it is none of ours.
_PAYMENT_UNKNOWN = "payment_unknown"
_ATTEMPTS_AT_UNKNOWN = 4
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        events.ChargeChanged,
        events.RefundChanged,
        events.DisputeChanged,
        events.MethodSaved,
        events.MethodChanged,
        events.MethodGone,
    )
}
_OF_A_CHARGE = frozenset({events.RefundChanged.__name__, events.DisputeChanged.__name__})


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: UUID
    event: ProviderEvent
    gateway_id: UUID
    adapter: PaymentGateway | None


def receive(
    session: TenantSession, providers: Providers, gateway: Gateway, body: bytes, headers: Mapping[str, str]
) -> int:
    """Verify a provider's call and store its events; returns how many were new.

    Raises SignatureError; BadRequestError ``webhook_unreadable`` for what is signed and yet no event.
    """
    found = _parsed(providers.open(gateway), body, headers)
    new = 0
    for event in found:
        values = {
            "id": new_id(),
            "organization_id": gateway.organization_id,
            "gateway_id": gateway.id,
            "event_id": event.event_id,
            "kind": type(event).__name__,
            "event": msgspec.to_builtins(event),
            "body": body,
            "received_at": session.now(),
            "due_at": session.now(),
            "attempts": 0,
        }
        statement = insert(WebhookEvent).values(values).on_conflict_do_nothing().returning(WebhookEvent.id)
        new += session.execute(statement).first() is not None
    wake_scheduler(session)
    return new


def _parsed(adapter: PaymentGateway, body: bytes, headers: Mapping[str, str]) -> list[ProviderEvent]:
    try:
        return adapter.parse_webhook(body, headers)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadRequestError("webhook_unreadable", "this is no event as the provider describes them") from error


def apply_due(run: JobRun, providers: Providers) -> None:
    """Apply the organisation's stored events, the earliest first, each in a transaction of its own."""
    while (claimed := _claim(run, providers)) is not None:
        try:
            setup = _setup_of(claimed)
            with run.database.session(run.organization_id) as session:
                row = session.get_one(WebhookEvent, claimed.id, with_for_update=True)
                if _apply(session, claimed, setup):
                    row.outcome, row.due_at = "applied", None
                elif row.kind in _OF_A_CHARGE and row.attempts < _ATTEMPTS_AT_UNKNOWN:
                    _rest(session, row, _PAYMENT_UNKNOWN)
                else:
                    row.outcome, row.due_at = "ignored", None
                session.commit()
        except DomainError as error:
            _put_off(run, claimed.id, error.code)


def _claim(run: JobRun, providers: Providers) -> _Claimed | None:
    with run.database.session(run.organization_id) as session:
        real_now = session.clock.now()
        statement = (
            select(WebhookEvent)
            .where(
                WebhookEvent.due_at <= run.now,
                WebhookEvent.rest_until.is_(None) | (WebhookEvent.rest_until <= real_now),
            )
            .order_by(WebhookEvent.due_at, WebhookEvent.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.scalars(statement).one_or_none()
        if row is None:
            return None
        row.attempts += 1
        row.rest_until = real_now + timedelta(seconds=_LEASE_SECONDS)
        gateway = session.get_one(Gateway, row.gateway_id)
        adapter = providers.open(gateway) if gateway.state == "connected" else None
        event = msgspec.convert(row.event, _KINDS[row.kind])
        claimed = _Claimed(row.id, event, gateway.id, adapter)
        session.commit()
    return claimed


def _setup_of(claimed: _Claimed) -> SetupOutcome | None:
    """Details of a method that a member finished entering; asked for outside any transaction."""
    if not isinstance(claimed.event, events.MethodSaved) or claimed.adapter is None:
        return None
    return claimed.adapter.complete_setup(claimed.event.setup_reference)


def _put_off(run: JobRun, event_id: UUID, code: str) -> None:
    """Try again later, ever more seldom; an event that never fits stays in the table with its reason."""
    with run.database.session(run.organization_id) as session:
        row = session.get_one(WebhookEvent, event_id, with_for_update=True)
        _rest(session, row, code)
        logger.warning("webhook_put_off", webhook_event=str(event_id), code=code, attempts=row.attempts)
        session.commit()


def _rest(session: TenantSession, row: WebhookEvent, code: str) -> None:
    rest = timedelta(seconds=min(5 * 2**row.attempts, 3600))
    row.outcome, row.rest_until = code, session.clock.now() + rest
    row.due_at = None if row.attempts >= _MOST_ATTEMPTS else session.now() + rest


def _apply(session: TenantSession, claimed: _Claimed, setup: SetupOutcome | None) -> bool:
    event = claimed.event
    match event:
        case events.ChargeChanged():
            return _apply_charge(session, claimed.gateway_id, event)
        case events.RefundChanged():
            return _apply_refund(session, claimed.gateway_id, event)
        case events.DisputeChanged():
            return _apply_dispute(session, claimed.gateway_id, event)
        case events.MethodSaved():
            return _apply_setup(session, claimed.gateway_id, event, setup)
        case events.MethodChanged():
            return _apply_method(session, claimed.gateway_id, event)
        case events.MethodGone():
            return _apply_gone(session, claimed.gateway_id, event)


def _apply_charge(session: TenantSession, gateway_id: UUID, event: events.ChargeChanged) -> bool:
    payment_id = _payment_of_charge(session, gateway_id, event)
    if payment_id is None:
        return False
    payment, invoice = charging.lock_payment(session, payment_id)
    charging.report_charge(session, payment, invoice, event.outcome, taken_back=event.taken_back)
    demands.settle_waiting(session, payment, invoice)
    return True


def _payment_of_charge(session: TenantSession, gateway_id: UUID, event: events.ChargeChanged) -> UUID | None:
    """By our own ids first: they are there before the provider's reference is."""
    mine = select(Payment.id).where(Payment.gateway_id == gateway_id)
    if event.payment_id:
        try:
            found = session.scalar(mine.where(Payment.id == decode_id("pay", event.payment_id)))
        except InvalidIdError:
            found = None
        if found is not None:
            return found
    if event.idempotency_key:
        found = session.scalar(mine.where(Payment.key == event.idempotency_key))
        if found is not None:
            return found
    return _by_reference(session, gateway_id, event.outcome.provider_reference)


def _by_reference(session: TenantSession, gateway_id: UUID, reference: str | None) -> UUID | None:
    if reference is None:
        return None
    statement = select(Payment.id).where(Payment.gateway_id == gateway_id, Payment.provider_reference == reference)
    return session.scalar(statement.limit(1))


def _apply_refund(session: TenantSession, gateway_id: UUID, event: events.RefundChanged) -> bool:
    payment_id = _by_reference(session, gateway_id, event.charge_reference)
    if payment_id is None:
        return False
    payment, invoice = charging.lock_payment(session, payment_id)
    refund = _known_refund(session, payment, event) or _foreign_refund(session, payment, event)
    refunds.report_refund(session, payment, invoice, refund, event.outcome)
    return True


def _known_refund(session: TenantSession, payment: Payment, event: events.RefundChanged) -> Refund | None:
    mine = select(Refund).where(Refund.payment_id == payment.id)
    if event.idempotency_key:
        found = session.scalars(mine.where(Refund.key == event.idempotency_key)).one_or_none()
        if found is not None:
            return found
    return session.scalars(mine.where(Refund.provider_reference == event.outcome.provider_reference)).one_or_none()


def _foreign_refund(session: TenantSession, payment: Payment, event: events.RefundChanged) -> Refund:
    """A refund that somebody made in the provider's own dashboard."""
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        currency=event.amount.currency,
        amount_minor=event.amount.amount_minor,
        fact=(RefundFact.FAILED if event.outcome.state is RefundState.FAILED else RefundFact.PENDING).name,
        provider_reference=event.outcome.provider_reference,
        reason="made at the provider",
        asked=0,
        announced=False,
        created_at=session.now(),
    )
    session.add(refund)
    session.flush()
    return refund


def _apply_dispute(session: TenantSession, gateway_id: UUID, event: events.DisputeChanged) -> bool:
    payment_id = _by_reference(session, gateway_id, event.charge_reference)
    if payment_id is None:
        return False
    payment, invoice = charging.lock_payment(session, payment_id)
    disputes.report_dispute(session, payment, invoice, event.dispute_reference, event.state, event.reason)
    demands.settle_waiting(session, payment, invoice)
    return True


def _apply_setup(
    session: TenantSession, gateway_id: UUID, event: events.MethodSaved, setup: SetupOutcome | None
) -> bool:
    statement = select(PaymentMethod).where(
        PaymentMethod.gateway_id == gateway_id, PaymentMethod.setup_reference == event.setup_reference
    )
    owner_id = session.scalar(statement.with_only_columns(PaymentMethod.owner_id).limit(1))
    if setup is None or owner_id is None:
        return False
    methods.lock_owner(session, owner_id)
    for method in session.scalars(statement.with_for_update()).all():
        methods.finish_setup(session, method, setup)
    return True


def _apply_method(session: TenantSession, gateway_id: UUID, event: events.MethodChanged) -> bool:
    found = _methods_of(session, gateway_id, event.method.reference)
    for method in found:
        methods.describe(session, method, event.method)
        methods.announce(session, method)
    return bool(found)


def _apply_gone(session: TenantSession, gateway_id: UUID, event: events.MethodGone) -> bool:
    found = _methods_of(session, gateway_id, event.method_reference)
    for method in found:
        methods.remove(session, method)
    return bool(found)


def _methods_of(session: TenantSession, gateway_id: UUID, reference: str) -> list[PaymentMethod]:
    statement = select(PaymentMethod).where(
        PaymentMethod.gateway_id == gateway_id, PaymentMethod.reference == reference, PaymentMethod.state == "active"
    )
    return list(session.scalars(statement.with_for_update()))
