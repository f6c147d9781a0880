"""``/v1/availability``, and the public view of it in the storefront."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import select

from booking.api.access import EVERYBODY, viewer_of
from booking.api.bookings import extra_orders
from booking.api.schemas import ExtraOrderSchema, IntervalSchema, QuoteSchema
from booking.api.views import show_quote
from booking.domain.intervals import Interval
from booking.services.availability import MAX_WINDOW, PUBLIC_WINDOW, ResourceTimes, Viewer, Wanted, find_times
from booking.services.bookings import BookingRequest
from booking.services.checking import Asker
from booking.services.pricing import Terms
from booking.services.quotes import quote
from common.auth import allow, current_principal, public
from common.db import TenantSession
from common.db.plumbing import organization_table
from common.errors import InvalidError, NotFoundError
from common.http import Blueprint, Id, Instant, MoneyField, StrictSchema, Text, bind_session, current_session
from common.http.audited import changes_nothing
from common.http.schemas import CivilDate, QuerySchema, example_id
from common.ids import encode_id

blueprint = Blueprint("availability", __name__, description="Free and busy times")


class AvailabilityQuery(QuerySchema):
    """Some resources or a location's, between two instants or on a local date."""

    resource_id = fields.List(Id("res"), validate=validate.Length(max=500))
    location_id = Id("loc")
    type = Text()
    from_ = Instant(data_key="from")
    to = Instant()
    date = CivilDate()
    units = fields.Integer(load_default=1, validate=validate.Range(1, 100000))

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "from_" in data and "to" in data and data["to"] <= data["from_"]:
            raise ValidationError("The end must be after the start.", "to")


class PriceHintSchema(StrictSchema):
    """The price of a unit of time for the caller."""

    unit = fields.String()
    price = MoneyField()
    when = fields.String()


class OfferedExtraSchema(StrictSchema):
    """What the caller can book along with a resource, priced by the piece (PRI-5)."""

    code = fields.String(metadata={"example": "projector"})
    name = fields.String(metadata={"example": "Projector"})
    price = MoneyField()


class ResourceTimesSchema(StrictSchema):
    """One resource: free times a booking may occupy, times at which it is taken; closed times are in neither."""

    resource_id = Id("res")
    name = fields.String()
    type = fields.String()
    location_id = Id("loc")
    timezone = fields.String()
    capacity = fields.Integer()
    is_free = fields.Boolean()
    free = fields.List(fields.Nested(IntervalSchema))
    busy = fields.List(fields.Nested(IntervalSchema))
    prices = fields.List(fields.Nested(PriceHintSchema))
    extras = fields.List(
        fields.Nested(OfferedExtraSchema), metadata={"description": "Those of the rates that apply to the caller"}
    )


class AvailabilitySchema(StrictSchema):
    """All resources asked for; with a single one its times stand at the top, too."""

    from_ = Instant(data_key="from")
    to = Instant()
    items = fields.List(fields.Nested(ResourceTimesSchema))
    resource_id = Id("res")
    free = fields.List(fields.Nested(IntervalSchema))
    busy = fields.List(fields.Nested(IntervalSchema))
    prices = fields.List(fields.Nested(PriceHintSchema))
    extras = fields.List(fields.Nested(OfferedExtraSchema))


class PublicQuoteInSchema(StrictSchema):
    """What a stranger wants to know the price of."""

    EXAMPLE = {
        "resource_id": example_id("res"),
        "start": "2027-02-15T09:00:00+01:00",
        "end": "2027-02-15T12:00:00+01:00",
    }

    resource_id = Id("res", required=True)
    start = Instant(required=True)
    end = Instant(required=True)
    extras = fields.List(fields.Nested(ExtraOrderSchema), validate=validate.Length(max=50))
    promo_code = Text(allow_none=True, longest=50)

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["end"] <= data["start"]:
            raise ValidationError("The end must be after the start.", "end")


@blueprint.route("/v1/availability", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(AvailabilityQuery, location="query")
@blueprint.response(200, AvailabilitySchema)
def get_availability(query: dict[str, Any]) -> Response:
    """Show free and busy times of resources, with what they and their extras cost the caller."""
    return _show(current_session(), query, viewer_of(current_principal()), MAX_WINDOW)


@blueprint.route("/v1/storefront/<slug>/availability", methods=["GET"])
@public
@blueprint.arguments(AvailabilityQuery, location="query")
@blueprint.response(200, AvailabilitySchema)
def get_public_availability(query: dict[str, Any], slug: str) -> Response:
    """Show free and busy times of what everybody may book."""
    return _show(storefront_session(slug), query, Viewer(), PUBLIC_WINDOW)


@blueprint.route("/v1/storefront/<slug>/quote", methods=["POST"])
@public
@changes_nothing
@blueprint.arguments(PublicQuoteInSchema)
@blueprint.response(200, QuoteSchema)
def quote_publicly(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Say what a booking would cost somebody who is no member."""
    session = storefront_session(slug)
    interval = Interval(body["start"], body["end"])
    if interval.duration > PUBLIC_WINDOW:
        raise InvalidError("too_long", f"at most {PUBLIC_WINDOW.days} days can be booked here")
    request = BookingRequest(
        resource_id=body["resource_id"],
        interval=interval,
        terms=Terms(extra_orders(body.get("extras") or ())),
        promo_code=body.get("promo_code"),
    )
    return show_quote(quote(session, request, Asker("public", is_stranger=True)))


def storefront_session(slug: str) -> TenantSession:
    """The session of the organisation with a slug. Raises NotFoundError."""
    table = organization_table
    organization_id = bind_session(None).scalar(select(table.c.id).where(table.c.slug == slug))
    if organization_id is None:
        raise NotFoundError("not_found", "there is no such storefront")
    return bind_session(organization_id)


def _show(session: TenantSession, query: dict[str, Any], viewer: Viewer, longest: timedelta) -> Response:
    """The answer in the form of `AvailabilitySchema`, encoded at once: it may have a hundred thousand times in it."""
    asked: Sequence[UUID] = query.get("resource_id", ())
    wanted = Wanted(
        resource_ids=tuple(asked),
        location_id=query.get("location_id"),
        type=query.get("type"),
        start=query.get("from_"),
        end=query.get("to"),
        day=query.get("date"),
        units=query["units"],
    )
    window, found = find_times(session, wanted, viewer, longest=longest)
    if len({*asked}) > len(found):
        raise NotFoundError("resource_not_found", "there is no such resource")
    items = [_item(times) for times in found]
    answer: dict[str, Any] = {"from": window.start, "to": window.end, "items": items}
    if len(asked) == 1:
        answer |= {name: items[0][name] for name in ("resource_id", "free", "busy", "prices", "extras")}
    return Response(msgspec.json.encode(answer), content_type="application/json")


def _item(times: ResourceTimes) -> dict[str, Any]:
    row = times.resource
    return {
        "resource_id": encode_id("res", row.id),
        "name": row.name,
        "type": row.type,
        "location_id": encode_id("loc", row.location_id),
        "timezone": row.timezone,
        "capacity": row.capacity,
        "is_free": row.is_free,
        "free": times.times.free,
        "busy": times.times.busy,
        "prices": times.prices,
        "extras": times.extras,
    }
