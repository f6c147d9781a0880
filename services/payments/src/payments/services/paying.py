"""Paying an invoice now: by a saved method, or by hand (PAY-1, PAY-4). Racing collection, exactly one succeeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from common import audit
from common.clock import at_local_hour, local_date
from common.db import TenantSession
from common.errors import ConflictError, DomainError, InvalidError, NotFoundError
from common.ids import encode_id
from common.money import Money
from payments.domain.payment_state import ChargeFact
from payments.gateways.port import ChargeOutcome, ChargeState
from payments.models import Gateway, Invoice, Payment, PaymentMethod
from payments.services import charging
from payments.services.accounts import choose_gateway
from payments.services.collecting import carry, errand_for
from payments.services.methods import Owner, customer_reference
from payments.services.planning import lock_invoice, replan
from payments.services.providers import Providers

Permit = Callable[[Invoice], None]
PermitMethod = Callable[[Invoice, PaymentMethod], None]
_IN_PROGRESS = ("payment_in_progress", "a payment of this invoice is on its way; wait for its outcome")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to pay: its key in the scope of its caller, what tells another body apart, and where to return."""

    key: str
    fingerprint: str
    return_url: str | None = None


def payment_by_request(session: TenantSession, request_key: str, fingerprint: str) -> Payment | None:
    """What an earlier request with the same key led to. Raises InvalidError when that had another body."""
    payment = session.scalars(select(Payment).where(Payment.request_key == request_key)).one_or_none()
    if payment is not None and payment.request_fingerprint != fingerprint:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    return payment


def pay_now(
    session: TenantSession,
    providers: Providers,
    invoice_id: UUID,
    method_id: UUID,
    *,
    permit: Permit,
    permit_method: PermitMethod,
    asked: Asked,
) -> Payment:
    """Charge all that is payable to a saved method. Two transactions of its own; the caller commits the second.

    Raises NotFoundError; ConflictError ``payment_in_progress``, ``invoice_paid``, ``invoice_not_payable``,
    ``payment_method_unusable``. A decline is no error but a failed payment.
    """
    invoice = _free_invoice(session, providers, invoice_id, permit, asked.key)
    method = _usable_method(session, invoice, method_id)
    permit_method(invoice, method)
    return _charge(session, providers, invoice, method, asked)


def pay_with_new_method(
    session: TenantSession,
    providers: Providers,
    invoice_id: UUID,
    *,
    permit: Permit,
    asked: Asked,
) -> Payment:
    """Begin a payment whose method the customer enters in the provider's element; it is ``action_required`` then.

    Several transactions; the caller commits the last. Raises as `pay_now`; ConflictError ``no_payment_gateway``, and
    ``gateway_unsupported`` where methods are entered on a page beforehand.
    """
    invoice = _free_invoice(session, providers, invoice_id, permit, asked.key)
    gateway = choose_gateway(session, location_id=invoice.location_id, kind="card")
    adapter = providers.open(gateway)
    if adapter.capabilities().setup_by == "redirect":
        raise ConflictError("gateway_unsupported", "set up a payment method first; this provider has no element")
    owner = Owner(_id(invoice, "member_id"), None if _id(invoice, "member_id") else _id(invoice, "company_id"))
    reference = customer_reference(session, adapter, gateway, owner)
    # The provider may have been asked in between: look again under the lock.
    invoice = _free_invoice(session, providers, invoice_id, permit, asked.key)
    return _charge(session, providers, invoice, charging.NewMethod(gateway, reference), asked)


def _charge(
    session: TenantSession,
    providers: Providers,
    invoice: Invoice,
    method: PaymentMethod | charging.NewMethod,
    asked: Asked,
) -> Payment:
    try:
        payment = charging.begin_attempt(
            session,
            providers,
            invoice,
            method,
            source="checkout" if invoice.checkout_id else "pay_now",
            off_session=False,
            return_url=asked.return_url,
            request_key=asked.key,
            fingerprint=asked.fingerprint,
        )
        session.flush()
    except IntegrityError as error:
        raise _lost_race(error) from error
    replan(session, invoice)
    errand = errand_for(session, providers, payment)
    _note_start(session, invoice, payment)
    session.commit()
    _, outcome = carry(errand)
    payment, held = charging.lock_payment(session, errand.payment_id)
    charging.report_charge(session, payment, held, outcome)
    return payment


def _note_start(session: TenantSession, invoice: Invoice, payment: Payment) -> None:
    """The audit log's entry goes with the intent: whoever repeats the request later, adds none."""
    facts = {"amount": str(payment.amount.decimal()), "currency": payment.currency, "source": payment.source}
    audit.record(session, "payment.started", f"{encode_id('inv', invoice.id)}/{encode_id('pay', payment.id)}", facts)


def _id(invoice: Invoice, name: str) -> UUID | None:
    text = invoice.customer.get(name)
    return UUID(text) if text else None


