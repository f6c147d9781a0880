"""``/v1/storefront/{slug}``: what the public page shows, composed from the services.

Checkouts (``POST /v1/storefront/{slug}/checkouts``) will stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, current_app, jsonify
from marshmallow import fields

from common.auth import public
from common.errors import DomainError
from common.http import Blueprint, StrictSchema
from common.ids import InvalidIdError, decode_id
from common.telemetry import current_trace
from gateway.api.callers import caller_headers
from gateway.headers import client_headers, trace_headers
from gateway.simulation import Clocks
from gateway.upstreams import Answer, Upstreams

_LOOK_AHEAD = timedelta(days=7)
_SHOWN_SLOTS = 3
blueprint = Blueprint("storefront", __name__, description="The public page of an organisation")


class StorefrontResourceSchema(StrictSchema):
    """A resource as the catalog shows it, and when it is free."""

    id = fields.String()
    name = fields.String()
    next_free = fields.List(
        fields.Dict(),
        allow_none=True,
        metadata={"description": "The next free intervals within a week; null when they are not known just now"},
    )


class StorefrontSchema(StrictSchema):
    """Everything that the public page shows."""

    organization = fields.Dict()
    storefront = fields.Dict()
    locations = fields.List(fields.Dict())
    plans = fields.List(fields.Dict())
    resources = fields.List(fields.Nested(StorefrontResourceSchema))


@blueprint.route("/v1/storefront/<slug>", methods=["GET"])
@public
@blueprint.response(200, StorefrontSchema)
def read_storefront(slug: str) -> Response:
    """The organisation, its locations, plans and passes, and what can be booked, with the next free slots."""
    answer = _ask("catalog", slug, "/catalog")
    if answer.status != 200:
        return Response(answer.read(), answer.status, headers=client_headers(answer.headers))
    page: dict[str, Any] = answer.json()
    free = _free_slots(slug, page)
    for resource in page.get("resources", ()):
        resource["next_free"] = None if free is None else free.get(resource["id"], [])
    return jsonify(page)


def _free_slots(slug: str, page: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """The next free intervals by resource id; None when they cannot be had: the page shows all the same."""
    clocks: Clocks = current_app.extensions["clocks"]
    try:
        now = clocks.read(str(decode_id("org", page["organization"]["id"]))).now
        window = urlencode({"from": now.isoformat(), "to": (now + _LOOK_AHEAD).isoformat()})
        answer = _ask("booking", slug, f"/availability?{window}")
    except (DomainError, InvalidIdError, KeyError):
        return None
    if answer.status != 200:
        return None
    return {item["resource_id"]: item["free"][:_SHOWN_SLOTS] for item in answer.json()["items"]}


def _ask(service: str, slug: str, rest: str) -> Answer:
    upstreams: Upstreams = current_app.extensions["upstreams"]
    path = f"/v1/storefront/{quote(slug, safe='')}{rest}"
    # The organisation's own staff may see the page before it is published.
    return upstreams.call(service, "GET", path, caller_headers() | trace_headers(current_trace()), timeout=5.0)
