"""The gateway's web app: wiring only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask

from common.clock import SystemClock
from common.http.app import ServiceApi
from common.http.openapi import complete_document, field_attributes, schema_name
from gateway.api import audit_log, checklist, checkouts, clock, documents, storefront
from gateway.api.callers import register_callers
from gateway.arrivals import Arrivals
from gateway.catalogues import Catalogues
from gateway.checkout_seal import CheckoutSeal
from gateway.checkouts import Checkouts
from gateway.config import GatewaySettings
from gateway.counters import SharedCounters
from gateway.documents import Documents
from gateway.door import Door
from gateway.guest_calls import GuestCalls
from gateway.health import register_health
from gateway.identity import Identity
from gateway.rate_limits import RateLimits
from gateway.settlement import InternalCalls, SettlementReports
from gateway.simulation import Clocks, Simulation
from gateway.upstreams import HttpUpstream, Upstreams


class GatewayApp(Flask):
    """The gateway's own pages; everything else passes by them at the door."""

    api: ServiceApi


def create_gateway_app(settings: GatewaySettings, upstreams: Mapping[str, Any] | None = None) -> GatewayApp:
    """Build the gateway. ``upstreams`` maps service names to upstreams or WSGI apps; without it the URLs are used."""
    known = Upstreams(http_upstreams(settings) if upstreams is None else upstreams)
    app = GatewayApp("gateway")
    app.config.update(
        API_TITLE="Deskledger",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    calls = InternalCalls(known, settings.internal_token)
    reports, clocks = SettlementReports(calls), Clocks(calls)
    arrivals = Arrivals(reports)
    guests = GuestCalls(known, calls, arrivals, settings.own_writes_seconds)
    app.extensions |= {
        "settings": settings,
        "upstreams": known,
        "clock": SystemClock(),
        "clocks": clocks,
        "catalogues": Catalogues(known),
        "internal_calls": calls,
        "checkouts": Checkouts(guests, CheckoutSeal(settings.internal_token), clocks),
        "simulation": Simulation(clocks, reports),
    }
    register_callers(app)
    _register_api(app)
    app.extensions["documents"] = Documents(app.api.spec.to_dict, known)
    register_health(app, known)
    app.register_blueprint(documents.blueprint)
    own: Any = app.wsgi_app
    counters = SharedCounters(settings.rate_limit_file)
    identity, limits = Identity(known, counters), RateLimits(settings, counters)
    app.wsgi_app = Door(own, settings, known, identity, limits, arrivals)  # type: ignore[method-assign]
    return app


def http_upstreams(settings: GatewaySettings) -> dict[str, HttpUpstream]:
    """The services at their configured addresses."""
    return {
        name: HttpUpstream(name, url, pool_size=settings.pool_size, connect_seconds=settings.connect_seconds)
        for name, url in settings.urls().items()
    }


def _register_api(app: GatewayApp) -> None:
    plugin = MarshmallowPlugin(schema_name_resolver=schema_name)
    app.api = ServiceApi(app, spec_kwargs={"marshmallow_plugin": plugin})
    if plugin.converter is not None:
        plugin.converter.add_attribute_function(field_attributes)  # type: ignore[no-untyped-call]
    for part in (clock, checklist, audit_log, storefront, checkouts):
        app.api.register_blueprint(part.blueprint)
    complete_document(app)  # type: ignore[arg-type]
