"""``/v1/reports/occupancy``, and what booking adds to the checklist."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import fields, validate

from booking.domain.intervals import Interval
from booking.services.reports import ResourceUse, occupancy_report, setup_facts
from common.auth import Role, allow
from common.clock import start_of_day
from common.errors import FieldError, InvalidError
from common.http import Blueprint, Id, MoneyField, Quantity, StrictSchema, current_session
from common.http.schemas import CivilDate, QuerySchema, decimal_text

blueprint = Blueprint("booking-reports", __name__, description="How resources are used")
STAFF = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
_COLUMNS = ("location", "resource", "bookings", "booked_hours", "open_hours", "percent", "revenue", "currency")


class OccupancyQuery(QuerySchema):
    """Local days of the organisation, ``to`` exclusive; ``format=csv`` for a spreadsheet."""

    from_ = CivilDate(data_key="from", required=True)
    to = CivilDate(required=True)
    location_id = Id("loc")
    format = fields.String(validate=validate.OneOf(("json", "csv")), load_default="json")


class ResourceUseSchema(StrictSchema):
    """One resource."""

    resource_id = Id("res")
    resource_name = fields.String()
    location_id = Id("loc")
    location_name = fields.String()
    bookings = fields.Integer()
    booked_hours = Quantity()
    open_hours = Quantity()
    percent = Quantity()
    revenue = MoneyField()


class OccupancySchema(StrictSchema):
    """All resources."""

    items = fields.List(fields.Nested(ResourceUseSchema))


class ProblemFoundSchema(StrictSchema):
    """Something that needs a person."""

    code = fields.String()
    detail = fields.String()
    href = fields.String()


class BookingSetupSchema(StrictSchema):
    """Counts and problems."""

    facts = fields.Dict()
    problems = fields.List(fields.Nested(ProblemFoundSchema))


@blueprint.route("/v1/reports/occupancy", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(OccupancyQuery, location="query")
@blueprint.response(200, OccupancySchema)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/csv")
def get_occupancy(query: dict[str, Any]) -> Any:
    """Report booked and open hours of resources."""
    session = current_session()
    if query["to"] <= query["from_"] or query["to"] - query["from_"] > timedelta(days=366):
        detail = "must be after from, by at most 366 days"
        raise InvalidError("window_invalid", detail, errors=[FieldError("/to", detail)])
    zone = session.organization.timezone
    window = Interval(start_of_day(query["from_"], zone), start_of_day(query["to"], zone))
    items = occupancy_report(session, window, query.get("location_id"))
    return _as_csv(items) if query["format"] == "csv" else {"items": items}


@blueprint.route("/v1/setup/booking", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, BookingSetupSchema)
def get_setup() -> dict[str, Any]:
    """Say what the checklist should know about bookings."""
    return setup_facts(current_session())


def _as_csv(items: Iterable[ResourceUse]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for use in items:
        numbers = [decimal_text(number) for number in (use.booked_hours, use.open_hours, use.percent)]
        names = [_harmless(use.location_name), _harmless(use.resource_name)]
        writer.writerow([*names, use.bookings, *numbers, use.revenue.decimal(), use.revenue.currency])
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8")


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name
