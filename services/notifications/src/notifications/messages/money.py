"""Payments, refunds, cards and gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.clock import local_date
from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.payments import (
    GatewayChanged,
    PaymentActionRequired,
    PaymentFailed,
    PaymentMethodExpiring,
    PaymentPending,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReversed,
    PaymentState,
    PaymentSucceeded,
)
from notifications.mail.links import LINKS
from notifications.services.notifying import About, Notice, notify
from notifications.services.recipients import bill_recipient, operator_recipient

_UNTOLD_SOURCES = {"test"}  # a test charge is the operator's own, and shown where it was made
_ATTENDED_SOURCES = {"pay_now", "checkout", "test"}  # whoever sits before the page sees the failure there

_TAKEN_BACK = {"disputed", "failed"}


def register(registry: Handlers) -> None:
    """Listen to how it is paid."""
    registry.on(PaymentSucceeded)(_succeeded)
    registry.on(PaymentPending)(_pending)
    registry.on(PaymentFailed)(_failed)
    registry.on(PaymentReversed)(_reversed)
    registry.on(PaymentRefunded)(_refunded)
    registry.on(PaymentRefundFailed)(_refund_failed)
    registry.on(PaymentActionRequired)(_action_required)
    registry.on(PaymentMethodExpiring)(_expiring)
    registry.on(GatewayChanged)(_gateway)


def _succeeded(session: TenantSession, message: PaymentSucceeded, _envelope: Envelope) -> None:
    _tell(session, message, "receipt", f"payment:{message.payment_id}:receipt")


def _pending(session: TenantSession, message: PaymentPending, _envelope: Envelope) -> None:
    _tell(session, message, "payment-pending", f"payment:{message.payment_id}:pending:{message.attempt}")


def _failed(session: TenantSession, message: PaymentFailed, _envelope: Envelope) -> None:
    again = message.next_attempt_at and local_date(message.next_attempt_at, session.organization.timezone)
    more = {"next_attempt_at": again, "failure_code": message.failure_code}
    if message.source not in _ATTENDED_SOURCES:
        _tell(session, message, "payment-failed", f"payment:{message.payment_id}:failed:{message.attempt}", **more)
    if message.source == "automatic" and message.next_attempt_at is None:
        source = f"payment:{message.payment_id}:given-up:{message.attempt}"
        failure = {"failure_code": message.failure_code, "attempt": message.attempt}
        _alert(session, message, "collection-failed", source, failure)


def _reversed(session: TenantSession, message: PaymentReversed, _envelope: Envelope) -> None:
    source = f"payment:{message.payment_id}:reversed:{message.version}"
    _tell(session, message, "payment-reversed", source)
    _alert(session, message, "payment-taken-back", source, {"reason": message.reason})


def _refunded(session: TenantSession, message: PaymentRefunded, _envelope: Envelope) -> None:
    source = f"refund:{message.refund_id}"
    _tell(session, message, "payment-refunded", source, refund=message.refund, reason=message.reason or "")


def _refund_failed(session: TenantSession, message: PaymentRefundFailed, _envelope: Envelope) -> None:
    if message.source in _UNTOLD_SOURCES:
        return
    more: dict[str, Any] = {
        "refund": message.refund,
        "failure_code": message.failure_code,
        "reason": message.reason or "",
    }
    # A chargeback or a late return took the money first: there is nothing to give back any more.
    more["is_taken_back"] = message.state in _TAKEN_BACK
    link = LINKS.admin_payment(message.payment_id)
    _alert(session, message, "refund-failed", f"refund:{message.refund_id}:failed", more, link)


def _action_required(session: TenantSession, message: PaymentActionRequired, _envelope: Envelope) -> None:
    source = f"payment:{message.payment_id}:action:{message.attempt}"
    _tell(session, message, "payment-action-required", source, link=message.action_url)


def _expiring(session: TenantSession, message: PaymentMethodExpiring, _envelope: Envelope) -> None:
    method = {"name": _method_name(message.brand, message.last4, "card"), "expires_on": message.expires_on}
    notify(
        session,
        Notice(
            template="payment-method-expiring",
            source=f"payment-method:{message.payment_method_id}:expires:{message.expires_on}:{message.days_left}",
            recipient=bill_recipient(session, message.customer),
            data={"method": method, "link": LINKS.payment_methods(session.organization)},
        ),
    )


def _gateway(session: TenantSession, message: GatewayChanged, _envelope: Envelope) -> None:
    if message.state != "disconnected":
        return
    notify(
        session,
        Notice(
            template="gateway-disconnected",
            source=f"gateway:{message.gateway_id}:disconnected:{message.version}",
            recipient=operator_recipient(session),
            data={"gateway": {"provider": message.provider}, "link": LINKS.admin_page("payment-gateways")},
        ),
    )


def _tell(session: TenantSession, message: PaymentState, template: str, source: str, **more: Any) -> None:
    if message.source in _UNTOLD_SOURCES:
        return
    link = more.pop("link", None) or LINKS.invoice(session.organization, message.invoice_id)
    notify(
        session,
        Notice(
            template=template,
            source=source,
            recipient=bill_recipient(session, message.customer),
            data={"payment": _payment_data(session, message) | more, "link": link},
            about=_about(message),
        ),
    )


def _alert(
    session: TenantSession,
    message: PaymentState,
    template: str,
    source: str,
    more: Mapping[str, Any],
    link: str | None = None,
) -> None:
    payment = _payment_data(session, message) | {"customer": message.customer.name, **more}
    notify(
        session,
        Notice(
            template=template,
            source=source,
            recipient=operator_recipient(session),
            data={"payment": payment, "link": link or LINKS.admin_invoice(message.invoice_id)},
            about=_about(message),
        ),
    )


def _about(message: PaymentState) -> About:
    booking_id = message.booking_ids[0] if len(message.booking_ids) == 1 else None
    return About(invoice_id=message.invoice_id, payment_id=message.payment_id, booking_id=booking_id)


def _payment_data(session: TenantSession, message: PaymentState) -> dict[str, Any]:
    zone = session.organization.timezone
    return {
        "amount": message.amount,
        "invoice_number": message.invoice_number or "",
        "date": local_date(message.occurred_at, zone),
        "method": _method_name(message.brand, message.last4, message.method),
        "reference": message.reference or "",
    }


def _method_name(brand: str | None, last4: str | None, kind: str) -> str:
    """``Visa ···· 4242``; without a brand the kind in words: ``Bank transfer``."""
    name = (brand or kind).replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}" + (f" ···· {last4}" if last4 else "")
