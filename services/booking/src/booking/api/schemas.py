"""Bodies of ``/v1/bookings`` and its neighbours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from booking.domain.recurrence import Scope
from common.http import Id, Instant, ListQuery, LongText, MoneyField, Percent, Quantity, StrictSchema, Text
from common.http.schemas import example_id

PAYMENTS = ("on_invoice", "now")


class ExtraOrderSchema(StrictSchema):
    """So many of an extra that the rate offers (PRI-5)."""

    code = Text(required=True, longest=60, metadata={"example": "projector"})
    quantity = Quantity(least="0.000001", most="10000", load_default=Decimal(1))


class RecurrenceSchema(StrictSchema):
    """An RFC 5545 rule in the location's wall time, and dates left out of it (BOK-4)."""

    rrule = Text(required=True, longest=500, metadata={"example": "FREQ=WEEKLY;COUNT=6"})
    exdates = fields.List(Text(longest=40), validate=validate.Length(max=500), metadata={"example": ["2027-03-29"]})


class QuoteInSchema(StrictSchema):
    """What is to be priced."""

    EXAMPLE = {
        "resource_id": example_id("res"),
        "member_id": example_id("mem"),
        "start": "2027-02-15T09:00:00+01:00",
        "end": "2027-02-15T12:00:00+01:00",
    }

    resource_id = Id("res", required=True)
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    is_personal = fields.Boolean(load_default=False)
    start = Instant(required=True)
    end = Instant(required=True)
    recurrence = fields.Nested(RecurrenceSchema, allow_none=True)
    extras = fields.List(fields.Nested(ExtraOrderSchema), validate=validate.Length(max=50))
    custom_price = MoneyField(allow_none=True, metadata={"description": "Staff only: the price of the time."})
    is_free = fields.Boolean(metadata={"description": "Staff only: free of charge."})
    promo_code = Text(allow_none=True, longest=50, metadata={"example": "SPRING20"})
    payment = fields.String(validate=validate.OneOf(PAYMENTS), load_default="on_invoice")
    note = LongText(allow_none=True)
    private_note = LongText(allow_none=True, metadata={"description": "Staff only: nobody else sees it."})
    override = fields.Boolean(
        load_default=True, metadata={"description": "Staff only: false holds them to the booking policy, too."}
    )

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["end"] <= data["start"]:
            raise ValidationError("The end must be after the start.", "end")


class BookingInSchema(QuoteInSchema):
    """What is to be booked."""

    EXAMPLE = {**QuoteInSchema.EXAMPLE, "payment": "on_invoice"}

    checkout_id = Id(
        "chk",
        allow_none=True,
        metadata={"description": "The storefront checkout that pays for it, at strangers' prices unless as_member."},
    )
    as_member = fields.Boolean(
        load_default=False,
        metadata={
            "description": "In a checkout: the buyer has signed in, and books like a member, not like strangers."
        },
    )
    asks_approval = fields.Boolean(
        load_default=False, metadata={"description": "Tentative until staff approve, whatever the policy."}
    )


class BookingPatchSchema(StrictSchema):
    """What is to be different; what is not sent stays. ``scope`` is about a series."""

    EXAMPLE = {"start": "2027-02-15T10:00:00+01:00", "end": "2027-02-15T13:00:00+01:00"}

    start = Instant()
    end = Instant()
    resource_id = Id("res")
    extras = fields.List(fields.Nested(ExtraOrderSchema), validate=validate.Length(max=50))
    custom_price = MoneyField()
    is_free = fields.Boolean()
    note = LongText(allow_none=True)
    private_note = LongText(allow_none=True, metadata={"description": "Staff only: nobody else sees it."})
    scope = fields.Enum(Scope, by_value=True, load_default=Scope.THIS)
    override = fields.Boolean(load_default=True)
    preview = fields.Boolean(load_default=False, metadata={"description": "Only say what the change would make of it."})


class LineSchema(StrictSchema):
    """A priced line as it will stand on the invoice."""

    kind = fields.String()
    description = fields.String()
    quantity = Quantity()
    unit_price = MoneyField(negative=True)
    net = MoneyField(negative=True)


class IntervalSchema(StrictSchema):
    """``[start, end)``."""

    start = Instant()
    end = Instant()


class QuotedDateSchema(IntervalSchema):
    """One date of a quote with its price."""

    price = MoneyField()


