"""``/v1/reports/…`` of booking, and what it adds to the checklist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import fields, validate

from booking.domain.report_periods import Step, periods
from booking.services import reports
from booking.services.day_summary import DaySummary, day_summary
from booking.services.reports import Asked
from booking.services.setup import setup_facts
from common.auth import Role, allow, current_principal
from common.clock import local_date
from common.errors import FieldError, InvalidError
from common.http import Blueprint, Id, MoneyField, Quantity, StrictSchema, current_session
from common.http.schemas import CivilDate, QuerySchema
from common.http.tables import CSV, ReportQuery, report, report_schema

blueprint = Blueprint("booking-reports", __name__, description="How resources are used and locations visited")
STAFF = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
_MOST_DAYS = {Step.DAY: 93}
_YEAR = 366


class PeriodReportQuery(ReportQuery):
    """Days of each location's zone, ``to`` exclusive, cut by ``by``."""

    from_ = CivilDate(data_key="from", required=True)
    to = CivilDate(required=True)
    by = fields.Enum(Step, by_value=True, load_default=Step.TOTAL)
    location_id = Id("loc")


class ResourceReportQuery(PeriodReportQuery):
    """Also of one resource alone."""

    resource_id = Id("res")


class ResourcePeriodSchema(StrictSchema):
    """A resource in a period; ``end`` is exclusive."""

    location_id = Id("loc")
    location_name = fields.String()
    resource_id = Id("res")
    resource_name = fields.String()
    start = CivilDate()
    end = CivilDate()


class OccupancyRowSchema(ResourcePeriodSchema):
    """Hours booked and open, of all units together; the rest is of the bookings that begin in the period."""

    bookings = fields.Integer()
    booked_hours = Quantity()
    open_hours = Quantity()
    percent = Quantity()
    no_shows = fields.Integer()
    revenue = MoneyField()
    currency = fields.String()


class BookingsRowSchema(ResourcePeriodSchema):
    """What became of the bookings that begin in the period, and what they bring in."""

    bookings = fields.Integer()
    cancelled = fields.Integer()
    no_shows = fields.Integer()
    booked_hours = Quantity()
    revenue = MoneyField()
    fees = MoneyField(metadata={"description": "For cancelling too late and for not turning up."})
    currency = fields.String()


class CheckInsRowSchema(StrictSchema):
    """Check-ins at a location in a period, the different members among them, and the day passes they used."""

    location_id = Id("loc")
    location_name = fields.String()
    start = CivilDate()
    end = CivilDate()
    visits = fields.Integer()
    visitors = fields.Integer()
    day_passes = fields.Integer()


class DaySummaryQuery(QuerySchema):
    """A day (today unless told), and how many days from it are looked at."""

    date = CivilDate()
    days = fields.Integer(load_default=7, validate=validate.Range(1, 93))
    limit = fields.Integer(load_default=6, validate=validate.Range(1, 50))


class FullResourceSchema(StrictSchema):
    """How full a resource is."""

    resource_id = Id("res")
    resource_name = fields.String()
    location_name = fields.String()
    percent = Quantity()


class DaySummarySchema(StrictSchema):
    """A day in one look."""

    date = CivilDate()
    bookings = fields.Integer(metadata={"description": "That touch the day, in the organisation's zone"})
    fullest = fields.List(fields.Nested(FullResourceSchema))


class ProblemFoundSchema(StrictSchema):
    """Something that needs a person."""

    code = fields.String()
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String()


class BookingSetupSchema(StrictSchema):
    """Counts and problems."""

    facts = fields.Dict()
    problems = fields.List(fields.Nested(ProblemFoundSchema))


@blueprint.route("/v1/reports/occupancy", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(ResourceReportQuery, location="query")
@blueprint.response(200, report_schema(OccupancyRowSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def get_occupancy(query: dict[str, Any]) -> Any:
    """Report booked and open hours of resources."""
    rows = reports.resource_use(current_session(), _asked(query))
    return report(query, "occupancy", OccupancyRowSchema, rows)


@blueprint.route("/v1/reports/bookings", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(ResourceReportQuery, location="query")
@blueprint.response(200, report_schema(BookingsRowSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def get_bookings(query: dict[str, Any]) -> Any:
    """Report how many bookings resources had, and what they brought in."""
    rows = reports.resource_use(current_session(), _asked(query))
    return report(query, "bookings", BookingsRowSchema, rows)


@blueprint.route("/v1/reports/check-ins", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(CheckInsRowSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def get_check_ins(query: dict[str, Any]) -> Any:
    """Report who came to locations."""
    rows = reports.location_visits(current_session(), _asked(query))
    return report(query, "check-ins", CheckInsRowSchema, rows)


@blueprint.route("/v1/reports/day", methods=["GET"])
@allow(*STAFF)
@blueprint.arguments(DaySummaryQuery, location="query")
@blueprint.response(200, DaySummarySchema)
def get_day(query: dict[str, Any]) -> DaySummary:
    """Sum up a day: how many bookings it has, and which resources are the fullest in the days from it."""
    asked = {"days": query["days"], "limit": query["limit"]}
    session = current_session()
    today = local_date(session.now(), session.organization.timezone)
    return day_summary(session, current_principal(), query.get("date", today), **asked)


@blueprint.route("/v1/setup/booking", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, BookingSetupSchema)
def get_setup() -> dict[str, Any]:
    """Say what the checklist should know about bookings."""
    return setup_facts(current_session())


def _asked(query: dict[str, Any]) -> Asked:
    """What is asked for, within what the caller may see (ACC-1)."""
    most = _MOST_DAYS.get(query["by"], _YEAR)
    if not timedelta(0) < query["to"] - query["from_"] <= timedelta(days=most):
        detail = f"must be after from, by at most {most} days"
        raise InvalidError("window_invalid", detail, errors=[FieldError("/to", detail)])
    seen = current_principal().location_ids
    if "location_id" in query:
        wanted = frozenset({query["location_id"]})
        seen = wanted if seen is None else seen & wanted
    return Asked(periods(query["from_"], query["to"], query["by"]), seen, query.get("resource_id"))
