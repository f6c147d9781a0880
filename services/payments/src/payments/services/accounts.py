"""Connecting, changing and disconnecting payment gateways (PAY-6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox
from payments.domain.payment_state import RefundFact
from payments.domain.refunds import WAITING
from payments.gateways.port import AccountDetails, PaymentGateway
from payments.messages.publishes import gateway_changed, payment_method_changed
from payments.models import Customer, Gateway, Location, Payment, PaymentMethod, Refund
from payments.services.payouts import follow_payouts, stop_following
from payments.services.planning import replan_payer
from payments.services.providers import Providers


@dataclass(frozen=True, slots=True)
class CheckedAccount:
    """Credentials that a provider accepted, and what can be done with them."""

    provider: str
    credentials: Mapping[str, str]
    adapter: PaymentGateway
    account: AccountDetails


def check_account(providers: Providers, provider: str, credentials: Mapping[str, str], *, mode: str) -> CheckedAccount:
    """Ask the provider whether it accepts the keys; outside any transaction.

    Raises InvalidError: malformed or refused keys, the sandbox in a live organisation (it moves no money), live keys in
    a rehearsal (an advanced clock would charge real cards). UnavailableError when the provider does not answer.
    """
    if provider == "sandbox" and mode == "live":
        raise InvalidError("sandbox_needs_rehearsal", "the sandbox moves no money; use it in a rehearsal organisation")
    adapter = providers.make(provider, credentials)
    account = adapter.check_credentials()
    if account.live and mode == "rehearsal" and adapter.capabilities().collects:
        raise InvalidError("live_keys_in_rehearsal", "a rehearsal takes the provider's test keys only")
    return CheckedAccount(provider, dict(credentials), adapter, account)


def connect(
    session: TenantSession,
    providers: Providers,
    checked: CheckedAccount,
    *,
    location_id: UUID | None = None,
    methods: Sequence[str] | None = None,
    request_key: str | None = None,
) -> Gateway:
    """Store a checked account. Raises InvalidError: no such location, or methods that the provider does not have."""
    now = session.now()
    _require_location(session, location_id)
    gateway = Gateway(
        id=new_id(),
        version=1,
        provider=checked.provider,
        label=checked.account.label,
        location_id=location_id,
        credentials=_sealed(providers, checked.credentials),
        has_webhook_secret="webhook_secret" in checked.credentials,
        methods=_methods(checked.adapter, methods),
        is_live=checked.account.live,
        state="connected",
        request_key=request_key,
        created_at=now,
    )
    session.add(gateway)
    follow_payouts(session, gateway, checked.adapter)
    session.flush()
    _announce(session, gateway)
    return gateway


def connect_sandbox_once(session: TenantSession, organization_id: UUID, now: datetime) -> None:
    """Give a rehearsal organisation its sandbox: once, also when it was disconnected later."""
    sandbox = uuid5(organization_id, "sandbox")
    kinds = ["card", "sepa_debit", "ach_debit", "bacs_debit"]
    values = {
        "id": sandbox,
        "organization_id": organization_id,
        "version": 1,
        "provider": "sandbox",
        "label": "Sandbox",
        "has_webhook_secret": False,
        "methods": kinds,
        "is_live": False,
        "state": "connected",
        "created_at": now,
    }
    made = session.execute(insert(Gateway).values(values).on_conflict_do_nothing().returning(Gateway.id)).first()
    if made is not None:
        _announce(session, session.get_one(Gateway, sandbox))


def find_gateway(session: TenantSession, gateway_id: UUID, *, lock: bool = False) -> Gateway:
    """A gateway by id. Raises NotFoundError."""
    statement = select(Gateway).where(Gateway.id == gateway_id)
    gateway = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if gateway is None:
        raise NotFoundError("gateway_not_found", "there is no such payment gateway")
    return gateway


def choose_gateway(
    session: TenantSession, *, location_id: UUID | None, gateway_id: UUID | None = None, kind: str | None = None
) -> Gateway:
    """The connected gateway through which a method of a customer of this location is saved: the location's own first.

    Raises ConflictError ``no_payment_gateway``, NotFoundError for a given id.
    """
    statement = select(Gateway).where(Gateway.state == "connected", Gateway.provider != "manual")
    if gateway_id is not None:
        statement = statement.where(Gateway.id == gateway_id)
    else:
        statement = statement.where(Gateway.location_id.is_(None) | (Gateway.location_id == location_id))
    if session.organization.mode == "live":
        statement = statement.where(Gateway.provider != "sandbox")
    found = session.scalars(
        statement.order_by(Gateway.location_id.is_(None), Gateway.created_at.desc(), Gateway.id)
    ).all()
    fitting = [gateway for gateway in found if kind is None or kind in gateway.methods]
    if fitting:
        return fitting[0]
    if gateway_id is not None:
        raise NotFoundError("gateway_not_found", "there is no such connected payment gateway")
    raise ConflictError("no_payment_gateway", "connect a payment gateway first")


def _require_location(session: TenantSession, location_id: UUID | None) -> None:
    if location_id is not None and session.scalar(select(Location.id).where(Location.id == location_id)) is None:
        detail = "there is no such location"
        raise InvalidError("unknown_location", detail, errors=[FieldError("/location_id", detail)])


def change_gateway(
    session: TenantSession, providers: Providers, gateway: Gateway, checked: CheckedAccount | None, **values: Any
) -> Gateway:
    """Change a locked gateway's location or methods, or rotate its credentials (``checked``)."""
    if gateway.state != "connected":
        raise ConflictError("gateway_disconnected", "this gateway was disconnected; connect it again")
    if "location_id" in values:
        _require_location(session, values["location_id"])
        gateway.location_id = values["location_id"]
    if checked is not None:
        gateway.credentials = _sealed(providers, checked.credentials)
        gateway.has_webhook_secret = "webhook_secret" in checked.credentials
        gateway.is_live, gateway.label = checked.account.live, checked.account.label
    if "methods" in values:
        gateway.methods = _methods((checked.adapter if checked else providers.open(gateway)), values["methods"])
    gateway.touch()
    session.flush()
    _announce(session, gateway)
    return gateway


