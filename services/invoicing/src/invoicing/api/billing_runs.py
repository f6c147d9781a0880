"""``/v1/billing-runs``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Request
from marshmallow import fields, validate
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from common.auth import allow
from common.db import TenantSession
from common.errors import InvalidError
from common.http import Blueprint, ListQuery, current_session, idempotent, page, page_schema
from common.http.idempotency import idempotency_key
from common.http.work import current_database
from common.ids import decode_path_id
from invoicing.api.access import MANAGERS, READERS
from invoicing.api.billing_run_schemas import BillingRunInSchema, BillingRunItemSchema, BillingRunSchema
from invoicing.api.showing import show_invoices, show_spec
from invoicing.models import BillingRun, Invoice
from invoicing.services.billing import runs
from invoicing.services.billing.comparing import compare_with_last
from invoicing.services.billing.selecting import Scope
from invoicing.services.customers import known_location, resolve_payer
from invoicing.services.settings import billing_settings

blueprint = Blueprint("billing-runs", __name__, description="Making invoices of what is due")
# The others are on the list of invoices, by page.
SHOWN = 50
PATIENCE_SECONDS = 20.0


class RunQuery(ListQuery):
    """Filters of the list."""

    kind = fields.String(load_default=None, validate=validate.OneOf(["manual", "automatic"]))


def _is_real(request: Request) -> bool:
    body = request.get_json(silent=True)
    return not (isinstance(body, dict) and body.get("dry_run") is True)


@blueprint.route("/v1/billing-runs", methods=["POST"])
@allow(*MANAGERS)
@idempotent(required=_is_real, by_effect=True)
@blueprint.arguments(BillingRunInSchema)
@blueprint.response(201, BillingRunSchema)
@blueprint.alt_response(200, schema=BillingRunSchema, description="A dry run: what a real one would make")
def create_run(body: dict[str, Any]) -> Any:
    """Bill what is planned up to a day; ``dry_run`` only shows the invoices (200). A long run is finished by the
    worker: its status is then ``running``."""
    session = current_session()
    known_location(session, body["location_id"])
    payer_id = None
    if body["member_id"] is not None or body["company_id"] is not None:
        who = (body["member_id"], body["company_id"])
        payer_id = resolve_payer(session, *who, is_personal=body["is_personal"]).customer.id
    scope = Scope(body["as_of"], None, body["location_id"], payer_id)
    if body["dry_run"]:
        return _dry_run(scope), 200
    run, headers = _started(session, scope)
    session.commit()
    deadline = time.monotonic() + PATIENCE_SECONDS
    runs.work_on_run(current_database(), run.organization_id, run.id, until=lambda: time.monotonic() > deadline)
    return _show(runs.find_run(session, run.id)), 201, headers


def _started(session: TenantSession, scope: Scope) -> tuple[BillingRun, dict[str, str]]:
    """The run of this key and the answer's headers; of two requests at once the database lets one start it."""
    values: dict[str, Any] = {"as_of": scope.as_of, "location_id": scope.location_id, "payer_id": scope.payer_id}
    earlier = _run_of_key(session, values)
    if earlier is None:
        try:
            with session.begin_nested():
                return runs.start_run(session, **values, idempotency_key=idempotency_key()), {}
        except IntegrityError:
            earlier = _run_of_key(session, values)
            if earlier is None:
                raise
    return earlier, {"Idempotent-Replayed": "true"}


def _run_of_key(session: TenantSession, values: Mapping[str, Any]) -> BillingRun | None:
    found = session.scalars(select(BillingRun).where(BillingRun.idempotency_key == idempotency_key())).one_or_none()
    if found is not None and any(getattr(found, name) != value for name, value in values.items()):
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    return found


def _dry_run(scope: Scope) -> dict[str, Any]:
    session = current_session()
    specs, errors = runs.preview_run(session, scope)
    terms = billing_settings(session).payment_terms_days
    counts = {
        "customers": len({spec.customer.id for spec in specs}) + len(errors),
        "invoices": len(specs),
        "lines": sum(len(spec.lines) for spec in specs),
        "errors": len(errors),
        "total_minor": sum(spec.totals.total.amount_minor for spec in specs),
    }
    return {
        "id": None,
        "kind": "manual",
        "status": "dry_run",
        "as_of": scope.as_of,
        "location_id": scope.location_id,
        "counts": counts,
        "errors": errors,
        "invoices": [show_spec(spec, terms) for spec in specs[:SHOWN]],
        "comparison": compare_with_last(session, scope, specs),
        "created_at": None,
        "finished_at": None,
    }


_SHOWN = ("id", "kind", "status", "as_of", "location_id", "counts", "errors", "created_at", "finished_at")


def _show(run: BillingRun) -> dict[str, Any]:
    session = current_session()
    statement = select(Invoice).where(Invoice.billing_run_id == run.id).options(selectinload(Invoice.lines))
    made = session.scalars(statement.order_by(Invoice.issue_date, Invoice.number).limit(SHOWN)).all()
    shown = {name: getattr(run, name) for name in _SHOWN}
    return {**shown, "invoices": show_invoices(session, made), "comparison": None}


@blueprint.route("/v1/billing-runs", methods=["GET"])
@allow(*READERS)
@blueprint.arguments(RunQuery, location="query")
@blueprint.response(200, page_schema(BillingRunItemSchema))
def list_runs(query: dict[str, Any]) -> dict[str, Any]:
    """List billing runs, the newest first."""
    statement = select(BillingRun)
    if query["kind"] is not None:
        statement = statement.where(BillingRun.kind == query["kind"])
    return page(current_session(), statement, query, key=BillingRun.id)


@blueprint.route("/v1/billing-runs/<run_id>", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, BillingRunSchema)
def get_run(run_id: str) -> dict[str, Any]:
    """Show a billing run with its first invoices."""
    return _show(runs.find_run(current_session(), decode_path_id("run", run_id)))
