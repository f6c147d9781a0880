"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from contracts.parts import Customer as CustomerPart
from contracts.payments import (
    GatewayChanged,
    PaymentActionRequired,
    PaymentFailed,
    PaymentMethodChanged,
    PaymentMethodExpiring,
    PaymentPending,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReversed,
    PaymentSucceeded,
)
from payments.models import Customer, Gateway, Payment, PaymentMethod, Refund


def customer_part(row: Customer | None, *, member_id: UUID | None, company_id: UUID | None) -> CustomerPart:
    """Who pays, as far as the copy of them has arrived."""
    return CustomerPart(
        member_id=member_id,
        company_id=company_id,
        name=row.name if row else "",
        email=row.email if row else None,
        language=row.language if row else None,
    )


def _state(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "invoice_id": payment.invoice_id,
        "invoice_number": payment.invoice_number,
        "customer": msgspec.convert(payment.customer, CustomerPart),
        "amount": payment.amount,
        "refunded": payment.refunded,
        "state": payment.state,
        "source": payment.source,
        "provider": payment.provider,
        "method": payment.method,
        "brand": payment.brand,
        "last4": payment.last4,
        "reference": payment.reference,
        "attempt": payment.attempt,
        "occurred_at": payment.occurred_at,
        "booking_ids": [UUID(value) for value in payment.booking_ids],
        "checkout_id": payment.checkout_id,
        "version": payment.version,
    }


def payment_succeeded(payment: Payment) -> PaymentSucceeded:
    """Money arrived."""
    return PaymentSucceeded(**_state(payment))


def payment_pending(payment: Payment) -> PaymentPending:
    """Money is on its way."""
    return PaymentPending(**_state(payment))


def payment_failed(payment: Payment, next_attempt_at: datetime | None) -> PaymentFailed:
    """An attempt failed."""
    return PaymentFailed(
        **_state(payment),
        failure_code=payment.failure_code or "unknown",
        failure_kind=payment.failure_kind or "soft",
        next_attempt_at=next_attempt_at,
    )


def payment_action_required(payment: Payment, action_url: str) -> PaymentActionRequired:
    """The member must confirm at their bank."""
    return PaymentActionRequired(**_state(payment), action_url=action_url)


def payment_reversed(payment: Payment, reason: str) -> PaymentReversed:
    """Money was taken back."""
    return PaymentReversed(**_state(payment), reason=reason)


def payment_refunded(payment: Payment, refund: Refund) -> PaymentRefunded:
    """Money was given back."""
    return PaymentRefunded(
        **_state(payment),
        refund_id=refund.id,
        refund=refund.amount,
        credit_note_id=refund.credit_note_id,
        reason=refund.reason,
    )


def payment_refund_failed(payment: Payment, refund: Refund) -> PaymentRefundFailed:
    """Money that was to go back is still here."""
    return PaymentRefundFailed(
        **_state(payment),
        refund_id=refund.id,
        refund=refund.amount,
        credit_note_id=refund.credit_note_id,
        request_id=refund.request_id,
        reason=refund.reason,
        failure_code=refund.failure_code or "refund_failed",
    )


def payment_method_changed(method: PaymentMethod, customer: Customer | None) -> PaymentMethodChanged:
    """The whole public state of a method."""
    return PaymentMethodChanged(
        payment_method_id=method.id,
        customer=customer_part(customer, member_id=method.member_id, company_id=method.company_id),
        provider=method.provider,
        kind=method.kind,
        brand=method.brand,
        last4=method.last4,
        expires_on=method.expires_on,
        is_default=method.is_default,
        state=method.state,
        version=method.version,
    )


def payment_method_expiring(method: PaymentMethod, customer: Customer | None, days_left: int) -> PaymentMethodExpiring:
    """A card ends soon; only for cards, which have an end."""
    if method.expires_on is None:
        raise ValueError("only a card expires")
    return PaymentMethodExpiring(
        payment_method_id=method.id,
        customer=customer_part(customer, member_id=method.member_id, company_id=method.company_id),
        brand=method.brand,
        last4=method.last4,
        expires_on=method.expires_on,
        days_left=days_left,
        version=method.version,
    )


def gateway_changed(gateway: Gateway) -> GatewayChanged:
    """The public state of a gateway; never a secret."""
    return GatewayChanged(
        gateway_id=gateway.id,
        provider=gateway.provider,
        location_id=gateway.location_id,
        methods=list(gateway.methods),
        state=gateway.state,
        version=gateway.version,
    )
