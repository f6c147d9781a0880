"""Bodies of ``/v1/purchases``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from common.http import Id, MoneyField, Quantity, StrictSchema, Text
from common.http.schemas import example_id
from invoicing.api.invoice_schemas import InvoiceSchema
from invoicing.api.schemas import FeeSchema, MembershipSchema, civil_date
from invoicing.api.tax_schemas import TaxedSchema


class ItemSchema(TaxedSchema):
    """A thing to buy: a plan, or a name and a price."""

    plan_id = Id("pln", load_default=None, allow_none=True)
    name = Text(load_default=None, allow_none=True)
    price = MoneyField(load_default=None, allow_none=True)
    quantity = Quantity(least="0.000001", load_default=None)
    start_date = civil_date(load_default=None, allow_none=True)


class PurchaseInSchema(StrictSchema):
    """Items for a customer, paid now or on the next invoice."""

    EXAMPLE: dict[str, Any] = {
        "member_id": example_id("mem"),
        "items": [{"name": "Key card", "price": {"amount_minor": 2500, "currency": "EUR"}}],
    }

    items = fields.List(fields.Nested(ItemSchema), required=True, validate=validate.Length(1, 50))
    member_id = Id("mem", load_default=None, allow_none=True)
    company_id = Id("com", load_default=None, allow_none=True)
    location_id = Id("loc", load_default=None, allow_none=True)
    pay = fields.String(load_default="on_invoice", validate=validate.OneOf(["now", "on_invoice"]))
    promo_code = Text(longest=50, load_default=None, allow_none=True)
    checkout_id = Id("chk", load_default=None, allow_none=True)


class PurchaseSchema(StrictSchema):
    """What was bought."""

    memberships = fields.List(fields.Nested(MembershipSchema))
    fees = fields.List(fields.Nested(FeeSchema))
    invoice = fields.Nested(InvoiceSchema, allow_none=True)
