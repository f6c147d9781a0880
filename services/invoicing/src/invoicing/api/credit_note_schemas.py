"""Bodies of ``/v1/credit-notes``."""

from __future__ import annotations

from marshmallow import fields, validate

from common.http import Id, Instant, MoneyField, StrictSchema, Text
from invoicing.api.invoice_schemas import LineTaxSchema, TaxRowSchema
from invoicing.api.schemas import PaidBySchema


class CreditLineInSchema(StrictSchema):
    """How much to credit on a line, in its price mode (gross when prices include tax)."""

    invoice_line_id = Id("lin", required=True)
    amount = MoneyField(required=True)


class CreditNoteInSchema(StrictSchema):
    """What to credit: given lines, or all that is left; ``refund`` gives back what was paid."""

    lines = fields.List(fields.Nested(CreditLineInSchema), validate=validate.Length(1, 500))
    reason = Text(load_default=None, allow_none=True)
    refund = fields.Boolean(load_default=False)


class CreditNoteLineSchema(StrictSchema):
    """A line of a credit note."""

    id = Id("lin")
    invoice_line_id = Id("lin")
    description = fields.String()
    explain = fields.String(allow_none=True)
    net = MoneyField()
    taxes = fields.List(fields.Nested(LineTaxSchema), attribute="tax_parts")
    tax = MoneyField()
    total = MoneyField()


class CreditNoteSchema(PaidBySchema):
    """A credit note; ``total = allocated + to_account_credit + refund``, and ``left`` is of ``to_account_credit``."""

    id = Id("crn")
    number = fields.String()
    invoice_id = Id("inv")
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    issue_date = fields.Date()
    currency = fields.String()
    lines = fields.List(fields.Nested(CreditNoteLineSchema))
    subtotal = MoneyField()
    tax_breakdown = fields.List(fields.Nested(TaxRowSchema))
    tax_total = MoneyField()
    total = MoneyField()
    allocated = MoneyField()
    to_account_credit = MoneyField()
    left = MoneyField(
        metadata={"description": "Not used yet: lowers the next invoice, can be allocated (DOC-5) or given back"}
    )
    refund = MoneyField()
    reason = fields.String(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class AllocationSchema(StrictSchema):
    """Onto which invoice, and how much; as much as fits unless given."""

    invoice_id = Id("inv", required=True)
    amount = MoneyField(load_default=None, allow_none=True)


class AmountSchema(StrictSchema):
    """How much; all that is left unless given."""

    amount = MoneyField(load_default=None, allow_none=True)
