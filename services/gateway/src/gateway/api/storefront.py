"""``/v1/storefront/{slug}``: what the public page shows, composed from the services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, current_app, jsonify
from marshmallow import fields

from common.auth import public
from common.errors import DomainError
from common.http import Blueprint, Instant, StrictSchema
from common.http.schemas import QuerySchema
from common.ids import InvalidIdError, decode_id
from common.telemetry import current_trace
from gateway.api.callers import caller_headers
from gateway.catalogues import Catalogues
from gateway.headers import client_headers, trace_headers
from gateway.simulation import Clocks, ClockState
from gateway.upstreams import Answer, Upstreams

_LOOK_AHEAD = timedelta(days=7)
_SHOWN_SLOTS = 3
blueprint = Blueprint("storefront", __name__, description="The public page of an organisation")


class StorefrontQuery(QuerySchema):
    """Without ``next_free`` the answer is quicker, for pages that do not show free times."""

    next_free = fields.Boolean(load_default=True)


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
    now = Instant(metadata={"description": "The organisation's clock, in rehearsal only"})
    storefront = fields.Dict()
    locations = fields.List(fields.Dict())
    plans = fields.List(fields.Dict())
    resources = fields.List(fields.Nested(StorefrontResourceSchema))


@blueprint.route("/v1/storefront/<slug>", methods=["GET"])
@public
@blueprint.arguments(StorefrontQuery, location="query")
@blueprint.response(200, StorefrontSchema)
def read_storefront(query: dict[str, Any], slug: str) -> Response:
    """The organisation, its locations, plans and passes, and what can be booked, with the next free slots."""
    answer, page = read_catalogue(slug)
    if page is None:
        return Response(answer.read(), answer.status, headers=client_headers(answer.headers))
    clock = _clock(page)
    if clock is not None and clock.mode == "rehearsal":
        page["now"] = clock.now.isoformat().replace("+00:00", "Z")
    if query["next_free"]:
        free = _free_slots(slug, clock.now) if clock is not None else None
        for resource in page.get("resources", ()):
            resource["next_free"] = None if free is None else free.get(resource["id"], [])
    return jsonify(page)


def _clock(page: Mapping[str, Any]) -> ClockState | None:
    """The organisation's clock; None when it cannot be read: the page shows all the same."""
    clocks: Clocks = current_app.extensions["clocks"]
    try:
        return clocks.read(str(decode_id("org", page["organization"]["id"])))
    except (DomainError, InvalidIdError, KeyError):
        return None


def _free_slots(slug: str, now: datetime) -> dict[str, list[Any]] | None:
    """The next free intervals by resource id; None when they cannot be had."""
    window = urlencode({"from": now.isoformat(), "to": (now + _LOOK_AHEAD).isoformat()})
    upstreams: Upstreams = current_app.extensions["upstreams"]
    path = f"/v1/storefront/{quote(slug, safe='')}/availability?{window}"
    headers = caller_headers() | trace_headers(current_trace())
    try:
        answer = upstreams.call("booking", "GET", path, headers, timeout=5.0)
    except DomainError:
        return None
    if answer.status != 200:
        return None
    return {item["resource_id"]: item["free"][:_SHOWN_SLOTS] for item in answer.json()["items"]}


def read_catalogue(slug: str, *, as_caller: bool = True) -> tuple[Answer, dict[str, Any] | None]:
    """The catalog's answer and the public catalogue, if there is one; ``as_caller``: as whoever has signed in."""
    catalogues: Catalogues = current_app.extensions["catalogues"]
    # The organisation's own staff may see the page before it is published.
    headers = (caller_headers() if as_caller else {}) | trace_headers(current_trace())
    return catalogues.read(slug, headers)
