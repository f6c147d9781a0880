"""Bodies of ``/v1/billing-runs``."""

from __future__ import annotations

from marshmallow import fields

from common.http import Id, Instant, StrictSchema
from invoicing.api.comparison_schemas import ComparisonSchema
from invoicing.api.invoice_schemas import InvoiceSchema
from invoicing.api.schemas import civil_date


class BillingRunInSchema(StrictSchema):
    """What to bill: up to which planned day, of which location or customer.

    A member's company pays for them; ``is_personal`` is about what they pay themselves.
    """

    as_of = civil_date(required=True, metadata={"example": "2027-03-01"})
    location_id = Id("loc", load_default=None, allow_none=True)
    member_id = Id("mem", load_default=None, allow_none=True)
    company_id = Id("com", load_default=None, allow_none=True)
    is_personal = fields.Boolean(load_default=False)
    dry_run = fields.Boolean(load_default=False)


class CountsSchema(StrictSchema):
    """What a run did."""

    customers = fields.Integer()
    invoices = fields.Integer()
    lines = fields.Integer()
    errors = fields.Integer()
    total_minor = fields.Integer()


class BillingRunSchema(StrictSchema):
    """A billing run; a dry one has no id."""

    id = Id("run", allow_none=True)
    kind = fields.String()
    status = fields.String()
    as_of = fields.Date()
    location_id = Id("loc", allow_none=True)
    counts = fields.Nested(CountsSchema)
    errors = fields.List(fields.Dict())
    invoices = fields.List(fields.Nested(InvoiceSchema), metadata={"description": "The first fifty"})
    comparison = fields.Nested(
        ComparisonSchema, allow_none=True, metadata={"description": "Of a dry run with the last real one"}
    )
    created_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)


class BillingRunItemSchema(BillingRunSchema):
    """A billing run in a list."""

    class Meta(BillingRunSchema.Meta):
        exclude = ("invoices", "comparison")