def disconnect(session: TenantSession, gateway: Gateway) -> None:
    """Forget a locked gateway's credentials; its methods can no longer be charged.

    Raises ConflictError ``gateway_has_pending_payments`` or ``gateway_has_pending_refunds`` while money is on its way.
    """
    if gateway.state == "disconnected":
        return
    if session.scalar(select(Payment.id).where(Payment.gateway_id == gateway.id, Payment.running).limit(1)):
        raise ConflictError("gateway_has_pending_payments", "payments through this gateway are still on their way")
    if session.scalar(_pending_refunds(gateway).limit(1)):
        raise ConflictError("gateway_has_pending_refunds", "refunds through this gateway are still on their way")
    gateway.state, gateway.credentials, gateway.disconnected_at = "disconnected", None, session.now()
    gateway.touch()
    stop_following(session, gateway.id)
    # Charges that are over, and were to be cancelled to be sure: nobody can be asked any more.
    waiting = (Payment.gateway_id == gateway.id, Payment.check_at.is_not(None))
    session.execute(update(Payment).where(*waiting).values(check_at=None, client_secret=None))
    owners = _retire_methods(session, gateway)
    session.flush()
    _announce(session, gateway)
    for owner_id in sorted(owners):
        replan_payer(session, owner_id)


def _pending_refunds(gateway: Gateway) -> Select[UUID]:
    statement = select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    return statement.where(Payment.gateway_id == gateway.id, Refund.fact.in_((RefundFact.PENDING.name, WAITING)))


def _retire_methods(session: TenantSession, gateway: Gateway) -> set[UUID]:
    statement = select(PaymentMethod).where(
        PaymentMethod.gateway_id == gateway.id, PaymentMethod.state.in_(("active", "pending"))
    )
    methods = session.scalars(statement.order_by(PaymentMethod.id).with_for_update()).all()
    for method in methods:
        method.state, method.is_default, method.announce_at = "disconnected", False, None
        method.touch()
        message = payment_method_changed(method, session.get(Customer, method.owner_id))
        outbox.add(session, message, aggregate_id=method.id, aggregate_version=method.version)
    return {method.owner_id for method in methods}


def _sealed(providers: Providers, credentials: Mapping[str, str]) -> bytes | None:
    return providers.vault.seal(credentials) if credentials else None


def _methods(adapter: PaymentGateway, wanted: Sequence[str] | None) -> list[str]:
    kinds = sorted(kind.value for kind in adapter.capabilities().kinds)
    unknown = sorted(set(wanted or ()) - set(kinds))
    if unknown:
        raise InvalidError("method_unsupported", f"no {', '.join(unknown)} here; there is {', '.join(kinds)}")
    return sorted(set(wanted)) if wanted else kinds


def _announce(session: TenantSession, gateway: Gateway) -> None:
    outbox.add(session, gateway_changed(gateway), aggregate_id=gateway.id, aggregate_version=gateway.version)
