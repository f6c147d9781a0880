"""Resource rates: create, change, archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from catalog.domain.rates import check_extras, check_prices, check_subjects, reach_of
from catalog.messages.publishes import resource_rate_changed
from catalog.models import Plan, Resource, ResourceRate
from catalog.services.archiving import refuse_archived, set_archived
from catalog.services.references import require_known, require_own_currency
from common.db import TenantSession
from common.errors import NotFoundError
from common.messaging import outbox
from contracts.taxes import spell_taxes


def create_rate(session: TenantSession, **values: Any) -> ResourceRate:
    """Set prices for resources or types of resources (PRI-3, PRI-4).

    Raises InvalidError for another currency than the organisation's, repeated prices or extras, taxes that do not fit
    together, or no resources and no types at all; NotFoundError for unknown resources and plans.
    """
    rate = ResourceRate(**spell_taxes(values), currency=session.organization.currency, created_at=session.now())
    _check(session, rate)
    session.add(rate)
    session.flush()
    _announce(session, rate)
    return rate


def find_rate(session: TenantSession, rate_id: UUID, *, lock: bool = False) -> ResourceRate:
    """A rate by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(ResourceRate).where(ResourceRate.id == rate_id)
    rate = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if rate is None:
        raise NotFoundError("resource_rate_not_found", "there is no such rate")
    return rate


def change_rate(session: TenantSession, rate: ResourceRate, **values: Any) -> ResourceRate:
    """Change a locked rate; bookings made keep their price (PRI-1). Raises as `create_rate`, and if archived."""
    refuse_archived(rate)
    with session.no_autoflush:
        for name, value in spell_taxes(values, rate.tax_percent if rate.taxes else None).items():
            setattr(rate, name, value)
        _check(session, rate)
    return _changed(session, rate)


def archive_rate(session: TenantSession, rate: ResourceRate) -> None:
    """No longer price anything with a locked rate."""
    if set_archived(session, rate, archived=True):
        _changed(session, rate)


def restore_rate(session: TenantSession, rate: ResourceRate) -> ResourceRate:
    """Use an archived rate again."""
    return _changed(session, rate) if set_archived(session, rate, archived=False) else rate


def _changed(session: TenantSession, rate: ResourceRate) -> ResourceRate:
    rate.touch()
    session.flush()
    _announce(session, rate)
    return rate


def _check(session: TenantSession, rate: ResourceRate) -> None:
    check_subjects(rate.resource_ids, rate.resource_types)
    check_prices(rate.prices)
    check_extras(rate.extras)
    require_own_currency(session, _amounts(rate))
    require_known(session, Resource, rate.resource_ids, "resource_ids")
    require_known(session, Plan, [UUID(text) for text in rate.conditions.get("plan_ids", ())], "conditions/plan_ids")
    reach = reach_of(rate.prices, rate.conditions)
    rate.open_to_public, rate.for_public, rate.for_members = reach.open_to_public, reach.for_public, reach.for_members
    rate.valid_until = reach.valid_until


def _amounts(rate: ResourceRate) -> Iterator[tuple[str, Any]]:
    for field, items in (("prices", rate.prices), ("extras", rate.extras)):
        for place, item in enumerate(items):
            yield f"/{field}/{place}/price", item["price"]


def _announce(session: TenantSession, rate: ResourceRate) -> None:
    outbox.add(session, resource_rate_changed(rate), aggregate_id=rate.id, aggregate_version=rate.version)
