"""``/v1/plans``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from catalog.api.access import EDITORS, EVERYBODY, not_archived, require_everywhere
from catalog.api.plan_schemas import PlanInSchema, PlanQuery, PlanSchema
from catalog.models import Plan
from catalog.services import plans
from common.auth import allow, current_principal
from common.errors import NotFoundError
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id

blueprint = Blueprint("plans", __name__, description="What members subscribe to or buy once")


@blueprint.route("/v1/plans", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(PlanQuery, location="query")
@blueprint.response(200, page_schema(PlanSchema))
def list_plans(query: dict[str, Any]) -> dict[str, Any]:
    """List plans; members get those that they could buy."""
    statement = select(Plan).where(not_archived(Plan.archived_at, query))
    for name in ("kind", "visibility"):
        if name in query:
            statement = statement.where(getattr(Plan, name) == query[name])
    if not current_principal().is_staff:
        statement = statement.where(Plan.visibility != "private")
    return page(current_session(), statement, query, key=Plan.id, sorts={"name": Plan.name}, default_sort="id")


@blueprint.route("/v1/plans", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(PlanInSchema)
@blueprint.response(201, PlanSchema)
def create_plan(body: dict[str, Any]) -> Plan:
    """Put a plan on sale."""
    require_everywhere()
    return _answer(plans.create_plan(current_session(), **body))


@blueprint.route("/v1/plans/<plan_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, PlanSchema)
def get_plan(plan_id: str) -> Plan:
    """Show a plan; members see those that they could buy."""
    plan = plans.find_plan(current_session(), decode_path_id("pln", plan_id))
    if not current_principal().is_staff and (plan.archived_at is not None or plan.visibility == "private"):
        raise NotFoundError("plan_not_found", "there is no such plan")
    return _answer(plan)


@blueprint.route("/v1/plans/<plan_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(PlanInSchema(partial=True))
@blueprint.response(200, PlanSchema)
def change_plan(body: dict[str, Any], plan_id: str) -> Plan:
    """Change a plan; its kind stays, and what was billed stays as it was."""
    plan = _locked(plan_id)
    check_if_match(plan)
    return _answer(plans.change_plan(current_session(), plan, **body))


@blueprint.route("/v1/plans/<plan_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def archive_plan(plan_id: str) -> None:
    """Archive a plan: it is no longer sold, memberships that have it go on."""
    plan = _locked(plan_id)
    check_if_match(plan)
    plans.archive_plan(current_session(), plan)


@blueprint.route("/v1/plans/<plan_id>/restoration", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.response(200, PlanSchema)
def restore_plan(plan_id: str) -> Plan:
    """Take a plan out of the archive."""
    return _answer(plans.restore_plan(current_session(), _locked(plan_id)))


def _locked(plan_id: str) -> Plan:
    require_everywhere()
    return plans.find_plan(current_session(), decode_path_id("pln", plan_id), lock=True)


def _answer(plan: Plan) -> Plan:
    remember_etag(plan)
    return plan
