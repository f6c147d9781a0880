"""``/v1/storefront-settings``, the public catalogue behind a storefront, and the checklist's facts."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from catalog.api.access import EDITORS, STAFF, require_everywhere
from catalog.api.storefront_schemas import PublicCatalogSchema, SetupCatalogSchema, StorefrontSettingsSchema
from catalog.models import StorefrontSettings
from catalog.services import setup, storefront
from common.auth import Principal, allow, public
from common.db import TenantSession
from common.http import Blueprint, bind_session, check_if_match, current_session, remember_etag

blueprint = Blueprint("storefront", __name__, description="How an organisation shows itself to strangers")


@blueprint.route("/v1/storefront-settings", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, StorefrontSettingsSchema)
def get_storefront_settings() -> StorefrontSettings:
    """Show the storefront's settings."""
    settings = storefront.storefront_settings(current_session())
    remember_etag(settings)
    return settings


@blueprint.route("/v1/storefront-settings", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(StorefrontSettingsSchema(partial=True))
@blueprint.response(200, StorefrontSettingsSchema)
def change_storefront_settings(body: dict[str, Any]) -> StorefrontSettings:
    """Change the storefront's settings, or publish it."""
    require_everywhere()
    session = current_session()
    settings = storefront.lock_storefront_settings(session)
    check_if_match(settings)
    storefront.change_storefront_settings(session, settings, **body)
    remember_etag(settings)
    return settings


@blueprint.route("/v1/storefront/<slug>/catalog", methods=["GET"])
@public
@blueprint.response(200, PublicCatalogSchema)
def get_public_catalog(slug: str) -> storefront.PublicCatalog | Response:
    """What strangers see: published things only. The organisation's own staff sees it before it is published.

    With `If-None-Match` of an answer that is still true it answers 304 without a body.
    """
    session = bind_session(None)
    storefront.bind_by_slug(session, slug)
    preview = _is_own_staff(session)
    storefront.open_storefront(session, preview=preview)
    g.etag = storefront.catalog_stamp(session)
    if request.if_none_match.contains(g.etag):
        return Response(status=304)
    return storefront.public_catalog(session, preview=preview)


@blueprint.route("/v1/setup/catalog", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, SetupCatalogSchema)
def get_setup() -> dict[str, Any]:
    """The catalogue's side of the Getting paid checklist: counts, and what keeps the organisation from earning."""
    session = current_session()
    facts = setup.setup_facts(session)
    return {"facts": facts, "problems": setup.setup_problems(session, facts)}


def _is_own_staff(session: TenantSession) -> bool:
    principal: Principal | None = g.get("principal")
    return principal is not None and principal.is_staff and principal.organization_id == session.organization_id
