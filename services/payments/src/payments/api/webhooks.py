"""``/v1/webhooks/{gateway_id}``: providers' calls (PAY-7)."""

from __future__ import annotations

from flask import request
from sqlalchemy import select

from common.auth import public
from common.errors import NotFoundError
from common.http import Blueprint, bind_session
from common.ids import decode_path_id
from payments.api.access import providers
from payments.models import Gateway
from payments.services import webhooks

blueprint = Blueprint("webhooks", __name__, description="What payment providers tell us")


@blueprint.route("/v1/webhooks/<gateway_id>", methods=["POST"])
@public
@blueprint.response(202)
def receive_webhook(gateway_id: str) -> None:
    """Take a provider's signed events; they are stored and applied soon after."""
    body = request.get_data(cache=True)
    session, wanted = bind_session(None), decode_path_id("gtw", gateway_id)
    gateway = session.scalars(select(Gateway).where(Gateway.id == wanted)).one_or_none()
    if gateway is None or gateway.state != "connected":
        raise NotFoundError("gateway_not_found", "there is no such payment gateway")
    session = bind_session(gateway.organization_id)
    webhooks.receive(session, providers(), gateway, body, dict(request.headers))
