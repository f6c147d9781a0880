"""Taxes in the bodies of the catalog's API: one by its short form, or several parallel ones (TAX-2)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from catalog.api.field_types import StoredPercent
from common.http import Percent, StrictSchema, Text
from contracts.taxes import MOST_TAXES, TAX_CATEGORIES


class TaxSchema(StrictSchema):
    """One tax; parallel ones are told apart by their names."""

    name = Text(longest=50, load_default="", shortest=0, metadata={"example": "GST"})
    percent = StoredPercent(required=True, metadata={"example": "5"})
    category = fields.String(validate=validate.OneOf(TAX_CATEGORIES), metadata={"example": "S"})


class TaxedSchema(StrictSchema):
    """Something with one tax by its short form, or with several."""

    tax_percent = Percent(load_default=None, allow_none=True)
    taxes = fields.List(
        fields.Nested(TaxSchema),
        allow_none=True,
        validate=validate.Length(1, MOST_TAXES),
        metadata={"description": "Parallel taxes, each computed and rounded alone; tax_percent is then their sum."},
    )

    @validates_schema
    def check_one_form(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Parallel taxes and the one tax exclude each other."""
        if data.get("taxes") and (data.get("tax_percent") is not None or data.get("tax_category") is not None):
            raise ValidationError("Give either taxes, or the one tax by its short form.", "taxes")
