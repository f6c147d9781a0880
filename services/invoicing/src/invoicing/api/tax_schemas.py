"""Taxes in the bodies of invoicing's API: one by its short form, or several parallel ones (TAX-2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, pre_dump, validate, validates_schema

from common.http import Id, Percent, StrictSchema, Text
from invoicing.domain.taxes import REASONS


def tax_category(**kwargs: Any) -> fields.String:
    """A tax category of EN 16931."""
    return fields.String(validate=validate.OneOf(sorted(REASONS)), metadata={"example": "S"}, **kwargs)


class TaxSchema(StrictSchema):
    """One tax; parallel ones are told apart by their names."""

    name = Text(longest=50, load_default="", shortest=0, metadata={"example": "GST"})
    percent = Percent(required=True, metadata={"example": "5"})
    category = tax_category()

    @pre_dump
    def read_percent(self, tax: Mapping[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**tax, "percent": Decimal(tax["percent"])}


def several_taxes(**kwargs: Any) -> fields.Field[Any]:
    """Parallel taxes where ``tax_percent`` says one."""
    text = "Parallel taxes, each computed and rounded alone; tax_percent is the short form for one."
    return fields.List(
        fields.Nested(TaxSchema), validate=validate.Length(1, 5), metadata={"description": text}, **kwargs
    )


class TaxedSchema(StrictSchema):
    """Something with one tax by its short form, or with several."""

    tax_percent = Percent(allow_none=True)
    taxes = several_taxes(allow_none=True)

    @validates_schema
    def check_one_form(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data.get("taxes") and (data.get("tax_percent") is not None or data.get("tax_category") is not None):
            raise ValidationError("Give either taxes, or the one tax by its short form.", "taxes")


class TaxOverrideSchema(StrictSchema):
    """The taxes of one customer, location, plan or revenue account, instead of those that catalog and members give it.

    Resource rates have theirs by the revenue account that they name.
    """

    member_id = Id("mem")
    company_id = Id("com")
    location_id = Id("loc")
    plan_id = Id("pln")
    revenue_account = Text(longest=50)
    taxes = several_taxes(required=True)

    @validates_schema
    def check_whose(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len(data.keys() - {"taxes"}) != 1:
            raise ValidationError("Name one customer, location, plan or revenue account.", "taxes")

    @pre_dump
    def read_ids(self, override: Mapping[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {name: UUID(value) if name.endswith("_id") else value for name, value in override.items()}
