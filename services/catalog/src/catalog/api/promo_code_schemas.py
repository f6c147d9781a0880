"""Bodies of ``/v1/promo-codes`` (GH-3)."""

from __future__ import annotations

import re

from marshmallow import fields, validate

from catalog.api.field_types import StoredId, Unique, whole
from catalog.domain.promo_codes import SCOPE_KINDS
from catalog.domain.resources import RESOURCE_TYPES
from common.http import Id, Instant, ListQuery, MoneyField, Percent, StrictSchema, Text

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,39}\Z")


class ScopeSchema(StrictSchema):
    """What a code is good for: the kinds named, else those of what is listed; an empty scope is everything.

    ``plan_ids`` are about plans and passes, ``resource_ids`` and ``resource_types`` about bookings.
    """

    kinds = Unique(fields.String(validate=validate.OneOf(SCOPE_KINDS)), most=len(SCOPE_KINDS))
    plan_ids = Unique(StoredId("pln"), most=100)
    resource_ids = Unique(StoredId("res"), most=100)
    resource_types = Unique(fields.String(validate=validate.OneOf(RESOURCE_TYPES)), most=len(RESOURCE_TYPES))
    location_ids = Unique(StoredId("loc"), most=100)


class PromoCodeInSchema(StrictSchema):
    """A promo code takes off either a percentage or an amount."""

    EXAMPLE = {"code": "SPRING20", "percent": "20"}

    code = Text(
        required=True,
        longest=40,
        validate=validate.Regexp(_CODE, error="2 to 40 letters (A-Z), digits, - and _, in any case."),
        metadata={"example": "SPRING20"},
    )
    percent = Percent(load_default=None, allow_none=True, metadata={"example": "20"})
    amount = MoneyField(load_default=None, allow_none=True)
    scope = fields.Nested(ScopeSchema, load_default=dict)
    # A code with a limit is for bookings or for purchases (plan, pass), not for both.
    max_uses = whole(1, 1_000_000, load_default=None, allow_none=True)
    max_uses_per_customer = whole(1, 1_000_000, load_default=None, allow_none=True)
    valid_from = fields.Date(load_default=None, allow_none=True)
    valid_until = fields.Date(load_default=None, allow_none=True, metadata={"description": "The last day"})


class PromoCodeSchema(PromoCodeInSchema):
    """A promo code, in capitals."""

    id = Id("prm")
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()


class PromoCodeQuery(ListQuery):
    """Filters of the list; ``code`` is found in any case."""

    code = fields.String(validate=validate.Length(max=40))
    archived = fields.Boolean(load_default=False)
