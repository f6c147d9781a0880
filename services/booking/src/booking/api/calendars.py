"""iCalendar files and private feeds (BOK-6)."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, validates_schema
from sqlalchemy import select

from booking.api.access import BOOKERS, EVERYBODY, find_mine, locations_of
from booking.api.credit_grants import require_customer
from booking.models import CalendarFeed, Resource
from booking.services import calendars
from common.auth import Principal, allow, current_principal, public
from common.errors import ForbiddenError, InvalidError, NotFoundError
from common.http import (
    Blueprint,
    Id,
    Instant,
    ListQuery,
    StrictSchema,
    bind_session,
    current_session,
    idempotent,
    page,
    page_schema,
)
from common.http.schemas import example_id
from common.ids import decode_path_id

blueprint = Blueprint("calendars", __name__, description="Calendars for other programs")
_TYPE = "text/calendar; charset=utf-8"


class FeedInSchema(StrictSchema):
    """Whose bookings: a member's (default: one's own), or a resource's (staff)."""

    EXAMPLE = {"member_id": example_id("mem")}

    member_id = Id("mem")
    resource_id = Id("res")

    @validates_schema
    def check_one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "member_id" in data and "resource_id" in data:
            raise ValidationError("Either member_id or resource_id.", "resource_id")


class FeedSchema(StrictSchema):
    """A private feed."""

    id = Id("cal")
    member_id = Id("mem", allow_none=True)
    resource_id = Id("res", allow_none=True)
    created_at = Instant()


class NewFeedSchema(FeedSchema):
    """A private feed with its address, which is shown this once."""

    path = fields.String(metadata={"example": "/v1/calendars/….ics"})


@blueprint.route("/v1/bookings/<booking_id>/ics", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, content_type="text/calendar")
def get_booking_file(booking_id: str) -> Response:
    """Get a booking as an iCalendar file."""
    session = current_session()
    booking = find_mine(session, decode_path_id("bkg", booking_id))
    body = calendars.calendar_of(session, [booking], booking.resource_name)
    disposition = f'attachment; filename="{calendars.file_name(booking)}"'
    return Response(body, content_type=_TYPE, headers={"Content-Disposition": disposition})


@blueprint.route("/v1/calendars", methods=["POST"])
@allow(*BOOKERS)
@idempotent()
@blueprint.arguments(FeedInSchema)
@blueprint.response(201, NewFeedSchema)
def open_feed(body: dict[str, Any]) -> dict[str, Any]:
    """Open a private feed; whoever knows its address can read it until it is closed."""
    session, principal = current_session(), current_principal()
    member_id, resource_id = body.get("member_id"), body.get("resource_id")
    if not principal.is_staff:
        if resource_id is not None or member_id not in (None, principal.member_id):
            raise ForbiddenError("role_not_allowed", "members have a feed of their own bookings")
        member_id = principal.member_id
    if resource_id is not None:
        if session.scalar(select(Resource.id).where(Resource.id == resource_id, *_reached(principal))) is None:
            raise InvalidError("unknown_resource", "there is no such resource")
    elif locations_of(principal) is not None:
        raise ForbiddenError(
            "role_not_allowed", "members go everywhere: staff of some locations open feeds of resources"
        )
    else:
        require_customer(session, member_id, None)
    feed, secret = calendars.open_feed(session, member_id=member_id, resource_id=resource_id)
    return {**_show(feed), "path": f"/v1/calendars/{secret}.ics"}


@blueprint.route("/v1/calendars", methods=["GET"])
@allow(*BOOKERS)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_schema(FeedSchema))
def list_feeds(query: dict[str, Any]) -> dict[str, Any]:
    """List the feeds that are open; members see their own."""
    statement = select(CalendarFeed).where(*_mine(current_principal()))
    return page(current_session(), statement, query, key=CalendarFeed.id)


@blueprint.route("/v1/calendars/<feed_id>", methods=["DELETE"])
@allow(*BOOKERS)
@blueprint.response(204)
def close_feed(feed_id: str) -> None:
    """Close a feed: its address answers no more."""
    session = current_session()
    conditions = [CalendarFeed.id == decode_path_id("cal", feed_id), *_mine(current_principal())]
    feed = session.scalars(select(CalendarFeed).where(*conditions).with_for_update()).one_or_none()
    if feed is None:
        raise NotFoundError("calendar_not_found", "there is no such calendar")
    session.delete(feed)


@blueprint.route("/v1/calendars/<secret>.ics", methods=["GET"])
@public
@blueprint.response(200, content_type="text/calendar")
def read_feed(secret: str) -> Response:
    """Read a private feed."""
    feed = calendars.find_feed(bind_session(None), secret)
    member_id, resource_id, organization_id = feed.member_id, feed.resource_id, feed.organization_id
    body = calendars.feed_calendar(bind_session(organization_id), member_id, resource_id)
    return Response(body, content_type=_TYPE, headers={"Cache-Control": "private, max-age=300"})


def _mine(principal: Principal) -> list[Any]:
    if not principal.is_staff:
        return [CalendarFeed.member_id == principal.member_id]
    reached = _reached(principal)
    return [CalendarFeed.resource_id.in_(select(Resource.id).where(*reached))] if reached else []


def _reached(principal: Principal) -> list[Any]:
    """Conditions for the resources whose times staff may see: of some locations only, or all (ACC-1)."""
    seen = locations_of(principal)
    return [] if seen is None else [Resource.location_id.in_(seen)]


def _show(feed: CalendarFeed) -> dict[str, Any]:
    return {name: getattr(feed, name) for name in ("id", "member_id", "resource_id", "created_at")}
