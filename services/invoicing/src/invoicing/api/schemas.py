"""Bodies of invoicing's API: settings, memberships, fees."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.http import Id, Instant, ListQuery, LongText, MoneyField, Percent, Quantity, StrictSchema, Text
from common.http.schemas import CivilDate, example_id
from invoicing.api.tax_schemas import TaxedSchema, TaxOverrideSchema, several_taxes, tax_category
from invoicing.services.member_requests import MEMBER_CHANGES


def civil_date(**kwargs: Any) -> CivilDate:
    """A civil date within reason."""
    return CivilDate(**kwargs)


class BillingSettingsSchema(TaxedSchema):
    """How the organisation bills."""

    automatic_generation = fields.Boolean()
    automatic_sending = fields.Boolean()
    automatic_collection = fields.Boolean()
    pay_now = fields.Boolean()
    member_changes = fields.List(
        fields.String(validate=validate.OneOf(MEMBER_CHANGES)),
        validate=validate.Length(max=len(MEMBER_CHANGES)),
        metadata={"description": "What members may do to their own memberships"},
    )
    period_start = fields.String(validate=validate.OneOf(["first_of_month", "membership_start"]))
    generate_days_before = fields.Integer(strict=True, validate=validate.Range(0, 60))
    payment_terms_days = fields.Integer(strict=True, validate=validate.Range(0, 365), metadata={"example": 14})
    tax_percent = Percent(metadata={"example": "19"})
    taxes = several_taxes(allow_none=True)
    tax_overrides = fields.List(fields.Nested(TaxOverrideSchema), validate=validate.Length(max=500))
    prices_include_tax = fields.Boolean()
    number_template = Text(longest=40, metadata={"example": "INV-{year}-{number:05}"})
    credit_note_number_template = Text(longest=40, metadata={"example": "CN-{year}-{number:05}"})
    retry_days = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 60)), validate=validate.Length(max=10)
    )
    reminders = fields.List(
        fields.Integer(strict=True, validate=validate.Range(-60, 365)), validate=validate.Length(max=20)
    )
    block_bookings_after_days = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, 365))
    end_memberships_after_days = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(1, 365),
        metadata={"description": "Days past due after which a customer's memberships end; null: never by themselves"},
    )
    lock_date = civil_date(allow_none=True)
    charge_hour = fields.Integer(strict=True, validate=validate.Range(0, 23))
    invoice_per = fields.String(validate=validate.OneOf(["customer", "membership_and_usage"]))
    location_by = fields.String(validate=validate.OneOf(["home", "use"]))
    late_fee_percent = Percent()
    late_fee = MoneyField()
    late_fee_grace_days = fields.Integer(strict=True, validate=validate.Range(0, 365))
    late_fee_repeat_days = fields.Integer(strict=True, validate=validate.Range(0, 365))
    payment_instructions = LongText(allow_none=True)
    invoice_footer = LongText(allow_none=True)


class BillingSettingsOutSchema(BillingSettingsSchema):
    """The billing settings with their version."""

    version = fields.Integer()


class PaidBySchema(StrictSchema):
    """Who pays, by their present name."""

    customer_id = fields.String(metadata={"example": example_id("mem")})
    customer_kind = fields.String(validate=validate.OneOf(["member", "company"]))
    customer_name = fields.String()


class SearchQuery(ListQuery):
    """A list that can be searched."""

    q = fields.String(
        load_default=None,
        validate=validate.Length(max=200),
        metadata={"description": "Part of the customer's name or e-mail address, or of the item's name or number"},
    )


class PauseSchema(StrictSchema):
    """Days without charge, both included; without ``to`` until it is resumed."""

    from_ = civil_date(data_key="from", required=True)
    to = civil_date(allow_none=True, load_default=None)


class PeriodSchema(StrictSchema):
    """A half-open interval of civil dates: ``end`` is not part of it."""

    start = fields.Date()
    end = fields.Date()


class MembershipTermsSchema(StrictSchema):
    """What may be said about a membership besides who has which plan."""

    location_id = Id("loc", allow_none=True)
    start_date = civil_date(required=True, metadata={"example": "2027-02-12"})
    price = MoneyField()
    quantity = Quantity(least="0.000001", most="100000")
    discount_percent = Percent()
    setup_fee = MoneyField(allow_none=True)
    deposit = MoneyField(allow_none=True)
    trial_days = fields.Integer(strict=True, validate=validate.Range(0, 366))
    minimum_term_months = fields.Integer(strict=True, validate=validate.Range(0, 120))
    notice_days = fields.Integer(strict=True, validate=validate.Range(0, 366))
    is_personal = fields.Boolean()


class MembershipInSchema(MembershipTermsSchema):
    """A plan for a member or company."""

    EXAMPLE = {
        "plan_id": example_id("pln"),
        "member_id": example_id("mem"),
        "location_id": example_id("loc"),
        "start_date": "2027-02-12",
    }

    plan_id = Id("pln", required=True)
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    end_date = civil_date(allow_none=True)
    promo_code = Text(longest=50)

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        end, start = data.get("end_date"), data.get("start_date")
        if end is not None and start is not None and end < start:
            raise ValidationError("Must not be before start_date.", "end_date")


class MembershipPatchSchema(MembershipTermsSchema):
    """Changes of a membership; ``end_date`` as by ``/end``."""

    EXAMPLE = {"discount_percent": "10"}

    end_date = civil_date(allow_none=True)


class MembershipSchema(PaidBySchema, MembershipTermsSchema):
    """A membership."""

    id = Id("mbs")
    plan_id = Id("pln")
    plan_name = fields.String()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    end_date = fields.Date(allow_none=True)
    status = fields.String()
    interval = fields.String()
    interval_count = fields.Integer()
    prorate = fields.Boolean()
    pauses = fields.List(fields.Dict())
    billed_until = fields.Date(allow_none=True)
    next_invoice_on = fields.Date(allow_none=True)
    replaces_id = Id("mbs", allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class MembershipDetailSchema(MembershipSchema):
    """A membership, and what the caller may do to it: staff may all."""

    earliest_end = fields.Date(metadata={"description": "The first last day that term and notice allow"})
    open_changes = fields.List(fields.String(validate=validate.OneOf(MEMBER_CHANGES)))


class EndSchema(StrictSchema):
    """The last day of a membership (null takes an end back); ``override`` sets minimum term and notice aside."""

    end_date = civil_date(required=True, allow_none=True)
    override = fields.Boolean(load_default=False)
    reason = Text(load_default=None, allow_none=True)


class ResumeSchema(StrictSchema):
    """The first day that is charged again."""

    date = civil_date(required=True)


class PlanChangeSchema(StrictSchema):
    """Another plan from ``date`` on; without a date: upgrades now, downgrades at the end of the period.

    Quantity and discount stay as they are unless they are given.
    """

    plan_id = Id("pln", required=True)
    date = civil_date(allow_none=True, load_default=None)
    timing = fields.String(validate=validate.OneOf(["now", "period_end"]), load_default=None, allow_none=True)
    price = MoneyField(load_default=None, allow_none=True)
    quantity = Quantity(least="0.000001", most="100000", load_default=None, allow_none=True)
    discount_percent = Percent(load_default=None, allow_none=True)
    preview = fields.Boolean(load_default=False)


class ChangeLineSchema(StrictSchema):
    """A line of a plan change; credits are negative."""

    kind = fields.String()
    description = fields.String()
    period = fields.Nested(PeriodSchema)
    quantity = Quantity()
    unit_price = MoneyField()
    discount_percent = Percent()
    net = MoneyField(negative=True)
    explain = fields.String()


class PlanChangedSchema(StrictSchema):
    """What a plan change costs, and the memberships."""

    date = fields.Date()
    timing = fields.String()
    lines = fields.List(fields.Nested(ChangeLineSchema))
    net = MoneyField(negative=True)
    preview = fields.Boolean()
    membership = fields.Nested(MembershipSchema, allow_none=True)
    credit_note_ids = fields.List(Id("crn"))


class FeeTermsSchema(TaxedSchema):
    """What may be said about a fee."""

    EXAMPLE = {"name": "Key card", "price": {"amount_minor": 2500, "currency": "EUR"}}

    location_id = Id("loc", allow_none=True)
    name = Text()
    price = MoneyField()
    quantity = Quantity(least="0.000001")
    discount_percent = Percent()
    dated = civil_date(data_key="date", metadata={"example": "2027-02-15"})
    tax_category = tax_category(allow_none=True)
    prices_include_tax = fields.Boolean(allow_none=True)
    revenue_account = Text(longest=50, allow_none=True)
    bill_in_advance = fields.Boolean()
    is_refundable = fields.Boolean()


class FeeInSchema(FeeTermsSchema):
    """A one-off plan, or a name and a price, for a member or company."""

    EXAMPLE = {"member_id": example_id("mem"), "name": "Key card", "price": {"amount_minor": 2500, "currency": "EUR"}}

    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    plan_id = Id("pln", allow_none=True)
    is_personal = fields.Boolean()
    promo_code = Text(longest=50)


class FeeSchema(PaidBySchema, FeeTermsSchema):
    """A fee."""

    id = Id("fee")
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    plan_id = Id("pln", allow_none=True)
    booking_id = Id("bkg", allow_none=True)
    is_personal = fields.Boolean()
    taxes = several_taxes(attribute="shown_taxes", allow_none=True)
    source = fields.String()
    status = fields.String()
    invoice_id = Id("inv", allow_none=True)
    next_invoice_on = fields.Date(attribute="issue_on", allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class WaiverSchema(StrictSchema):
    """Why a fee is waived."""

    reason = Text(load_default=None, allow_none=True)
