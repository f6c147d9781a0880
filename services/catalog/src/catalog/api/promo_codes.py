"""``/v1/promo-codes``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from catalog.api.access import EDITORS, STAFF, not_archived, require_everywhere
from catalog.api.promo_code_schemas import PromoCodeInSchema, PromoCodeQuery, PromoCodeSchema
from catalog.domain.promo_codes import canonical_code
from catalog.models import PromoCode
from catalog.services import promo_codes
from common.auth import allow
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id

blueprint = Blueprint("promo-codes", __name__, description="Codes that make things cheaper")


@blueprint.route("/v1/promo-codes", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(PromoCodeQuery, location="query")
@blueprint.response(200, page_schema(PromoCodeSchema))
def list_promo_codes(query: dict[str, Any]) -> dict[str, Any]:
    """List promo codes."""
    statement = select(PromoCode).where(not_archived(PromoCode.archived_at, query))
    if "code" in query:
        statement = statement.where(PromoCode.code == canonical_code(query["code"]))
    sorts = {"code": PromoCode.code}
    return page(current_session(), statement, query, key=PromoCode.id, sorts=sorts, default_sort="id")


@blueprint.route("/v1/promo-codes", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(PromoCodeInSchema)
@blueprint.response(201, PromoCodeSchema)
def create_promo_code(body: dict[str, Any]) -> PromoCode:
    """Add a promo code; its case does not matter."""
    require_everywhere()
    return _answer(promo_codes.create_promo_code(current_session(), **body))


@blueprint.route("/v1/promo-codes/<promo_code_id>", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, PromoCodeSchema)
def get_promo_code(promo_code_id: str) -> PromoCode:
    """Show a promo code."""
    return _answer(promo_codes.find_promo_code(current_session(), decode_path_id("prm", promo_code_id)))


@blueprint.route("/v1/promo-codes/<promo_code_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(PromoCodeInSchema(partial=True))
@blueprint.response(200, PromoCodeSchema)
def change_promo_code(body: dict[str, Any], promo_code_id: str) -> PromoCode:
    """Change a promo code; to go from a percentage to an amount send both, one of them null."""
    promo_code = _locked(promo_code_id)
    check_if_match(promo_code)
    return _answer(promo_codes.change_promo_code(current_session(), promo_code, **body))


@blueprint.route("/v1/promo-codes/<promo_code_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def archive_promo_code(promo_code_id: str) -> None:
    """Archive a promo code: it is no longer accepted, and its name is free again."""
    promo_code = _locked(promo_code_id)
    check_if_match(promo_code)
    promo_codes.archive_promo_code(current_session(), promo_code)


@blueprint.route("/v1/promo-codes/<promo_code_id>/restoration", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.response(200, PromoCodeSchema)
def restore_promo_code(promo_code_id: str) -> PromoCode:
    """Take a promo code out of the archive."""
    return _answer(promo_codes.restore_promo_code(current_session(), _locked(promo_code_id)))


def _locked(promo_code_id: str) -> PromoCode:
    require_everywhere()
    return promo_codes.find_promo_code(current_session(), decode_path_id("prm", promo_code_id), lock=True)


def _answer(promo_code: PromoCode) -> PromoCode:
    remember_etag(promo_code)
    return promo_code
