"""Bodies of ``/v1/invoices``, and of previews."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.http import Id, Instant, LongText, MoneyField, Percent, Quantity, StrictSchema, Text
from common.http.schemas import example_id
from invoicing.api.schemas import PaidBySchema, PeriodSchema, civil_date
from invoicing.api.tax_schemas import TaxedSchema, TaxSchema, tax_category


class LineTaxSchema(TaxSchema):
    """One tax on a line, with its amount."""

    reason = fields.String()
    tax = MoneyField(negative=True)


class InvoiceLineSchema(StrictSchema):
    """A line of an invoice; ``net`` + ``tax`` = ``total``."""

    id = Id("lin")
    kind = fields.String()
    description = fields.String()
    explain = fields.String(allow_none=True)
    period = fields.Nested(PeriodSchema, allow_none=True)
    quantity = Quantity()
    unit_price = MoneyField()
    discount_percent = Percent()
    net = MoneyField(negative=True)
    tax_percent = Quantity()
    tax_category = fields.String()
    taxes = fields.List(fields.Nested(LineTaxSchema), attribute="tax_parts")
    tax = MoneyField(negative=True)
    total = MoneyField(negative=True)
    plan_id = Id("pln", allow_none=True)
    membership_id = Id("mbs", allow_none=True)
    fee_id = Id("fee", allow_none=True)
    booking_id = Id("bkg", allow_none=True)


class TaxRowSchema(StrictSchema):
    """A row of the tax table."""

    category = fields.String()
    percent = Quantity()
    name = fields.String()
    reason = fields.String()
    taxable = MoneyField(negative=True)
    tax = MoneyField(negative=True)


class AmountsSchema(StrictSchema):
    """The numbers that an invoice and its preview share."""

    issue_date = fields.Date()
    due_date = fields.Date()
    currency = fields.String()
    lines = fields.List(fields.Nested(InvoiceLineSchema))
    discount_total = MoneyField()
    subtotal = MoneyField()
    tax_breakdown = fields.List(fields.Nested(TaxRowSchema))
    tax_total = MoneyField()
    total = MoneyField()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    location_id = Id("loc", allow_none=True)


class InvoiceSchema(PaidBySchema, AmountsSchema):
    """An invoice."""

    id = Id("inv")
    number = fields.String(allow_none=True)
    state = fields.String()
    payment_state = fields.String()
    overdue = fields.Boolean()
    customer = fields.Dict()
    paid = MoneyField()
    credited = MoneyField()
    payable = MoneyField()
    note = fields.String(allow_none=True)
    collect = fields.Boolean()
    billing_run_id = Id("run", allow_none=True)
    sent_at = Instant(allow_none=True)
    sent_to = fields.String(allow_none=True)
    send_problem = fields.String(allow_none=True)
    paid_at = Instant(allow_none=True)
    voided_at = Instant(allow_none=True)
    issued_at = Instant(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class ManualLineSchema(TaxedSchema):
    """A line written by hand."""

    description = Text(required=True, longest=500)
    quantity = Quantity(least="0.000001", load_default=None)
    unit_price = MoneyField(required=True)
    discount_percent = Percent(load_default=None)
    tax_category = tax_category(allow_none=True)
    prices_include_tax = fields.Boolean(load_default=None, allow_none=True)
    revenue_account = Text(longest=50, load_default=None, allow_none=True)


class DiscountSchema(StrictSchema):
    """A discount on the whole document: a percentage or an amount, for all lines or those of one tax rate."""

    percent = Percent(load_default=None, allow_none=True)
    amount = MoneyField(load_default=None, allow_none=True)
    tax_percent = Percent(load_default=None, allow_none=True)

    @validates_schema
    def check_one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if (data["percent"] is None) == (data["amount"] is None):
            raise ValidationError("Give either percent or amount.", "percent")


class InvoiceTermsSchema(StrictSchema):
    """What may be said about a manual invoice."""

    EXAMPLE = {"note": "Thank you"}

    lines = fields.List(fields.Nested(ManualLineSchema), validate=validate.Length(1, 500))
    discounts = fields.List(fields.Nested(DiscountSchema), validate=validate.Length(max=20))
    issue_date = civil_date()
    due_date = civil_date(allow_none=True)
    note = LongText(allow_none=True)


class InvoiceInSchema(InvoiceTermsSchema):
    """A manual invoice: of the given lines, or without them of all unbilled items up to today.

    A member's company pays for them, unless ``is_personal``.
    """

    EXAMPLE: dict[str, Any] = {
        "member_id": example_id("mem"),
        "lines": [{"description": "Setup", "quantity": "1", "unit_price": {"amount_minor": 30000, "currency": "EUR"}}],
    }

    member_id = Id("mem")
    company_id = Id("com")
    is_personal = fields.Boolean(load_default=False)
    location_id = Id("loc")
    issue = fields.Boolean(load_default=True)


class SendSchema(StrictSchema):
    """Where to; the billing address unless given."""

    to = fields.Email(load_default=None, allow_none=True)


class ReasonSchema(StrictSchema):
    """Why."""

    reason = Text(load_default=None, allow_none=True)


class WhatIfSchema(StrictSchema):
    """A membership that a customer might have."""

    plan_id = Id("pln", required=True)
    start_date = civil_date(required=True)
    end_date = civil_date(allow_none=True, load_default=None)
    location_id = Id("loc", allow_none=True)
    price = MoneyField()
    quantity = Quantity(least="0.000001", most="100000")
    discount_percent = Percent()
    trial_days = fields.Integer(strict=True, validate=validate.Range(0, 366))


class PreviewInSchema(StrictSchema):
    """Whose invoices, up to and including which day, and with which membership besides."""

    EXAMPLE = {"member_id": example_id("mem"), "as_of": "2027-03-01"}

    member_id = Id("mem")
    company_id = Id("com")
    as_of = civil_date(required=True)
    membership = fields.Nested(WhatIfSchema, load_default=None, allow_none=True)


class PreviewSchema(StrictSchema):
    """The invoices that would be made."""

    invoices = fields.List(fields.Nested(AmountsSchema))
