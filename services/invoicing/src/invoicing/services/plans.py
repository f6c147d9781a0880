"""Plans that are on sale, as memberships, fees and purchases find them."""

from __future__ import annotations

from uuid import UUID

from common.db import TenantSession
from common.errors import FieldError, InvalidError
from invoicing.models import Plan


def find_plan(session: TenantSession, plan_id: UUID) -> Plan:
    """A plan that is on sale. Raises InvalidError (422: it is named in a body)."""
    plan = session.get(Plan, plan_id)
    if plan is None or plan.organization_id != session.organization_id:
        raise InvalidError("plan_not_found", "there is no such plan", errors=[FieldError("/plan_id", "No such plan.")])
    if plan.archived:
        raise InvalidError("plan_archived", "this plan is no longer sold")
    return plan


def find_plan_for_members(session: TenantSession, plan_id: UUID) -> Plan:
    """A plan that members may buy. Raises InvalidError; one that is sold by staff only does not exist for them."""
    plan = find_plan(session, plan_id)
    if plan.visibility == "private":
        raise InvalidError("plan_not_found", "there is no such plan", errors=[FieldError("/plan_id", "No such plan.")])
    return plan


def recurring_plan(session: TenantSession, plan_id: UUID) -> Plan:
    """A recurring plan that is on sale. Raises InvalidError."""
    plan = find_plan(session, plan_id)
    if plan.kind != "recurring":
        raise InvalidError("plan_not_recurring", "a membership needs a recurring plan; sell one-off plans as fees")
    return plan
