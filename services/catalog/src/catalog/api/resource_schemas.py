"""Bodies of ``/v1/resources`` and of their pictures."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from catalog.api.field_types import Flag, Unique, whole
from catalog.api.policy_schemas import BookingPolicySchema, CancellationPolicySchema
from catalog.domain.resources import RESOURCE_TYPES, VISIBILITIES
from catalog.models import ResourcePicture
from catalog.services.image_sizes import SIZES
from catalog.services.listing import ResourceView
from common.http import Id, Instant, ListQuery, LongText, StrictSchema, Text
from common.ids import encode_id


class ResourceInSchema(StrictSchema):
    """What a resource is made of."""

    name = Text(required=True, metadata={"example": "Blue Room"})
    description = LongText(load_default=None, allow_none=True)
    type = fields.String(required=True, validate=validate.OneOf(RESOURCE_TYPES), metadata={"example": "meeting_room"})
    location_id = Id("loc", required=True)
    capacity = whole(1, 10_000, load_default=1, metadata={"description": "How many bookings at a time", "example": 1})
    seats = whole(1, 100_000, load_default=None, allow_none=True, metadata={"description": "How many people it holds"})
    parent_ids = Unique(Id("res"), most=20, load_default=list)
    amenities = Unique(Text(longest=60), most=50, load_default=list, metadata={"example": ["screen", "whiteboard"]})
    visibility = fields.String(load_default="members", validate=validate.OneOf(VISIBILITIES))
    plan_ids = Unique(Id("pln"), most=100, load_default=list)
    is_free = Flag(load_default=False)
    published = Flag(metadata={"description": "Wanted on sale; true by itself. Asked for by name it needs a rate."})
    booking_policy = fields.Nested(BookingPolicySchema, load_default=dict)
    cancellation_policy = fields.Nested(CancellationPolicySchema, load_default=dict)


class ProblemInSetupSchema(StrictSchema):
    """Something that keeps the organisation from earning."""

    code = fields.String(metadata={"example": "resource_without_rate"})
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String(metadata={"example": "/v1/resource-rates"})


class PictureInSchema(StrictSchema):
    """What can be said about a picture."""

    alt = Text(shortest=0, metadata={"example": "Eight chairs around a table"})
    position = whole(0, 1000)


class PictureQuery(StrictSchema):
    """What goes with the bytes of a new picture."""

    alt = Text(shortest=0, load_default="")


class SizeQuery(StrictSchema):
    """Which of the sizes is wanted."""

    size = fields.String(load_default="medium", validate=validate.OneOf(tuple(SIZES)))


def picture_urls(picture: ResourcePicture) -> dict[str, str]:
    """Paths of a picture's sizes."""
    path = f"/v1/resources/{encode_id('res', picture.resource_id)}/pictures/{encode_id('pic', picture.id)}"
    return {size: f"{path}?size={size}" for size in SIZES}


class PictureSchema(PictureInSchema):
    """A picture and where its sizes are found, by anybody."""

    id = Id("pic")
    width = fields.Integer()
    height = fields.Integer()
    urls = fields.Function(picture_urls, metadata={"type": "object"})


class ResourceSchema(ResourceInSchema):
    """A resource. ``listed`` says whether customers find it; ``problems`` what keeps them from it."""

    id = Id("res")
    listed = fields.Boolean()
    problems = fields.List(fields.Nested(ProblemInSetupSchema))
    pictures = fields.List(fields.Nested(PictureSchema))
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Fields come from the row, except those that its view adds."""
        if isinstance(obj, ResourceView) and attr not in {"listed", "problems", "pictures"}:
            obj = obj.resource
        return super().get_attribute(obj, attr, default)


class ResourceQuery(ListQuery):
    """Filters of the list; ``archived`` is for staff."""

    location_id = Id("loc")
    type = fields.String(validate=validate.OneOf(RESOURCE_TYPES))
    visibility = fields.String(validate=validate.OneOf(VISIBILITIES))
    listed = fields.Boolean()
    archived = fields.Boolean(load_default=False)
