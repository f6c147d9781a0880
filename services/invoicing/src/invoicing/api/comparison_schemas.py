"""How a dry run differs from the last real one, as the API shows it."""

from __future__ import annotations

from marshmallow import fields

from common.http import Id, MoneyField, StrictSchema, Text


class DifferenceSchema(StrictSchema):
    """A customer's total in the last run and now; null where there was, or would be, no invoice."""

    customer_name = Text()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    before = MoneyField(allow_none=True, negative=True)
    now = MoneyField(allow_none=True, negative=True)


class ComparisonSchema(StrictSchema):
    """Against the last run of the same scope that made invoices; the greatest differences, at most thirty."""

    run_id = Id("run")
    as_of = fields.Date()
    total_before = MoneyField(negative=True)
    total_now = MoneyField(negative=True)
    differing = fields.Integer(metadata={"description": "How many customers pay something else"})
    same = fields.Integer(metadata={"description": "How many customers pay the same"})
    differences = fields.List(fields.Nested(DifferenceSchema))
