"""``/v1/reports/…`` of invoicing: JSON, or CSV with ``format=csv``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from marshmallow import fields

from common.auth import allow
from common.clock import local_date
from common.errors import InvalidError
from common.http import Blueprint, Id, MoneyField, StrictSchema, current_session
from common.http.schemas import CivilDate, Quantity
from common.http.tables import CSV, ReportQuery, report, report_schema
from invoicing.api.access import READERS
from invoicing.services import reports
from invoicing.services.summary import Summary, summary

blueprint = Blueprint("invoicing-reports", __name__, description="What was earned and what is owed")


class PeriodReportQuery(ReportQuery):
    """The days of a report, both included."""

    since = CivilDate(load_default=None, data_key="from")
    until = CivilDate(load_default=None, data_key="to")


class RevenueRowSchema(StrictSchema):
    """Revenue of a month on an account."""

    month = fields.String()
    revenue_account = fields.String()
    invoiced = MoneyField(negative=True)
    credited = MoneyField(negative=True)
    forfeited = MoneyField(metadata={"description": "What was kept of deposits"})
    net = MoneyField(negative=True)


class ReceivableSchema(StrictSchema):
    """What a customer owes, by age."""

    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    name = fields.String()
    not_due = MoneyField()
    days_1_30 = MoneyField()
    days_31_60 = MoneyField()
    days_61_90 = MoneyField()
    days_over_90 = MoneyField()
    total = MoneyField()


class RecurringRevenueSchema(StrictSchema):
    """Monthly recurring revenue and churn."""

    as_of = fields.Date()
    since = fields.Date()
    mrr = MoneyField()
    new_mrr = MoneyField()
    lost_mrr = MoneyField()
    active_memberships = fields.Integer()
    new_memberships = fields.Integer()
    ended_memberships = fields.Integer()
    churn_percent = Quantity()


class UnbilledItemSchema(StrictSchema):
    """Something that waits for an invoice."""

    id = Id("fee")
    date = fields.Date()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    customer = fields.String()
    name = fields.String()
    source = fields.String()
    amount = MoneyField()
    next_invoice_on = fields.Date(allow_none=True)


class HeldDepositSchema(StrictSchema):
    """A deposit that is held."""

    id = Id("dep")
    customer = fields.String()
    name = fields.String()
    amount = MoneyField()
    held = MoneyField()
    since = fields.Date()


class MonthRevenueSchema(StrictSchema):
    """Net revenue of a month."""

    month = fields.String()
    net = MoneyField(negative=True)


class SummarySchema(StrictSchema):
    """The figures of a dashboard."""

    mrr = MoneyField()
    active_memberships = fields.Integer()
    receivable = MoneyField()
    overdue = MoneyField()
    overdue_invoices = fields.Integer()
    revenue = fields.List(fields.Nested(MonthRevenueSchema), metadata={"description": "The last six months"})


def _today() -> date:
    session = current_session()
    return local_date(session.now(), session.organization.timezone)


def _days(query: Mapping[str, Any]) -> tuple[date, date]:
    until: date = query["until"] or _today()
    since: date = query["since"] or until - timedelta(days=365)
    if since > until:
        raise InvalidError("invalid_range", "from must not be after to")
    return since, until


@blueprint.route("/v1/reports/summary", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, SummarySchema)
def read_summary() -> Summary:
    """What recurs, what is owed and what was earned in the last six months, in one look."""
    return summary(current_session(), _today())


@blueprint.route("/v1/reports/revenue", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(RevenueRowSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def revenue(query: dict[str, Any]) -> Any:
    """Net revenue by month and account."""
    return report(query, "revenue", RevenueRowSchema, reports.revenue(current_session(), *_days(query)))


@blueprint.route("/v1/reports/receivables", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(ReceivableSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def receivables(query: dict[str, Any]) -> Any:
    """What is owed, by customer and age."""
    rows = reports.receivables(current_session(), query["until"] or _today())
    return report(query, "receivables", ReceivableSchema, rows)


@blueprint.route("/v1/reports/mrr", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(RecurringRevenueSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def recurring_revenue(query: dict[str, Any]) -> Any:
    """Monthly recurring revenue and churn over the days asked for (the last 30 unless given)."""
    until = query["until"] or _today()
    since = query["since"] or until - timedelta(days=30)
    rows = [reports.recurring_revenue(current_session(), since, until)]
    return report(query, "mrr", RecurringRevenueSchema, rows)


@blueprint.route("/v1/reports/unbilled-items", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(UnbilledItemSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def unbilled_items(query: dict[str, Any]) -> Any:
    """What waits for an invoice."""
    return report(query, "unbilled-items", UnbilledItemSchema, reports.unbilled_items(current_session()))


@blueprint.route("/v1/reports/deposits", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(PeriodReportQuery, location="query")
@blueprint.response(200, report_schema(HeldDepositSchema))
@blueprint.alt_response(200, schema=CSV, content_type="text/csv")
def deposits(query: dict[str, Any]) -> Any:
    """Deposits held."""
    return report(query, "deposits", HeldDepositSchema, reports.deposits_held(current_session()))
