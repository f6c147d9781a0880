"""Bodies of the storefront: its settings, the public catalogue, and the checklist's facts."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from catalog.api.field_types import Flag
from catalog.api.plan_schemas import PlanSchema
from catalog.api.rate_schemas import ResourceRateSchema
from catalog.api.resource_schemas import ProblemInSetupSchema, ResourceSchema
from catalog.api.schemas import LocationSchema
from catalog.services.storefront import PublicResource
from common.http import Id, LongText, StrictSchema, Text

# A scheme, a host (with *. in front for all below it) and perhaps a port, as a policy's frame-ancestors takes it.
ORIGIN = r"https?://(\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(?::[0-9]{1,5})?\Z"
FLOWS = ("pay_now", "pay_later", "approval")


class PurchaseFlowSchema(StrictSchema):
    """How each audience buys: payment first, on invoice, or after approval by staff (GH-2)."""

    guest = fields.String(validate=validate.OneOf(FLOWS), metadata={"example": "pay_now"})
    member = fields.String(validate=validate.OneOf(FLOWS), metadata={"example": "pay_later"})


def _web_address() -> fields.Url:
    return fields.Url(schemes={"https", "http"}, validate=validate.Length(max=500), allow_none=True)


class StorefrontSettingsSchema(StrictSchema):
    """How the organisation shows itself to strangers."""

    published = Flag()
    headline = Text(allow_none=True, metadata={"example": "Work by the water"})
    description = LongText(allow_none=True)
    brand_color = fields.String(
        allow_none=True, validate=validate.Regexp(r"#[0-9a-fA-F]{6}\Z"), metadata={"example": "#0b6e4f"}
    )
    contact_email = fields.Email(allow_none=True, validate=validate.Length(max=254))
    terms_url = _web_address()
    privacy_url = _web_address()
    purchase_flow = fields.Nested(PurchaseFlowSchema)
    embed_origins = fields.List(
        fields.String(validate=validate.Regexp(ORIGIN, error="Must be an address such as https://www.example.com.")),
        validate=validate.Length(max=20),
        metadata={"description": "Sites that may embed the storefront", "example": ["https://www.example.com"]},
    )


class PublicOrganizationSchema(StrictSchema):
    """Whose storefront it is."""

    id = Id("org")
    slug = fields.String()
    name = fields.String()
    country = fields.String()
    currency = fields.String()
    timezone = fields.String()
    language = fields.String()


class PublicLocationSchema(LocationSchema):
    """A location as strangers see it."""

    class Meta:
        fields = ("id", "name", "code", "timezone", "address", "opening_hours", "closures")


class PublicPlanSchema(PlanSchema):
    """A plan as strangers see it."""

    class Meta:
        exclude = ("revenue_account", "created_at", "archived_at", "version", "visibility")


class PublicRateSchema(ResourceRateSchema):
    """A rate as strangers see it."""

    class Meta:
        exclude = ("resource_ids", "resource_types", "revenue_account", "created_at", "archived_at", "version")


class PublicResourceSchema(ResourceSchema):
    """A resource as strangers see it, with the rates that may price a booking."""

    rates = fields.List(fields.Nested(PublicRateSchema))

    class Meta:
        exclude = ("published", "listed", "problems", "plan_ids", "created_at", "archived_at", "version")

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Fields come from the row, except what goes with it."""
        if isinstance(obj, PublicResource) and attr not in {"rates", "pictures"}:
            obj = obj.resource
        return super().get_attribute(obj, attr, default)


class PublicCatalogSchema(StrictSchema):
    """All that a storefront shows, as far as the catalog knows."""

    organization = fields.Nested(PublicOrganizationSchema)
    storefront = fields.Nested(StorefrontSettingsSchema)
    locations = fields.List(fields.Nested(PublicLocationSchema))
    plans = fields.List(fields.Nested(PublicPlanSchema))
    resources = fields.List(fields.Nested(PublicResourceSchema))


class SetupCatalogSchema(StrictSchema):
    """Counts of what is on sale, and what keeps the organisation from earning."""

    facts = fields.Dict(keys=fields.String(), values=fields.Raw())
    problems = fields.List(fields.Nested(ProblemInSetupSchema))
