"""Resources: create, change, archive."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import any_, func, literal, or_, select

from catalog.domain.resources import check_audience, check_links
from catalog.messages.publishes import resource_changed
from catalog.models import Plan, Resource
from catalog.services.archiving import refuse_archived, set_archived
from catalog.services.listing import has_rate
from catalog.services.locations import keep_open
from catalog.services.references import require_known
from common.db import TenantSession
from common.errors import FieldError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox


def create_resource(session: TenantSession, **values: Any) -> Resource:
    """Add a resource. It may come before its rate; customers find it once it has one or is free (see `listing`).

    Raises InvalidError ``resource_without_rate`` when ``published`` is asked for by name, and for wrong links,
    NotFoundError for an unknown location, parent or plan, ConflictError for an archived location.
    """
    resource = Resource(id=new_id(), **values, created_at=session.now())
    _check(session, resource, values)
    session.add(resource)
    session.flush()
    _check_price(session, resource, values)
    announce_resource(session, resource)
    return resource


def find_resource(session: TenantSession, resource_id: UUID, *, lock: bool = False) -> Resource:
    """A resource by id; ``lock`` holds it until the end of the transaction. Raises NotFoundError."""
    statement = select(Resource).where(Resource.id == resource_id)
    resource = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if resource is None:
        raise NotFoundError("resource_not_found", "there is no such resource")
    return resource


def change_resource(session: TenantSession, resource: Resource, **values: Any) -> Resource:
    """Change a locked resource's fields; policies are replaced whole. Raises as `create_resource`, and if archived."""
    refuse_archived(resource)
    with session.no_autoflush:
        for name, value in values.items():
            setattr(resource, name, value)
        _check(session, resource, values)
    return _changed(session, resource, values)


def archive_resource(session: TenantSession, resource: Resource) -> None:
    """Take a locked resource off the lists for good."""
    if set_archived(session, resource, archived=True):
        _changed(session, resource, ())


def restore_resource(session: TenantSession, resource: Resource) -> Resource:
    """Put an archived resource back. Raises ConflictError while its location is archived."""
    keep_open(session, resource.location_id)
    return _changed(session, resource, ()) if set_archived(session, resource, archived=False) else resource


def announce_resource(session: TenantSession, resource: Resource) -> None:
    """Tell the others the resource's new state."""
    outbox.add(session, resource_changed(resource), aggregate_id=resource.id, aggregate_version=resource.version)


def _changed(session: TenantSession, resource: Resource, sent: Collection[str]) -> Resource:
    resource.touch()
    session.flush()
    _check_price(session, resource, sent)
    announce_resource(session, resource)
    return resource


def _check(session: TenantSession, resource: Resource, sent: Collection[str]) -> None:
    """Check what was sent against the rest of the resource and against what it names."""
    check_audience(resource.visibility, resource.plan_ids)
    if "location_id" in sent:
        keep_open(session, resource.location_id)
    if "parent_ids" in sent or "location_id" in sent:
        _check_family(session, resource)
    if "plan_ids" in sent:
        require_known(session, Plan, resource.plan_ids, "plan_ids")
    _check_policy_plans(session, resource)


def _check_policy_plans(session: TenantSession, resource: Resource) -> None:
    ids = [UUID(value) for value in resource.booking_policy.get("plan_ids", ())]
    require_known(session, Plan, ids, "booking_policy/plan_ids")


def _check_family(session: TenantSession, resource: Resource) -> None:
    """Parents exist, stand in the same location, and form no circle.

    Links of one organisation are changed one after the other: two at once could close a circle that neither sees.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"links/{session.organization_id}", 0))))
    require_known(session, Resource, resource.parent_ids, "parent_ids")
    linked = or_(Resource.id.in_(resource.parent_ids), literal(resource.id) == any_(Resource.parent_ids))
    elsewhere = select(Resource.id).where(linked, Resource.location_id != resource.location_id).limit(1)
    if session.scalar(elsewhere) is not None:
        detail = "linked resources stand in the same location"
        raise InvalidError("parent_elsewhere", detail, errors=[FieldError("/parent_ids", detail)])
    if resource.parent_ids:
        rows = session.execute(
            select(Resource.id, Resource.parent_ids).where(func.cardinality(Resource.parent_ids) > 0)
        )
        check_links(resource.id, resource.parent_ids, {row.id: row.parent_ids for row in rows})


def _check_price(session: TenantSession, resource: Resource, sent: Collection[str]) -> None:
    if "published" not in sent or not resource.published or resource.is_free:
        return
    if not session.scalar(select(has_rate(session)).where(Resource.id == resource.id)):
        detail = "set a rate for this resource, or mark it as free, before publishing it"
        raise InvalidError("resource_without_rate", detail, errors=[FieldError("/published", detail)])
