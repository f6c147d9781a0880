"""Bodies about organisations and their clocks."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from common.http import Id, Instant, StrictSchema, Text
from common.http.schemas import zone_name
from members.api.fields import Email, Password, country_code, currency_code, language_tag
from members.api.token_schemas import TokensSchema

PROFILE = (
    "legal_name", "address", "vat_number", "tax_number", "registration_number", "email", "alert_email", "phone",
    "website", "brand_colour", "logo", "bank", "invoice_footer",
)  # fmt: skip
MODES = ("live", "rehearsal")
# What fits into an address and into a host name.
SLUG = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"


class OwnerSchema(StrictSchema):
    """Whoever signs an organisation up."""

    name = Text(required=True, metadata={"example": "Example Owner"})
    email = Email(required=True, metadata={"example": "owner@harbour.example"})
    password = Password(required=True)


class ProfileSchema(StrictSchema):
    """What stands on invoices and pages about an organisation."""

    legal_name = Text(allow_none=True)
    address = fields.Dict(
        keys=Text(longest=40),
        values=Text(shortest=0),
        allow_none=True,
        metadata={"example": {"street": "Kai 1", "city": "Hamburg", "postal_code": "20457", "country": "DE"}},
    )
    vat_number = Text(longest=30, allow_none=True, metadata={"example": "DE136695976"})
    tax_number = Text(longest=40, allow_none=True)
    registration_number = Text(longest=60, allow_none=True)
    email = Email(allow_none=True)
    alert_email = Email(allow_none=True, metadata={"description": "Where failures are reported; default: email"})
    phone = Text(longest=40, allow_none=True)
    website = fields.URL(schemes={"http", "https"}, allow_none=True, validate=validate.Length(max=500))
    brand_colour = Text(allow_none=True, validate=validate.Regexp("^#[0-9a-fA-F]{6}$"), metadata={"example": "#0b5fff"})
    logo = fields.String(
        allow_none=True,
        validate=[
            validate.Length(max=150_000),
            validate.Regexp(r"^(https://\S{1,2000}|data:image/(png|jpeg);base64,[A-Za-z0-9+/]+={0,2})\Z"),
        ],
        metadata={
            "description": "An https address, or a data URI of a PNG or JPEG",
            "example": "https://harbour.example/logo.png",
        },
    )
    bank = fields.Dict(
        keys=Text(longest=40), values=Text(shortest=0), allow_none=True, metadata={"example": {"iban": "DE02…"}}
    )
    invoice_footer = Text(longest=2000, allow_none=True)


class OrganizationFieldsSchema(ProfileSchema):
    """What an owner may say about an organisation."""

    name = Text(required=True, metadata={"example": "Harbour Works"})
    country = Text(required=True, validate=country_code, metadata={"example": "DE"})
    currency = Text(required=True, validate=currency_code, metadata={"example": "EUR"})
    timezone = Text(required=True, validate=zone_name, metadata={"example": "Europe/Berlin"})
    mode = fields.String(validate=validate.OneOf(MODES))
    language = Text(validate=language_tag, metadata={"example": "en"})


class SignUpSchema(OrganizationFieldsSchema):
    """A new organisation and its owner."""

    slug = Text(required=True, validate=validate.Regexp(SLUG), metadata={"example": "harbour"})
    mode = fields.String(load_default="live", validate=validate.OneOf(MODES))
    language = Text(load_default="en", validate=language_tag)
    clock = Instant(
        allow_none=True, metadata={"description": "Rehearsal only: where its clock starts", "example": None}
    )
    owner = fields.Nested(OwnerSchema, required=True)


class OrganizationSchema(OrganizationFieldsSchema):
    """An organisation."""

    id = Id("org")
    slug = fields.String()
    version = fields.Integer()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Profile entries stand beside the other fields."""
        if attr in PROFILE:
            return obj.profile.get(attr)
        return super().get_attribute(obj, attr, default)


class SignedUpSchema(TokensSchema):
    """The new organisation, and its owner signed in."""

    organization = fields.Nested(OrganizationSchema)


class ClockSchema(StrictSchema):
    """An organisation's time; ``target`` is where its clock is being moved to."""

    mode = fields.String(validate=validate.OneOf(MODES))
    now = Instant()
    target = Instant(allow_none=True)


class InternalClockSchema(ClockSchema):
    """The same for the gateway."""

    organization_id = fields.UUID()
    clock_version = fields.Integer()


class MoveClockSchema(StrictSchema):
    """One step of a clock."""

    organization_id = fields.UUID(required=True)
    expected_now = Instant(required=True)
    to = Instant(required=True)


class ClockTargetSchema(StrictSchema):
    """Where a clock is to be moved to, and by whom."""

    organization_id = fields.UUID(required=True)
    to = Instant(required=True)
    actor = Text(required=True)
    actor_role = Text(required=True)


class ReleasedKeySchema(StrictSchema):
    """The key of a request that the gateway refused."""

    key = Text(required=True)


class ClaimedKeySchema(ReleasedKeySchema):
    """The key of a request that the gateway answers itself, and a hash of what was asked."""

    fingerprint = Text(required=True)


class GuestAgainSchema(StrictSchema):
    """A guest whose checkout goes on."""

    organization_id = fields.UUID(required=True)
    member_id = fields.UUID(required=True)


class GuestSchema(StrictSchema):
    """Somebody who checks out at the storefront."""

    organization_id = fields.UUID(required=True)
    company = Text(allow_none=True)
    name = Text(required=True)
    email = Email(required=True)
    phone = Text(longest=40, allow_none=True)
    location_id = Id("loc", allow_none=True)
    language = Text(validate=language_tag, allow_none=True, metadata={"example": "en"})
