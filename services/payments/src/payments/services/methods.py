"""Saved payment methods: set up without card data touching us, default, removal (PAY-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.clock import at_local_hour
from common.db import TenantSession
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import encode_id, new_id
from common.messaging import outbox
from payments.domain.expiry import announcement_dates, last_valid_day
from payments.gateways.port import (
    CustomerDetails,
    MethodDetails,
    MethodKind,
    PaymentGateway,
    SetupOutcome,
    SetupRequest,
)
from payments.messages.publishes import payment_method_changed
from payments.models import Customer, CustomerReference, Gateway, PaymentMethod
from payments.services.planning import replan_payer
from payments.services.providers import Providers

ANNOUNCE_HOUR = 9


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose method it is."""

    member_id: UUID | None
    company_id: UUID | None

    @property
    def id(self) -> UUID:
        """The member's or the company's id."""
        found = self.member_id or self.company_id
        if found is None:
            raise InvalidError("owner_missing", "say whose method it is: member_id or company_id")
        return found

    @property
    def public_id(self) -> str:
        """As the API writes it."""
        return encode_id("mem", self.member_id) if self.member_id else encode_id("com", self.id)


def find_owner(session: TenantSession, owner: Owner) -> Customer:
    """The copy of the member or company. Raises NotFoundError, for a member who was erased, too."""
    customer = session.scalars(select(Customer).where(Customer.id == owner.id)).one_or_none()
    if customer is None or customer.status == "erased" or customer.kind != ("member" if owner.member_id else "company"):
        raise NotFoundError("customer_not_found", "there is no such member or company")
    return customer


def find_method(session: TenantSession, method_id: UUID, *, lock: bool = False) -> PaymentMethod:
    """A method by id, not the removed ones. Raises NotFoundError."""
    statement = select(PaymentMethod).where(PaymentMethod.id == method_id, PaymentMethod.state != "removed")
    method = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if method is None:
        raise NotFoundError("payment_method_not_found", "there is no such payment method")
    return method


def method_by_request(session: TenantSession, request_key: str) -> PaymentMethod | None:
    """What an earlier request with the same key set up."""
    return session.scalars(select(PaymentMethod).where(PaymentMethod.request_key == request_key)).one_or_none()


def customer_reference(session: TenantSession, adapter: PaymentGateway, gateway: Gateway, owner: Owner) -> str:
    """The customer's name at the provider, made there when it is needed first.

    Several transactions, the session's among them: it is committed before the provider is asked.
    """
    statement = select(CustomerReference.reference).where(
        CustomerReference.gateway_id == gateway.id, CustomerReference.owner_id == owner.id
    )
    known = session.scalar(statement)
    if known is not None:
        return known
    customer = find_owner(session, owner)
    details = CustomerDetails(customer.name, customer.email, {"customer_id": owner.public_id})
    session.commit()
    made = adapter.create_customer(details, f"{encode_id('gtw', gateway.id)}:{owner.public_id}")
    values: dict[str, Any] = {"id": new_id(), "organization_id": session.organization_id, "gateway_id": gateway.id}
    values |= {"owner_id": owner.id, "reference": made, "created_at": session.now()}
    session.execute(insert(CustomerReference).values(values).on_conflict_do_nothing())
    reference = session.scalars(statement).one()
    session.commit()
    return reference


def begin_setup(
    adapter: PaymentGateway,
    reference: str,
    *,
    token: str | None,
    kinds: Sequence[str],
    return_url: str | None,
    request_key: str,
    owner: Owner,
) -> SetupOutcome:
    """Ask the provider to save a method: at once with a token, else what its element or page needs. No transaction."""
    return adapter.setup_method(
        SetupRequest(
            idempotency_key=request_key,
            customer_reference=reference,
            kinds=[MethodKind(kind) for kind in kinds],
            token=token,
            return_url=return_url,
            metadata={"customer_id": owner.public_id},
        )
    )


def store_setup(
    session: TenantSession,
    gateway: Gateway,
    owner: Owner,
    reference: str,
    outcome: SetupOutcome,
    *,
    kind: str,
    make_default: bool,
    request_key: str,
    is_single_use: bool = False,
) -> PaymentMethod:
    """Keep what a setup led to: an active method, or one that the member is still entering.

    One for a single use is announced to nobody, and nothing is collected with it (GH-1).
    """
    now = session.now()
    method = PaymentMethod(
        id=new_id(),
        version=1,
        gateway_id=gateway.id,
        provider=gateway.provider,
        owner_id=owner.id,
        member_id=owner.member_id,
        company_id=owner.company_id,
        customer_reference=reference,
        setup_reference=outcome.reference,
        kind=kind,
        state="pending",
        is_default=False,
        wants_default=make_default,
        announced=[],
        request_key=request_key,
        since=now,
        created_at=now,
    )
    session.add(method)
    session.flush()
    if is_single_use and outcome.method is not None:
        describe(session, method, outcome.method)
        method.state, method.announce_at = "single_use", None
    else:
        finish_setup(session, method, outcome)
    return method


