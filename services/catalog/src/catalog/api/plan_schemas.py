"""Bodies of ``/v1/plans``."""

from __future__ import annotations

from decimal import Decimal

from marshmallow import fields, validate

from catalog.api.field_types import Flag, whole
from catalog.api.tax_schemas import TaxedSchema
from catalog.domain.plans import INTERVALS, KINDS, VISIBILITIES
from common.http import Id, Instant, ListQuery, LongText, MoneyField, Percent, Quantity, Text
from contracts.taxes import TAX_CATEGORIES

_NOTHING = Decimal(0)


class PlanInSchema(TaxedSchema):
    """What a plan is made of; recurring plans are monthly and prorate unless told otherwise."""

    name = Text(required=True, metadata={"example": "Flex desk"})
    description = LongText(load_default=None, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS), metadata={"example": "recurring"})
    price = MoneyField(required=True)
    interval = fields.String(allow_none=True, validate=validate.OneOf(INTERVALS), metadata={"example": "month"})
    interval_count = whole(1, 120, load_default=1)
    prorate = Flag()
    setup_fee = MoneyField(load_default=None, allow_none=True)
    deposit = MoneyField(load_default=None, allow_none=True)
    trial_days = whole(0, 366, load_default=0)
    minimum_term_months = whole(0, 120, load_default=0)
    notice_days = whole(0, 366, load_default=0)
    credits_hours = Quantity(most="10000", places=2, load_default=_NOTHING, metadata={"example": "10"})
    credits_carry_over_cap = Quantity(most="10000", places=2, load_default=_NOTHING, metadata={"example": "5"})
    passes = whole(0, 1000, load_default=0)
    allowance_valid_days = whole(
        1,
        3660,
        load_default=None,
        allow_none=True,
        metadata={"description": "One-off plans: its passes and credits are good for so many days; null: for ever."},
    )
    resource_discount_percent = Percent(load_default=_NOTHING)
    tax_category = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(TAX_CATEGORIES))
    prices_include_tax = Flag(load_default=None, allow_none=True)
    revenue_account = Text(longest=60, load_default=None, allow_none=True)
    visibility = fields.String(load_default="public", validate=validate.OneOf(VISIBILITIES))


class PlanSchema(PlanInSchema):
    """A plan."""

    id = Id("pln")
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()


class PlanQuery(ListQuery):
    """Filters of the list; ``archived`` is for staff."""

    kind = fields.String(validate=validate.OneOf(KINDS))
    visibility = fields.String(validate=validate.OneOf(VISIBILITIES))
    archived = fields.Boolean(load_default=False)