def record_manual(
    session: TenantSession,
    providers: Providers,
    invoice_id: UUID,
    *,
    permit: Permit,
    method: str,
    amount: Money | None,
    reference: str | None,
    day: date | None,
    asked: Asked,
) -> Payment:
    """Write down money that was taken by hand; partial and over payments are fine (PAY-4). The caller commits.

    Raises as `pay_now`; InvalidError ``currency_mismatch``, ``date_in_future``.
    """
    invoice = _free_invoice(session, providers, invoice_id, permit, asked.key, pending_is_free=True)
    amount = invoice.payable if amount is None else amount
    _check_amount(amount, invoice.currency)
    payment = charging.new_payment(session, invoice, amount, source="manual")
    payment.provider, payment.method, payment.reference = "manual", method, reference
    payment.request_key, payment.request_fingerprint = asked.key, asked.fingerprint
    payment.running = False
    session.add(payment)
    try:
        session.flush()
    except IntegrityError as error:
        raise _lost_race(error) from error
    taken = ChargeOutcome(ChargeState.SUCCEEDED)
    charging.report_charge(session, payment, invoice, taken, at=_taken_at(session, invoice, day))
    return payment


def _taken_at(session: TenantSession, invoice: Invoice, day: date | None) -> datetime | None:
    today = local_date(session.now(), invoice.timezone)
    if day is None or day == today:
        return None
    if day > today:
        raise InvalidError("date_in_future", "money cannot have been taken in the future")
    return at_local_hour(day, 12, invoice.timezone)


def _check_amount(amount: Money, currency: str) -> None:
    if amount.currency != currency:
        raise InvalidError("currency_mismatch", f"this invoice is in {currency}")
    if amount.amount_minor <= 0:
        raise InvalidError("amount_not_positive", "a payment has a positive amount")


def _free_invoice(
    session: TenantSession,
    providers: Providers,
    invoice_id: UUID,
    permit: Permit,
    request_key: str,
    *,
    pending_is_free: bool = False,
) -> Invoice:
    """The locked invoice, with nothing running that could succeed besides: what waits for the member is given up."""
    invoice = lock_invoice(session, invoice_id)
    if invoice is None:
        raise NotFoundError("invoice_not_found", "there is no such invoice")
    permit(invoice)
    if session.scalar(select(Payment.id).where(Payment.request_key == request_key)) is not None:
        raise ConflictError("idempotency_key_in_use", "a request with this key is still running")
    _check_payable(invoice)
    running = _running(session, invoice.id)
    if running is None and (failed := _may_still_succeed(session, invoice.id)) is not None:
        _give_up(session, providers, failed)
        return _free_invoice(session, providers, invoice_id, permit, request_key, pending_is_free=pending_is_free)
    if running is None or (pending_is_free and running.charge == ChargeFact.PENDING.name):
        return invoice
    if running.charge != ChargeFact.ACTION_REQUIRED.name or running.provider_reference is None:
        raise ConflictError(*_IN_PROGRESS)
    _give_up(session, providers, running)
    return _free_invoice(session, providers, invoice_id, permit, request_key, pending_is_free=pending_is_free)


def _give_up(session: TenantSession, providers: Providers, running: Payment) -> None:
    """Cancel an attempt that the member could still confirm, so that it cannot succeed beside the next one."""
    payment_id, reference = running.id, running.provider_reference or ""
    gateway = errand_for(session, providers, running).gateway
    session.commit()
    outcome = gateway.cancel_charge(reference)
    payment, invoice = charging.lock_payment(session, payment_id)
    charging.report_closing(session, payment, invoice, outcome)
    session.commit()
    if outcome.state is ChargeState.ACTION_REQUIRED:
        raise ConflictError(*_IN_PROGRESS)


def _running(session: TenantSession, invoice_id: UUID) -> Payment | None:
    statement = select(Payment).where(Payment.invoice_id == invoice_id, Payment.running)
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _may_still_succeed(session: TenantSession, invoice_id: UUID) -> Payment | None:
    failed = (Payment.charge == ChargeFact.FAILED.name, Payment.client_secret.is_not(None))
    connected = Payment.gateway_id.in_(select(Gateway.id).where(Gateway.state == "connected"))
    statement = select(Payment).where(Payment.invoice_id == invoice_id, *failed, connected)
    return next(filter(charging.may_still_succeed, session.scalars(statement).all()), None)


def _check_payable(invoice: Invoice) -> None:
    if invoice.state in {"void", "draft"}:
        raise ConflictError("invoice_not_payable", f"an invoice that is {invoice.state} cannot be paid")
    if not invoice.payable:
        raise ConflictError("invoice_paid", "nothing is payable on this invoice any more")


def _usable_method(session: TenantSession, invoice: Invoice, method_id: UUID) -> PaymentMethod:
    method = session.scalars(
        select(PaymentMethod).where(PaymentMethod.id == method_id, PaymentMethod.state != "removed")
    ).one_or_none()
    if method is None:
        raise NotFoundError("payment_method_not_found", "there is no such payment method")
    gateway = session.get_one(Gateway, method.gateway_id)
    elsewhere = gateway.location_id is not None and gateway.location_id != invoice.location_id
    pretends = gateway.provider == "sandbox" and session.organization.mode == "live"
    if method.state not in {"active", "single_use"} or gateway.state != "connected" or elsewhere or pretends:
        raise ConflictError("payment_method_unusable", "this method cannot be charged for this invoice")
    return method


def _lost_race(error: IntegrityError) -> DomainError:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
    if constraint == "uq_payment_request_key":
        return ConflictError("idempotency_key_in_use", "a request with this key is still running")
    return ConflictError(*_IN_PROGRESS)
