"""``/v1/storefront/{slug}``: what the public page shows, composed from the services.

Checkouts (`POST /v1/storefront/{slug}/checkouts`) will stand beside it.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, current_app
from marshmallow import fields

from common.auth import public
from common.http import Blueprint, StrictSchema
from common.telemetry import current_trace
from gateway.headers import client_headers, trace_headers
from gateway.upstreams import Upstreams

blueprint = Blueprint("storefront", __name__, description="The public page of an organisation")


class StorefrontSchema(StrictSchema):
    """Everything that the public page shows."""

    organization = fields.Dict()
    locations = fields.List(fields.Dict())
    plans = fields.List(fields.Dict())
    resources = fields.List(fields.Dict())


@blueprint.route("/v1/storefront/<slug>", methods=["GET"])
@public
@blueprint.response(200, StorefrontSchema)
def read_storefront(slug: str) -> Response:
    """The organisation, its locations, plans and passes, and what can be booked."""
    upstreams: Upstreams = current_app.extensions["upstreams"]
    path = f"/v1/storefront/{quote(slug, safe='')}/catalog"
    answer = upstreams.call("catalog", "GET", path, trace_headers(current_trace()), timeout=5.0)
    response = Response(answer.read(), answer.status)
    for name, value in client_headers(answer.headers):
        response.headers[name] = value
    return response
