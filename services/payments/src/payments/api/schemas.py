"""Bodies of the payments API."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.http import Id, Instant, MoneyField, StrictSchema, Text
from common.http.schemas import CivilDate, example_id
from payments.api.access import publishable_key
from payments.domain.refunds import WAITING
from payments.gateways.registry import PROVIDERS
from payments.gateways.terms import MethodKind

_KINDS = validate.OneOf([kind.value for kind in MethodKind])
_SAVED_KINDS = validate.OneOf(["card", "sepa_debit", "ach_debit", "bacs_debit"])
_CREDENTIALS: dict[str, Any] = {"keys": Text(longest=40), "values": Text(longest=500)}


class GatewayInSchema(StrictSchema):
    """A gateway to connect."""

    provider = fields.String(required=True, validate=validate.OneOf(sorted(PROVIDERS)), metadata={"example": "sandbox"})
    location_id = Id("loc", allow_none=True)
    credentials = fields.Dict(**_CREDENTIALS, load_only=True)
    methods = fields.List(fields.String(validate=_KINDS), validate=validate.Length(min=1, max=10))


class GatewayChangeSchema(StrictSchema):
    """What may change about a gateway; new credentials replace the old ones."""

    EXAMPLE = {"methods": ["card"]}

    location_id = Id("loc", allow_none=True)
    credentials = fields.Dict(**_CREDENTIALS, load_only=True)
    methods = fields.List(fields.String(validate=_KINDS), validate=validate.Length(min=1, max=10))


class GatewaySchema(StrictSchema):
    """A gateway, without its secrets."""

    id = Id("gtw")
    provider = fields.String()
    label = fields.String()
    location_id = Id("loc", allow_none=True)
    methods = fields.List(fields.String())
    live = fields.Boolean(attribute="is_live")
    has_webhook_secret = fields.Boolean()
    webhook_path = fields.Function(lambda gateway: f"/v1/webhooks/gtw_{gateway.id.hex}")
    state = fields.String(metadata={"example": "connected"})
    created_at = Instant()
    disconnected_at = Instant(allow_none=True)
    version = fields.Integer()


class TestChargeInSchema(StrictSchema):
    """A small charge that is given back at once."""

    amount = MoneyField()
    token = Text(metadata={"example": "sandbox_ok"})
    payment_method_id = Id("pmt")


class SetupInSchema(StrictSchema):
    """Whose method is to be saved, and how."""

    EXAMPLE = {"member_id": example_id("mem"), "token": "sandbox_ok"}

    member_id = Id("mem")
    company_id = Id("com")
    gateway_id = Id("gtw")
    token = Text(metadata={"example": "sandbox_ok"})
    kinds = fields.List(fields.String(validate=_SAVED_KINDS), validate=validate.Length(min=1, max=4))
    return_url = fields.Url(schemes={"http", "https"})
    make_default = fields.Boolean(load_default=True)
    single_use = fields.Boolean(
        load_default=False,
        metadata={"description": "With a token: for Pay Now alone; never collected with and not listed."},
    )

    @validates_schema
    def check_owner(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "member_id" in data and "company_id" in data:
            raise ValidationError("either a member or a company, not both", "company_id")
        if data.get("single_use") and "token" not in data:
            raise ValidationError("needs a token", "single_use")


class MethodChangeSchema(StrictSchema):
    """Make a method the default."""

    is_default = fields.Boolean(required=True, validate=validate.Equal(True))


class MethodSchema(StrictSchema):
    """A saved payment method as a person may recognise it."""

    id = Id("pmt")
    gateway_id = Id("gtw")
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    customer_name = fields.String(allow_none=True)
    provider = fields.String()
    kind = fields.String(metadata={"example": "card"})
    brand = fields.String(allow_none=True, metadata={"example": "visa"})
    last4 = fields.String(allow_none=True, metadata={"example": "4242"})
    exp_month = fields.Integer(allow_none=True)
    exp_year = fields.Integer(allow_none=True)
    is_default = fields.Boolean()
    state = fields.String(metadata={"example": "active"})
    failure_code = fields.String(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class SetupSchema(MethodSchema):
    """A method, or what the provider's element or page needs so that the member can enter one."""

    setup = fields.Dict(
        allow_none=True,
        metadata={"example": {"provider": "stripe", "client_secret": "…", "publishable_key": "pk_…", "url": None}},
    )


