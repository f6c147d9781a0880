"""Bodies of ``/v1/deposits``."""

from __future__ import annotations

from marshmallow import fields, validate

from common.http import Id, Instant, MoneyField, StrictSchema, Text
from invoicing.api.schemas import PaidBySchema


class DepositEntrySchema(StrictSchema):
    """A movement: held (positive), or returned, applied and forfeited, credited by a credit note, or unpaid since its
    money went back (negative)."""

    kind = fields.String(validate=validate.OneOf(["held", "returned", "applied", "forfeited", "credited", "unpaid"]))
    amount = MoneyField(negative=True)
    date = fields.Date(attribute="dated")
    note = fields.String(allow_none=True)


class DepositSchema(PaidBySchema):
    """A refundable deposit."""

    id = Id("dep")
    name = fields.String()
    invoice_id = Id("inv")
    membership_id = Id("mbs", allow_none=True)
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    amount = MoneyField()
    held = MoneyField()
    state = fields.String()
    entries = fields.List(fields.Nested(DepositEntrySchema))
    created_at = Instant()
    version = fields.Integer()


class DepositMoveSchema(StrictSchema):
    """What becomes of a deposit, or part of it."""

    kind = fields.String(required=True, validate=validate.OneOf(["returned", "applied", "forfeited"]))
    amount = MoneyField(load_default=None, allow_none=True)
    note = Text(load_default=None, allow_none=True)
