"""``/v1/bookings/schedule``: who is in a room when (BOK-7)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from booking.api.access import EVERYBODY, viewer_of
from booking.api.schemas import IntervalSchema
from booking.services.availability import Wanted
from booking.services.schedule import schedule
from common.auth import allow, current_principal
from common.http import Blueprint, Id, Instant, StrictSchema, current_session
from common.http.schemas import QuerySchema

blueprint = Blueprint("schedule", __name__, description="Who is in a room when")


class ScheduleQuery(QuerySchema):
    """Some resources, or those of a location, or all; at most 31 days."""

    resource_id = fields.List(Id("res"), validate=validate.Length(max=500))
    location_id = Id("loc")
    from_ = Instant(data_key="from", required=True)
    to = Instant(required=True)

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["to"] <= data["from_"]:
            raise ValidationError("The end must be after the start.", "to")


class TakenTimeSchema(IntervalSchema):
    """A booking as others see it."""

    resource_id = Id("res")
    unit_no = fields.Integer()
    name = fields.String(
        allow_none=True, metadata={"description": "Null unless the resource shows names, or it is the caller's own."}
    )
    is_mine = fields.Boolean()


class ScheduleSchema(StrictSchema):
    """All bookings of the resources that touch the window."""

    items = fields.List(fields.Nested(TakenTimeSchema))


@blueprint.route("/v1/bookings/schedule", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(ScheduleQuery, location="query")
@blueprint.response(200, ScheduleSchema)
def get_schedule(query: dict[str, Any]) -> dict[str, Any]:
    """Show when resources are booked, and by whom as far as that is the caller's business."""
    wanted = Wanted(
        resource_ids=tuple(query.get("resource_id", ())),
        location_id=query.get("location_id"),
        start=query["from_"],
        end=query["to"],
    )
    return {"items": schedule(current_session(), wanted, viewer_of(current_principal()))}