class PayInSchema(StrictSchema):
    """Pay Now with a saved method, or money that was taken by hand."""

    EXAMPLE = {"payment_method_id": example_id("pmt")}

    payment_method_id = Id("pmt")
    new_method = fields.Boolean(
        validate=validate.Equal(True),
        metadata={"description": "The customer enters a method in the provider's element, with the answer's `action`."},
    )
    return_url = fields.Url(schemes={"http", "https"})
    method = fields.String(validate=validate.OneOf(["cash", "bank_transfer", "pos"]))
    amount = MoneyField()
    reference = Text(allow_none=True)
    date = CivilDate()

    @validates_schema
    def check_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        by_hand = {"amount", "reference", "date"} & data.keys()
        if len({"payment_method_id", "new_method", "method"} & data.keys()) != 1:
            raise ValidationError("one of payment_method_id, new_method or method is wanted", "payment_method_id")
        if "method" not in data and by_hand:
            raise ValidationError("belongs to payments by hand", min(by_hand))
        if "method" in data and "return_url" in data:
            raise ValidationError("belongs to payments with a saved method", "return_url")


class AttemptSchema(StrictSchema):
    """Something that was reported about a payment."""

    at = fields.String()
    state = fields.String()
    failure_code = fields.String(allow_none=True)


class RefundSchema(StrictSchema):
    """Money given back."""

    id = Id("ref")
    payment_id = Id("pay")
    amount = MoneyField()
    # One that waits for the end of a chargeback is pending, too.
    state = fields.Function(
        lambda refund: "pending" if refund.fact == WAITING else refund.fact.lower(), metadata={"example": "succeeded"}
    )
    reason = fields.String(allow_none=True)
    credit_note_id = Id("crn", allow_none=True)
    failure_code = fields.String(allow_none=True)
    created_at = Instant()


def action_of(payment: Any) -> dict[str, Any] | None:
    """What the member needs to confirm a charge; None when nothing is to be confirmed."""
    if payment.state != "action_required":
        return None
    key = publishable_key(payment)
    return {"url": payment.action_url, "client_secret": payment.client_secret, "publishable_key": key}


class PaymentSchema(StrictSchema):
    """Money that moved, or was to."""

    id = Id("pay")
    invoice_id = Id("inv", allow_none=True)
    invoice_number = fields.String(allow_none=True)
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    customer_name = fields.String(allow_none=True)
    amount = MoneyField()
    refunded = MoneyField()
    state = fields.String(metadata={"example": "succeeded"})
    source = fields.String(metadata={"example": "automatic"})
    provider = fields.String()
    gateway_id = Id("gtw", allow_none=True)
    payment_method_id = Id("pmt", allow_none=True)
    method = fields.String(metadata={"example": "card"})
    brand = fields.String(allow_none=True)
    last4 = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    attempt = fields.Integer()
    attempts = fields.List(fields.Nested(AttemptSchema))
    failure_code = fields.String(allow_none=True)
    failure_kind = fields.String(allow_none=True)
    action = fields.Function(
        action_of,
        metadata={
            "example": {
                "url": "https://…/v1/payments/pay_…/action?key=…",
                "client_secret": None,
                "publishable_key": None,
            }
        },
    )
    occurred_at = Instant()
    created_at = Instant()
    version = fields.Integer()


class RefundInSchema(StrictSchema):
    """How much to give back; all that is left unless told."""

    EXAMPLE = {"amount": {"amount_minor": 1000, "currency": "EUR"}, "reason": "Broken projector"}

    amount = MoneyField()
    reason = Text()


class TestChargeSchema(StrictSchema):
    """What came of a test charge and of giving it back."""

    payment = fields.Nested(PaymentSchema)
    refund = fields.Nested(RefundSchema, allow_none=True)


class CollectionAttemptSchema(StrictSchema):
    """One charge that was tried for an invoice."""

    id = Id("pay")
    attempt = fields.Integer()
    state = fields.String()
    failure_code = fields.String(allow_none=True)
    occurred_at = Instant()


class CollectionSchema(StrictSchema):
    """What will be charged for an invoice, when, and what was tried."""

    invoice_id = Id("inv")
    invoice_number = fields.String()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    customer_name = fields.String(allow_none=True)
    amount = MoneyField()
    due_date = fields.Date()
    due_at = Instant()
    next_attempt_at = Instant(allow_none=True)
    state = fields.String(metadata={"example": "scheduled"})
    stopped = fields.String(allow_none=True)
    last_failure_code = fields.String(allow_none=True)
    attempts = fields.List(fields.Nested(CollectionAttemptSchema))