class OccurrenceSchema(QuotedDateSchema):
    """One date of a series."""

    id = Id("bkg")
    status = fields.String()


class ViolationSchema(StrictSchema):
    """A rule of the booking policy that stands against a booking."""

    code = fields.String()
    detail = fields.String()
    pointer = fields.String()


class TaxSchema(StrictSchema):
    """One of the parallel taxes of a price."""

    name = fields.String(metadata={"example": "GST"})
    percent = fields.String(metadata={"example": "5"})
    category = fields.String(allow_none=True, metadata={"example": "S"})


class QuoteSchema(StrictSchema):
    """What a booking would cost and whether it could be made: ``lines`` and ``explain`` are of the first date."""

    resource_id = Id("res")
    start = Instant()
    end = Instant()
    total = MoneyField()
    lines = fields.List(fields.Nested(LineSchema))
    explain = fields.List(fields.String())
    credits_used = Quantity()
    promo_code = fields.String(allow_none=True, metadata={"description": "The code that takes something off."})
    tax_percent = Percent(allow_none=True)
    taxes = fields.List(fields.Nested(TaxSchema))
    prices_include_tax = fields.Boolean(allow_none=True)
    available = fields.Boolean()
    violations = fields.List(fields.Nested(ViolationSchema))
    conflicts = fields.List(fields.Nested(IntervalSchema))
    occurrences = fields.List(fields.Nested(QuotedDateSchema))


class BookingSchema(StrictSchema):
    """A booking: one occurrence. A series lists all of them where it is made or changed."""

    id = Id("bkg")
    series_id = Id("ser", allow_none=True)
    number = fields.Integer()
    status = fields.String()
    resource_id = Id("res")
    resource_name = fields.String()
    location_id = Id("loc")
    timezone = fields.String()
    unit_no = fields.Integer()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    customer_name = fields.String(allow_none=True)
    is_personal = fields.Boolean()
    start = Instant()
    end = Instant()
    price = MoneyField()
    lines = fields.List(fields.Nested(LineSchema))
    explain = fields.List(fields.String())
    tax_percent = Percent(allow_none=True)
    taxes = fields.List(fields.Nested(TaxSchema))
    prices_include_tax = fields.Boolean(allow_none=True)
    credits_used = Quantity()
    promo_code = fields.String(allow_none=True)
    extras = fields.List(fields.Dict())
    note = fields.String(allow_none=True)
    private_note = fields.String(allow_none=True, metadata={"description": "Null for everybody but staff."})
    payment = fields.String()
    hold_expires_at = Instant(allow_none=True)
    checkout_id = Id("chk", allow_none=True)
    checked_in_at = Instant(allow_none=True)
    cancelled_at = Instant(allow_none=True)
    cancel_reason = fields.String(allow_none=True)
    cancellation_fee = MoneyField(allow_none=True)
    overridden = fields.List(fields.String())
    created_at = Instant()
    version = fields.Integer()
    occurrences = fields.List(fields.Nested(OccurrenceSchema))


class BookingQuery(ListQuery):
    """Filters of the list; ``from`` and ``to`` find what overlaps them."""

    resource_id = Id("res")
    location_id = Id("loc")
    member_id = Id("mem")
    company_id = Id("com")
    series_id = Id("ser")
    checkout_id = Id("chk")
    status = fields.String(validate=validate.Length(max=100))
    from_ = Instant(data_key="from")
    to = Instant()


class CancellationInSchema(StrictSchema):
    """``preview`` changes nothing and tells the fee."""

    preview = fields.Boolean(load_default=False)
    scope = fields.Enum(Scope, by_value=True, load_default=Scope.THIS)
    reason = Text(allow_none=True, load_default=None, longest=500)
    waive_fee = fields.Boolean(load_default=False, metadata={"description": "Staff only."})


class CancellationSchema(BookingSchema):
    """A booking with what cancelling it costs: the fee of all bookings in the scope together."""

    fee = MoneyField()
    percent = Percent()
    credits_forfeited = Quantity()
    free_until = Instant(allow_none=True)
    preview = fields.Boolean()


class ApprovalInSchema(StrictSchema):
    """The decision about a tentative booking."""

    approved = fields.Boolean(required=True)
    reason = Text(allow_none=True, load_default=None, longest=500)


class EmptySchema(StrictSchema):
    """No fields."""
