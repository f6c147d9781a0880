"""Bodies of ``/v1/resource-rates`` (PRI-2 to PRI-5)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from catalog.api.field_types import Flag, StoredDate, StoredId, StoredMoney, Unique, whole
from catalog.api.tax_schemas import TaxedSchema
from catalog.domain.rates import AUDIENCES, UNITS, WHENS
from catalog.domain.resources import RESOURCE_TYPES
from common.http import Id, Instant, ListQuery, StrictSchema, Text
from common.http.schemas import example_id


class PriceSchema(StrictSchema):
    """The price of one unit of time."""

    unit = fields.String(required=True, validate=validate.OneOf(UNITS), metadata={"example": "hour"})
    price = StoredMoney(required=True)
    when = fields.String(load_default="any", validate=validate.OneOf(WHENS))


class ConditionsSchema(StrictSchema):
    """For whom and when a rate holds; the lists are alternatives, ``valid_until`` is the last day."""

    audience = fields.String(validate=validate.OneOf(AUDIENCES), metadata={"example": "members"})
    plan_ids = Unique(StoredId("pln"), most=100)
    member_ids = Unique(StoredId("mem"), most=100)
    company_ids = Unique(StoredId("com"), most=100)
    membership_ids = Unique(StoredId("mbs"), most=100)
    valid_from = StoredDate(metadata={"example": "2027-06-01"})
    valid_until = StoredDate(metadata={"example": "2027-08-31"})

    @validates_schema
    def check_dates(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """The last day is not before the first."""
        if data.get("valid_until", "9999") < data.get("valid_from", ""):
            raise ValidationError("must not be before valid_from", "valid_until")


class ExtraSchema(StrictSchema):
    """Something that is booked along with a resource."""

    code = Text(required=True, longest=40, metadata={"example": "projector"})
    name = Text(required=True, metadata={"example": "Projector"})
    price = StoredMoney(required=True)


class ResourceRateInSchema(TaxedSchema):
    """What a resource rate is made of."""

    EXAMPLE = {
        "name": "Rooms",
        "resource_ids": [example_id("res")],
        "prices": [{"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}}],
    }

    name = Text(required=True, metadata={"example": "Rooms"})
    resource_ids = Unique(Id("res"), most=500, load_default=list)
    resource_types = Unique(
        fields.String(validate=validate.OneOf(RESOURCE_TYPES)), most=len(RESOURCE_TYPES), load_default=list
    )
    prices = fields.List(fields.Nested(PriceSchema), required=True, validate=validate.Length(1, 20))
    conditions = fields.Nested(ConditionsSchema, load_default=dict)
    charge_slot_minutes = whole(1, 1440, load_default=15)
    extras = fields.List(fields.Nested(ExtraSchema), load_default=list, validate=validate.Length(max=100))
    prices_include_tax = Flag(load_default=None, allow_none=True)
    revenue_account = Text(longest=60, load_default=None, allow_none=True)


class ResourceRateSchema(ResourceRateInSchema):
    """A resource rate."""

    id = Id("rat")
    currency = fields.String(metadata={"example": "EUR"})
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()


class ResourceRateQuery(ListQuery):
    """Filters of the list; ``resource_id`` finds those that name it and those for its type."""

    resource_id = Id("res")
    archived = fields.Boolean(load_default=False)