def finish_setup(session: TenantSession, method: PaymentMethod, outcome: SetupOutcome) -> None:
    """Add how a setup stands now to its method; a saved one is tried at once on what could not be charged (PAY-2)."""
    if method.state != "pending":
        return
    if outcome.method is None:
        method.failure_code = outcome.failure_code
        return
    describe(session, method, outcome.method)
    method.state, method.since, method.failure_code = "active", session.now(), None
    session.flush()
    if method.wants_default or not _has_default(session, method.owner_id):
        make_default(session, method)
    else:
        announce(session, method)
    replan_payer(session, method.owner_id)


def describe(session: TenantSession, method: PaymentMethod, details: MethodDetails) -> None:
    """Take over what the provider says a method looks like, and plan the announcements of its end (PAY-9)."""
    method.reference, method.kind = details.reference, details.kind.value
    method.brand, method.last4 = details.brand, details.last4
    if (details.exp_month, details.exp_year) != (method.exp_month, method.exp_year):
        method.exp_month, method.exp_year, method.announced = details.exp_month, details.exp_year, []
    method.expires_on = None
    method.announce_at = None
    if details.exp_month and details.exp_year:
        method.expires_on = last_valid_day(details.exp_year, details.exp_month)
        zone = session.organization.timezone
        days = announcement_dates(details.exp_year, details.exp_month)
        times = [at_local_hour(day, ANNOUNCE_HOUR, zone) for day in days]
        method.announce_at = min((at for at in times if at > session.now()), default=None)
        end = at_local_hour(method.expires_on + timedelta(days=1), 0, zone)
        if method.announce_at is None and session.now() < end:
            method.announce_at = session.now()


def make_default(session: TenantSession, method: PaymentMethod) -> None:
    """Charge this method first from now on. Raises ConflictError unless it is active."""
    if method.state != "active":
        raise ConflictError("payment_method_not_active", "only an active method can be the default")
    others = select(PaymentMethod).where(
        PaymentMethod.owner_id == method.owner_id, PaymentMethod.is_default, PaymentMethod.id != method.id
    )
    for other in session.scalars(others.with_for_update()):
        other.is_default = False
        announce(session, other)
    session.flush()
    method.is_default, method.since = True, session.now()
    announce(session, method)


def remove(session: TenantSession, method: PaymentMethod, *, state: str = "removed") -> None:
    """End a locked method; the newest of the others becomes the default. The provider is told by the caller."""
    was_default = method.is_default
    method.state, method.is_default, method.announce_at = state, False, None
    announce(session, method)
    if was_default:
        statement = select(PaymentMethod).where(
            PaymentMethod.owner_id == method.owner_id, PaymentMethod.state == "active", PaymentMethod.id != method.id
        )
        successor = session.scalars(statement.order_by(PaymentMethod.since.desc()).limit(1)).one_or_none()
        if successor is not None:
            successor.is_default = True
            announce(session, successor)
    replan_payer(session, method.owner_id)


def announce(session: TenantSession, method: PaymentMethod) -> None:
    """Tell the others how a method stands."""
    method.touch()
    session.flush()
    message = payment_method_changed(method, session.get(Customer, method.owner_id))
    outbox.add(session, message, aggregate_id=method.id, aggregate_version=method.version)


def forget_at_provider(providers: Providers, gateway: Gateway, reference: str | None) -> None:
    """Have the provider forget a removed method; harmless to repeat. No transaction."""
    if reference is not None and gateway.state == "connected":
        providers.open(gateway).detach(reference)


def _has_default(session: TenantSession, owner_id: UUID) -> bool:
    statement = select(PaymentMethod.id).where(PaymentMethod.owner_id == owner_id, PaymentMethod.is_default)
    return session.scalar(statement.limit(1)) is not None


def lock_owner(session: TenantSession, owner_id: UUID) -> None:
    """Serialise changes of one customer's methods, so that two new defaults do not collide."""
    session.execute(select(Customer.id).where(Customer.id == owner_id).with_for_update())
