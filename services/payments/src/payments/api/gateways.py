"""``/v1/payment-gateways``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields
from sqlalchemy import select

from common.auth import Role, allow, current_principal
from common.http import (
    Blueprint,
    ListQuery,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.ids import decode_path_id
from payments.api.access import (
    MANAGERS,
    gateways_in_reach,
    permit_gateway,
    permit_reach,
    providers,
    replayed,
    request_fingerprint,
    request_key,
)
from payments.api.schemas import (
    GatewayChangeSchema,
    GatewayInSchema,
    GatewaySchema,
    TestChargeInSchema,
    TestChargeSchema,
)
from payments.models import Gateway
from payments.services import accounts, trial

blueprint = Blueprint("payment-gateways", __name__, description="Accounts through which money is taken")
STAFF = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)


class GatewayQuery(ListQuery):
    """Filters of the list."""

    state = fields.String(load_default="connected")


@blueprint.route("/v1/payment-gateways", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(GatewayQuery, location="query")
@blueprint.response(200, page_schema(GatewaySchema))
def list_gateways(query: dict[str, Any]) -> dict[str, Any]:
    """List payment gateways, the connected ones unless ``state`` says otherwise."""
    reach = gateways_in_reach(current_principal())
    statement = select(Gateway).where(Gateway.state == query["state"], reach)
    return page(current_session(), statement, query, key=Gateway.id, default_sort="id")


@blueprint.route("/v1/payment-gateways", methods=["POST"])
@allow(*MANAGERS)
@idempotent(by_effect=True)
@blueprint.arguments(GatewayInSchema)
@blueprint.response(201, GatewaySchema)
def connect_gateway(body: dict[str, Any]) -> Any:
    """Connect a payment gateway: its credentials are checked at the provider and stored encrypted."""
    session, key = current_session(), request_key()
    permit_reach(current_principal(), body.get("location_id"))
    earlier = session.scalars(select(Gateway).where(Gateway.request_key == key)).one_or_none()
    if earlier is not None:
        return replayed(earlier)
    mode = session.organization.mode
    session.commit()
    checked = accounts.check_account(providers(), body["provider"], body.get("credentials", {}), mode=mode)
    gateway = accounts.connect(
        session,
        providers(),
        checked,
        location_id=body.get("location_id"),
        methods=body.get("methods"),
        request_key=key,
    )
    remember_etag(gateway)
    return gateway


@blueprint.route("/v1/payment-gateways/<gateway_id>", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, GatewaySchema)
def get_gateway(gateway_id: str) -> Gateway:
    """Show a payment gateway."""
    gateway = accounts.find_gateway(current_session(), decode_path_id("gtw", gateway_id))
    permit_gateway(current_principal(), gateway)
    remember_etag(gateway)
    return gateway


@blueprint.route("/v1/payment-gateways/<gateway_id>", methods=["PATCH"])
@allow(*MANAGERS)
@blueprint.arguments(GatewayChangeSchema)
@blueprint.response(200, GatewaySchema)
def change_gateway(body: dict[str, Any], gateway_id: str) -> Gateway:
    """Change a gateway's location or methods, or rotate its credentials."""
    session, wanted = current_session(), decode_path_id("gtw", gateway_id)
    gateway, credentials = _changeable(wanted), body.pop("credentials", None)
    permit_reach(current_principal(), body.get("location_id", gateway.location_id))
    checked = None
    if credentials is not None:
        provider, mode = gateway.provider, session.organization.mode
        session.commit()
        checked = accounts.check_account(providers(), provider, credentials, mode=mode)
    gateway = _changeable(wanted, lock=True)
    check_if_match(gateway)
    accounts.change_gateway(session, providers(), gateway, checked, **body)
    remember_etag(gateway)
    return gateway


@blueprint.route("/v1/payment-gateways/<gateway_id>", methods=["DELETE"])
@allow(*MANAGERS)
@blueprint.response(204)
def disconnect_gateway(gateway_id: str) -> None:
    """Disconnect a gateway; refused while payments through it are on their way."""
    session = current_session()
    gateway = _changeable(decode_path_id("gtw", gateway_id), lock=True)
    check_if_match(gateway)
    accounts.disconnect(session, gateway)


@blueprint.route("/v1/payment-gateways/<gateway_id>/test-charge", methods=["POST"])
@allow(*MANAGERS)
@idempotent(required=True, by_effect=True)
@blueprint.arguments(TestChargeInSchema)
@blueprint.response(201, TestChargeSchema)
def make_test_charge(body: dict[str, Any], gateway_id: str) -> Any:
    """Charge a small amount, show what came of it, and give it back."""
    session, key, fingerprint = current_session(), request_key(), request_fingerprint()
    permit_gateway(current_principal(), accounts.find_gateway(session, decode_path_id("gtw", gateway_id)))
    earlier = trial.earlier_test_charge(session, key, fingerprint)
    payment, refund = earlier or trial.make_test_charge(
        session, providers(), decode_path_id("gtw", gateway_id), request_key=key, fingerprint=fingerprint, **body
    )
    shown = {"payment": payment, "refund": refund}
    return replayed(shown) if earlier else shown


def _changeable(gateway_id: UUID, *, lock: bool = False) -> Gateway:
    gateway = accounts.find_gateway(current_session(), gateway_id, lock=lock)
    permit_gateway(current_principal(), gateway)
    permit_reach(current_principal(), gateway.location_id)
    return gateway
