"""``/v1/payment-methods``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from common.auth import Role, allow, current_principal
from common.http import (
    Blueprint,
    Id,
    ListQuery,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.http.schemas import CivilDate
from common.ids import decode_path_id
from payments.api.access import (
    EVERYBODY,
    owned_by,
    owner_of,
    permit_customer,
    permit_row,
    providers,
    replayed,
    request_key,
)
from payments.api.schemas import MethodChangeSchema, MethodSchema, SetupInSchema, SetupSchema
from payments.models import Gateway, PaymentMethod
from payments.services import accounts, methods
from payments.services.planning import replan_payer

blueprint = Blueprint("payment-methods", __name__, description="Saved cards and accounts")
PAYERS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.MEMBER)


class MethodQuery(ListQuery):
    """Filters of the list."""

    member_id = Id("mem")
    company_id = Id("com")
    gateway_id = Id("gtw")
    kind = fields.String(validate=validate.OneOf(["card", "sepa_debit", "ach_debit", "bacs_debit"]))
    state = fields.String(validate=validate.OneOf(["pending", "active", "failed", "disconnected"]))
    expires_before = CivilDate(metadata={"description": "Cards whose last day is earlier."})


@blueprint.route("/v1/payment-methods", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(MethodQuery, location="query")
@blueprint.response(200, page_schema(MethodSchema))
def list_methods(query: dict[str, Any]) -> dict[str, Any]:
    """List payment methods, without the removed ones; members see their own."""
    statement = select(PaymentMethod).where(PaymentMethod.state.not_in(("removed", "single_use")))
    for name in ("member_id", "company_id", "gateway_id", "kind", "state"):
        if name in query:
            statement = statement.where(getattr(PaymentMethod, name) == query[name])
    if "expires_before" in query:
        statement = statement.where(PaymentMethod.expires_on < query["expires_before"])
    statement = statement.where(owned_by(current_principal(), PaymentMethod)).options(joinedload(PaymentMethod.owner))
    return page(current_session(), statement, query, key=PaymentMethod.id)


@blueprint.route("/v1/payment-methods/setup", methods=["POST"])
@allow(*PAYERS)
@idempotent(by_effect=True)
@blueprint.arguments(SetupInSchema)
@blueprint.response(201, SetupSchema)
def set_up_method(body: dict[str, Any]) -> Any:
    """Save a method: with a provider's token at once, else the answer's ``setup`` is what its element or page needs."""
    session, key = current_session(), request_key()
    owner = owner_of(current_principal(), body.get("member_id"), body.get("company_id"))
    customer = methods.find_owner(session, owner)
    permit_customer(current_principal(), customer, "customer_not_found")
    earlier = methods.method_by_request(session, key)
    if earlier is not None:
        return replayed(_with_setup(earlier, _needed_again(earlier)))
    kinds = body.get("kinds")
    gateway = accounts.choose_gateway(
        session,
        location_id=customer.location_id,
        gateway_id=body.get("gateway_id"),
        kind=kinds[0] if kinds else None,
    )
    adapter = providers().open(gateway)
    reference = methods.customer_reference(session, adapter, gateway, owner)
    session.commit()
    outcome = methods.begin_setup(
        adapter,
        reference,
        token=body.get("token"),
        kinds=kinds or _collectable(gateway, session.organization.currency),
        return_url=body.get("return_url"),
        request_key=key,
        owner=owner,
    )
    methods.lock_owner(session, owner.id)
    method = methods.store_setup(
        session,
        gateway,
        owner,
        reference,
        outcome,
        kind=(kinds or _collectable(gateway, session.organization.currency) or ["card"])[0],
        make_default=body["make_default"],
        is_single_use=body["single_use"],
        request_key=key,
    )
    remember_etag(method)
    return _with_setup(method, _needs(gateway, outcome))


@blueprint.route("/v1/payment-methods/<method_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, MethodSchema)
def get_method(method_id: str) -> PaymentMethod:
    """Show a payment method."""
    method = _mine(decode_path_id("pmt", method_id))
    remember_etag(method)
    return method


@blueprint.route("/v1/payment-methods/<method_id>/confirmation", methods=["POST"])
@allow(*PAYERS)
@idempotent(by_effect=True)
@blueprint.response(200, MethodSchema)
def confirm_setup(method_id: str) -> Any:
    """Ask the provider whether the member has finished entering a method (its webhook tells the same)."""
    session = current_session()
    method = _mine(decode_path_id("pmt", method_id))
    if method.state != "pending" or method.setup_reference is None:
        return replayed(method)
    gateway = session.get_one(Gateway, method.gateway_id)
    adapter = providers().open(gateway)
    session.commit()
    outcome = adapter.complete_setup(method.setup_reference)
    methods.lock_owner(session, method.owner_id)
    method = methods.find_method(session, method.id, lock=True)
    methods.finish_setup(session, method, outcome)
    return method


@blueprint.route("/v1/payment-methods/<method_id>", methods=["PATCH"])
@allow(*PAYERS)
@blueprint.arguments(MethodChangeSchema)
@blueprint.response(200, MethodSchema)
def change_method(_body: dict[str, Any], method_id: str) -> PaymentMethod:
    """Make a method the default: it is charged first from now on."""
    session = current_session()
    method = _mine(decode_path_id("pmt", method_id), lock=True)
    check_if_match(method)
    if not method.is_default:
        methods.make_default(session, method)
        replan_payer(session, method.owner_id)
    remember_etag(method)
    return method


@blueprint.route("/v1/payment-methods/<method_id>", methods=["DELETE"])
@allow(*PAYERS)
@blueprint.response(204)
def remove_method(method_id: str) -> None:
    """Remove a method, here and at the provider."""
    session = current_session()
    method = _mine(decode_path_id("pmt", method_id), lock=True)
    check_if_match(method)
    gateway, reference = session.get_one(Gateway, method.gateway_id), method.reference
    session.rollback()
    # The provider first: should we fail afterwards, repeating is harmless; the other way round it would be forgotten.
    methods.forget_at_provider(providers(), gateway, reference)
    method = _mine(method.id, lock=True)
    methods.remove(session, method)


def _mine(method_id: UUID, *, lock: bool = False) -> PaymentMethod:
    session = current_session()
    method = methods.find_method(session, method_id)
    permit_row(current_principal(), method, "payment_method_not_found")
    if lock:
        methods.lock_owner(session, method.owner_id)
        method = methods.find_method(session, method_id, lock=True)
    return method


def _collectable(gateway: Gateway, currency: str) -> list[str]:
    """What the gateway collects in this currency; cards first, each debit scheme moves one currency only."""
    fitting = {"card", _DEBITS.get(currency)}
    return [kind for kind in ("card", "sepa_debit", "ach_debit", "bacs_debit") if kind in {*gateway.methods} & fitting]


def _needs(gateway: Gateway, outcome: Any) -> dict[str, Any] | None:
    if outcome.method is not None:
        return None
    return {
        "provider": gateway.provider,
        "client_secret": outcome.client_secret,
        "publishable_key": outcome.publishable_key,
        "url": outcome.url,
    }


def _needed_again(method: PaymentMethod) -> dict[str, Any] | None:
    """What the element needs, for a client that lost the first answer."""
    if method.state != "pending" or method.setup_reference is None:
        return None
    gateway = current_session().get_one(Gateway, method.gateway_id)
    current_session().commit()
    return _needs(gateway, providers().open(gateway).complete_setup(method.setup_reference))


def _with_setup(method: PaymentMethod, setup: dict[str, Any] | None) -> dict[str, Any]:
    shown = {name: getattr(method, name) for name in _SHOWN}
    return {**shown, "setup": setup}


_DEBITS = {"EUR": "sepa_debit", "USD": "ach_debit", "GBP": "bacs_debit"}
_SHOWN = tuple(MethodSchema().fields)
