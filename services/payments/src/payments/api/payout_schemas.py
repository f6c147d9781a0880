"""Bodies about payouts."""

from __future__ import annotations

from marshmallow import fields

from common.http import Id, Instant, MoneyField, StrictSchema
from payments.domain.reconciling import Verdict


class PayoutSchema(StrictSchema):
    """A transfer to the bank account; the parts are the provider's word. ``itemised`` false: it tells no parts."""

    id = Id("pyo")
    gateway_id = Id("gtw")
    provider_reference = fields.String(metadata={"example": "po_1Nr…"})
    amount = MoneyField(negative=True)
    state = fields.String(metadata={"example": "paid"})
    arrives_on = fields.Date()
    made_at = Instant()
    itemised = fields.Boolean()
    complete = fields.Boolean()
    charged = MoneyField(negative=True)
    refunded = MoneyField(negative=True)
    disputed = MoneyField(negative=True)
    fees = MoneyField(negative=True)
    other = MoneyField(negative=True)


class PayoutFeedSchema(StrictSchema):
    """When a gateway's payouts were fetched last, and what kept them from being fetched since."""

    gateway_id = Id("gtw", attribute="id")
    due_at = Instant()
    fetched_at = Instant(allow_none=True)
    failure_code = fields.String(allow_none=True)


class PayoutItemSchema(StrictSchema):
    """A part of a payout: what it added before the fee."""

    kind = fields.String(metadata={"example": "charge"})
    amount = MoneyField(negative=True)
    fee = MoneyField(negative=True)
    payment_id = Id("pay", allow_none=True)
    invoice_id = Id("inv", allow_none=True)
    invoice_number = fields.String(allow_none=True)
    customer_name = fields.String(allow_none=True)
    provider_reference = fields.String(allow_none=True)


class PayoutSummarySchema(StrictSchema):
    """What arrived from one gateway in the period, as its provider says."""

    gateway_id = Id("gtw")
    provider = fields.String()
    label = fields.String()
    fetched_at = Instant(allow_none=True)
    failure_code = fields.String(allow_none=True)
    payouts = fields.Integer()
    not_itemised = fields.Integer()
    paid_out = MoneyField(negative=True)
    charged = MoneyField(negative=True)
    refunded = MoneyField(negative=True)
    disputed = MoneyField(negative=True)
    fees = MoneyField(negative=True)
    other = MoneyField(negative=True)


class PayoutLineSchema(StrictSchema):
    """One comparison. An amount that is null: that side knows nothing of it. ``what``: payment, refund or payout."""

    day = fields.Date()
    verdict = fields.Enum(Verdict, by_value=True, metadata={"example": "missing_here"})
    what = fields.String(metadata={"example": "payment"})
    provider = fields.String()
    gateway_id = Id("gtw")
    payout_id = Id("pyo", allow_none=True)
    payment_id = Id("pay", allow_none=True)
    refund_id = Id("ref", allow_none=True)
    invoice_id = Id("inv", allow_none=True)
    invoice_number = fields.String(allow_none=True)
    customer_name = fields.String(allow_none=True)
    provider_reference = fields.String(allow_none=True)
    currency = fields.String()
    provider_amount = MoneyField(negative=True, allow_none=True)
    our_amount = MoneyField(negative=True, allow_none=True)


class PayoutReportSchema(StrictSchema):
    """Sums by gateway, how many comparisons came to what, and those that do not agree."""

    from_ = fields.Date(data_key="from")
    to = fields.Date()
    gateways = fields.List(fields.Nested(PayoutSummarySchema))
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    differences = fields.List(fields.Nested(PayoutLineSchema))
