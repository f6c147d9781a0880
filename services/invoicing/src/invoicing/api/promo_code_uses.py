"""``/v1/promo-code-uses/purchases``: how often promo codes were used, beside their limits (GH-3)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import allow
from common.http import Blueprint, Id, ListQuery, StrictSchema, current_session, page, page_schema
from invoicing.api.access import READERS
from invoicing.models import PromoCode
from invoicing.services.promo_codes import uses_of

blueprint = Blueprint("promo-code-uses", __name__, description="How often promo codes were used")


class PromoCodeUsesSchema(StrictSchema):
    """How often a code was used, and how often it may be; a limit of null is none."""

    promo_code_id = Id("prm")
    code = fields.String(metadata={"example": "SPRING20"})
    uses = fields.Integer()
    max_uses = fields.Integer(allow_none=True)
    max_uses_per_customer = fields.Integer(allow_none=True)


class PromoCodeUsesQuery(ListQuery):
    """Filters of the list; ``promo_code_id`` may stand there several times."""

    promo_code_id = fields.List(Id("prm"), validate=validate.Length(max=200))


@blueprint.route("/v1/promo-code-uses/purchases", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PromoCodeUsesQuery, location="query")
@blueprint.response(200, page_schema(PromoCodeUsesSchema))
def list_uses(query: dict[str, Any]) -> dict[str, Any]:
    """List uses of codes by plans, passes and fees, the newest code first. Bookings count theirs apart."""
    statement = select(PromoCode)
    if "promo_code_id" in query:
        statement = statement.where(PromoCode.id.in_(query["promo_code_id"]))
    answer = page(current_session(), statement, query, key=PromoCode.id)
    uses = uses_of(current_session(), [row.id for row in answer["items"]])
    return {**answer, "items": [_shown(row, uses.get(row.id, 0)) for row in answer["items"]]}


def _shown(row: PromoCode, uses: int) -> dict[str, Any]:
    limits = {name: getattr(row, name) for name in ("max_uses", "max_uses_per_customer")}
    return {"promo_code_id": row.id, "code": row.code, "uses": uses, **limits}
