"""A test charge before going live: a small amount, its result, and back again (DOMAIN section 0, step 6)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from common import audit
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from common.ids import encode_id, new_id
from common.money import Money, currency_exponent
from payments.domain.payment_state import ChargeFact
from payments.gateways.port import ChargeRequest, CustomerDetails, PaymentGateway
from payments.models import Gateway, Payment, PaymentMethod, Refund
from payments.services import charging, refunding, refunds
from payments.services.accounts import find_gateway
from payments.services.collecting import carry, errand_for
from payments.services.methods import find_method
from payments.services.paying import payment_by_request
from payments.services.providers import Providers


def earlier_test_charge(
    session: TenantSession, request_key: str, fingerprint: str
) -> tuple[Payment, Refund | None] | None:
    """What an earlier request with the same key led to. Raises InvalidError when that had another body."""
    payment = payment_by_request(session, request_key, fingerprint)
    if payment is None:
        return None
    return payment, session.scalars(select(Refund).where(Refund.payment_id == payment.id)).first()


def make_test_charge(
    session: TenantSession,
    providers: Providers,
    gateway_id: UUID,
    *,
    request_key: str,
    fingerprint: str,
    amount: Money | None = None,
    token: str | None = None,
    payment_method_id: UUID | None = None,
) -> tuple[Payment, Refund | None]:
    """Charge (one unit of the currency unless told) and refund; several transactions, the caller commits the last.

    Raises InvalidError ``currency_mismatch``, ``payment_method_missing``; ConflictError for a manual or disconnected
    gateway; what the provider refuses to save.
    """
    gateway = find_gateway(session, gateway_id)
    adapter = _collecting_adapter(providers, gateway)
    if amount is None:
        amount = Money(10 ** currency_exponent(session.organization.currency), session.organization.currency)
    if amount.currency != session.organization.currency or amount.amount_minor <= 0:
        raise InvalidError("currency_mismatch", f"a positive amount in {session.organization.currency} is wanted")
    payment = _intent(session, gateway, amount, request_key, fingerprint)
    method = find_method(session, payment_method_id) if payment_method_id else None
    if method is not None and method.gateway_id != gateway.id:
        raise InvalidError("payment_method_elsewhere", "this method was saved at another gateway")
    customer, reference = _payer(session, adapter, payment, method, token or _usual_token(gateway))
    _send(session, providers, payment, customer, reference, method)
    if payment.charge != ChargeFact.SUCCEEDED.name:
        return payment, None
    return payment, _give_back(session, providers, payment)


def _collecting_adapter(providers: Providers, gateway: Gateway) -> PaymentGateway:
    if gateway.state != "connected":
        raise ConflictError("gateway_disconnected", "this gateway is no longer connected")
    adapter = providers.open(gateway)
    if not adapter.capabilities().collects:
        raise ConflictError("gateway_does_not_collect", "nothing can be charged through this gateway")
    return adapter


def _usual_token(gateway: Gateway) -> str | None:
    return "sandbox_ok" if gateway.provider == "sandbox" else None


def _intent(session: TenantSession, gateway: Gateway, amount: Money, request_key: str, fingerprint: str) -> Payment:
    now = session.now()
    payment = Payment(
        id=new_id(),
        version=1,
        customer={},
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        refunded_minor=0,
        kept_minor=0,
        state="pending",
        charge=ChargeFact.UNKNOWN.name,
        refunds={},
        disputes={},
        running=True,
        source="test",
        provider=gateway.provider,
        gateway_id=gateway.id,
        method="card",
        attempt=1,
        attempts=[],
        asked=0,
        charged_at=now,
        occurred_at=now,
        created_at=now,
        booking_ids=[],
        request_key=request_key,
        request_fingerprint=fingerprint,
    )
    payment.key = f"{encode_id('pay', payment.id)}:1"
    return payment


def _payer(
    session: TenantSession,
    adapter: PaymentGateway,
    payment: Payment,
    method: PaymentMethod | None,
    token: str | None,
) -> tuple[str, str]:
    """Customer and method at the provider: a saved method's, or a test customer's with a token."""
    if method is not None and method.reference is not None:
        charging.paid_with(payment, method)
        return method.customer_reference, method.reference
    if token is None:
        raise InvalidError("payment_method_missing", "say which payment_method_id (or provider's token) to charge")
    session.commit()
    customer = adapter.create_customer(CustomerDetails("Test charge"), f"{payment.key}:customer")
    saved = adapter.attach(customer, token)
    payment.method, payment.brand, payment.last4 = saved.kind.value, saved.brand, saved.last4
    return customer, saved.reference


def _send(
    session: TenantSession,
    providers: Providers,
    payment: Payment,
    customer: str,
    reference: str,
    method: PaymentMethod | None,
) -> None:
    request = ChargeRequest(
        idempotency_key=payment.key or "",
        amount=payment.amount,
        customer_reference=customer,
        method_reference=reference,
        description="Test charge",
        metadata={"payment_id": encode_id("pay", payment.id)},
        off_session=method is None,
    )
    payment.request = charging.stored(request)
    payment.action_url = providers.action_url(payment.id)
    charging.watch(session, payment)
    session.add(payment)
    errand = errand_for(session, providers, payment)
    subject = f"{encode_id('gtw', payment.gateway_id)}/{encode_id('pay', payment.id)}" if payment.gateway_id else ""
    audit.record(session, "test_charge.started", subject, {"amount": str(payment.amount.decimal())})
    session.commit()
    _, outcome = carry(errand)
    held, _ = charging.lock_payment(session, payment.id)
    charging.report_charge(session, held, None, outcome)


def _give_back(session: TenantSession, providers: Providers, payment: Payment) -> Refund:
    refund = refunds.begin_refund(session, payment, None, payment.amount, reason="test charge")
    errand = refunding.errand_for_refund(session, providers, refund)
    refunding.lease(session, refund)
    session.commit()
    outcome = refunding.carry_refund(errand)
    held, _, given = refunds.lock_refund(session, refund.id)
    refunds.report_refund(session, held, None, given, outcome)
    return given
