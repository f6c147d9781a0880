"""What payments adds to the "Getting paid" checklist: what would keep money from coming in (DOMAIN section 0)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from common.db import TenantSession
from payments.domain.payment_state import RefundFact
from payments.models import Collection, Customer, Gateway, Payment, PaymentMethod, Refund
from payments.services.surroundings import billing_settings

CREDENTIALS_REJECTED = "gateway_credentials_rejected"
_ARRIVED = ("succeeded", "partially_refunded", "refunded")
_RECENT = timedelta(days=7)
_REFUNDS_RECENT = timedelta(days=30)


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts, by name, that the checklist and its problems are made from."""
    settings = billing_settings(session)
    counts = {**_gateway_counts(), **_charge_counts(session), "refunds_failed": _refunds_failed(session)}
    row = session.execute(select(*(count.label(name) for name, count in counts.items()))).one()
    return {
        **row._mapping,
        "automatic_collection": bool(settings and settings.automatic_collection),
        "is_live": session.organization.mode == "live",
    }


def _gateway_counts() -> dict[str, Any]:
    connected = Gateway.state == "connected"
    online = (connected, Gateway.provider != "manual")
    deaf = Gateway.provider.not_in(("manual", "sandbox")) & Gateway.has_webhook_secret.is_(False)
    return {
        "gateways_connected": _count(Gateway, *online),
        "gateways_without_events": _count(Gateway, connected, deaf),
        "gateways_in_test_mode": _count(Gateway, *online, Gateway.is_live.is_(False)),
    }


def _charge_counts(session: TenantSession) -> dict[str, Any]:
    with_method = select(PaymentMethod.owner_id).where(PaymentMethod.state == "active")
    # A test charge is given back.
    paid = select(Payment.id).where(Payment.state.in_(_ARRIVED))
    rejected = (Payment.failure_code == CREDENTIALS_REJECTED, Payment.failed_at > session.now() - _RECENT)
    return {
        "members_without_method": _count(
            Customer,
            Customer.kind == "member",
            Customer.status == "active",
            Customer.company_id.is_(None),
            Customer.id.not_in(with_method),
        ),
        "collections_awaiting_method": _count(Collection, Collection.state == "awaiting_method"),
        "collections_given_up": _count(Collection, Collection.state == "gave_up"),
        "credentials_rejected": _count(Payment, *rejected),
        "has_been_paid": paid.exists(),
    }


def _refunds_failed(session: TenantSession) -> Any:
    """Refunds that did not arrive: the recent ones, and those of money that nobody has a claim to while we have it.

    Money for a void invoice that cannot go back is its customer's credit, if they are known: invoicing sees to that.
    What the bank took back is no longer ours to give.
    """
    ours = Refund.payment_id.in_(select(Payment.id).where(Payment.state.in_(_ARRIVED)))
    recent = Refund.created_at > session.now() - _REFUNDS_RECENT
    kept = select(Payment.id).where(Payment.kept_minor > 0, ~Payment.payer.has())
    nobodys = Refund.request_id.is_not(None) & Refund.payment_id.in_(kept)
    return _count(Refund, Refund.fact == RefundFact.FAILED.name, ours, recent | nobodys)


def setup_problems(facts: dict[str, Any]) -> Iterator[dict[str, str | None]]:
    """What keeps money from coming in, most basic first."""
    gateways, methods, collections = "/v1/payment-gateways", "/v1/payment-methods", "/v1/collections"
    if not facts["gateways_connected"]:
        yield _problem("no_payment_gateway", "no gateway is connected: nothing can be paid online", gateways)
    if facts["is_live"] and facts["gateways_in_test_mode"]:
        yield _problem("gateway_in_test_mode", "a gateway has test keys: it takes no real money", gateways)
    if facts["gateways_without_events"]:
        detail = "a gateway has no signing secret: what its provider reports later (debits, disputes) is not heard"
        yield _problem("gateway_without_events", detail, gateways)
    if facts["credentials_rejected"]:
        yield _problem("gateway_credentials_rejected", "a provider no longer accepts our keys", gateways)
    if facts["refunds_failed"]:
        detail = f"refunds that did not reach the customer: {facts['refunds_failed']}; give them back by hand"
        yield _problem("refunds_failed", detail, "/v1/payments", facts["refunds_failed"])
    if facts["automatic_collection"] and facts["members_without_method"]:
        detail = f"members without a payment method to collect from: {facts['members_without_method']}"
        yield _problem("members_without_method", detail, methods, facts["members_without_method"])
    if facts["collections_awaiting_method"]:
        detail = f"invoices that wait for a payment method: {facts['collections_awaiting_method']}"
        yield _problem("collections_awaiting_method", detail, collections, facts["collections_awaiting_method"])
    if facts["collections_given_up"]:
        detail = f"invoices that were given up after the last attempt: {facts['collections_given_up']}"
        yield _problem("collections_given_up", detail, collections, facts["collections_given_up"])


def _problem(code: str, detail: str, href: str, number: int | None = None) -> dict[str, str | None]:
    return {"code": code, "detail": detail, "href": href, "about": None if number is None else str(number)}


def _count(model: Any, *conditions: Any) -> Any:
    return select(func.count(model.id)).where(*conditions).scalar_subquery()
