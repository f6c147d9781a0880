"""Plans: create, change, archive."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select

from catalog.domain.plans import check_plan, plan_defaults
from catalog.messages.publishes import plan_changed
from catalog.models import Plan
from catalog.services.archiving import refuse_archived, set_archived
from catalog.services.references import require_own_currency
from common.db import TenantSession
from common.errors import FieldError, InvalidError, NotFoundError
from common.messaging import outbox
from contracts.taxes import spell_taxes

_AMOUNTS = ("price", "setup_fee", "deposit")


def create_plan(session: TenantSession, **values: Any) -> Plan:
    """Put a plan on sale; ``price``, ``setup_fee`` and ``deposit`` are Money.

    Raises InvalidError for another currency than the organisation's, for taxes that do not fit together and for what
    does not go with the plan's kind.
    """
    columns = _columns(session, {**plan_defaults(values["kind"]), **_spelled(values)})
    plan = Plan(**columns, currency=session.organization.currency, created_at=session.now())
    check_plan(_state(plan))
    session.add(plan)
    session.flush()
    _announce(session, plan)
    return plan


def find_plan(session: TenantSession, plan_id: UUID, *, lock: bool = False) -> Plan:
    """A plan by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Plan).where(Plan.id == plan_id)
    plan = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if plan is None:
        raise NotFoundError("plan_not_found", "there is no such plan")
    return plan


def change_plan(session: TenantSession, plan: Plan, **values: Any) -> Plan:
    """Change a locked plan's fields. Raises as `create_plan`, InvalidError ``kind_is_fixed``, and if archived."""
    refuse_archived(plan)
    if values.get("kind", plan.kind) != plan.kind:
        detail = "a plan's kind cannot change; make another plan"
        raise InvalidError("kind_is_fixed", detail, errors=[FieldError("/kind", detail)])
    with session.no_autoflush:
        for name, value in _columns(session, _spelled(values, plan.tax_percent if plan.taxes else None)).items():
            setattr(plan, name, value)
        check_plan(_state(plan))
    return _changed(session, plan)


def archive_plan(session: TenantSession, plan: Plan) -> None:
    """No longer sell a locked plan; memberships that have it go on."""
    if set_archived(session, plan, archived=True):
        _changed(session, plan)


def restore_plan(session: TenantSession, plan: Plan) -> Plan:
    """Sell an archived plan again."""
    return _changed(session, plan) if set_archived(session, plan, archived=False) else plan


def _columns(session: TenantSession, values: dict[str, Any]) -> dict[str, Any]:
    """Money fields as their columns, after a look at their currency."""
    amounts = {name: values[name] for name in _AMOUNTS if name in values}
    require_own_currency(session, [(f"/{name}", amount) for name, amount in amounts.items()])
    minor = {f"{name}_minor": None if a is None else a.amount_minor for name, a in amounts.items()}
    return {name: value for name, value in values.items() if name not in amounts} | minor


def _spelled(values: dict[str, Any], several: Decimal | None = None) -> dict[str, Any]:
    """Taxes by both forms; parallel ones have their categories themselves."""
    spelled = spell_taxes(values, several)
    return spelled | {"tax_category": None} if spelled.get("taxes") else spelled


def _state(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in inspect(Plan).column_attrs.keys()}  # noqa: SIM118 - no mapping


def _changed(session: TenantSession, plan: Plan) -> Plan:
    plan.touch()
    session.flush()
    _announce(session, plan)
    return plan


def _announce(session: TenantSession, plan: Plan) -> None:
    outbox.add(session, plan_changed(plan), aggregate_id=plan.id, aggregate_version=plan.version)
