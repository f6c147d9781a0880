"""Which resources are really on offer: a resource without a rate earns nothing unless it is free (DOMAIN section 0).

``published`` is what the owner wants; *listed* is derived from it and from the rates at the moment of asking, so
that no order of changes can put a resource without a price before customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, or_, select

from catalog.models import Resource, ResourcePicture, ResourceRate
from common.clock import local_date
from common.db import TenantSession


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the organisation from earning: a stable code, a sentence, and where it is mended."""

    code: str
    detail: str
    href: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource with what is derived: whether customers find it, what is wrong with it, and its pictures."""

    resource: Resource
    listed: bool
    problems: list[Problem]
    pictures: list[ResourcePicture]


def has_rate(session: TenantSession, *, public: bool = False) -> ColumnElement[bool]:
    """Condition on Resource: some rate, now or to come, prices it at any time of day; ``public``: for strangers too."""
    today = local_date(session.now(), session.organization.timezone)
    reaches = ResourceRate.for_public if public else or_(ResourceRate.for_public, ResourceRate.for_members)
    return (
        select(ResourceRate.id)
        .where(
            ResourceRate.archived_at.is_(None),
            reaches,
            or_(ResourceRate.valid_until.is_(None), ResourceRate.valid_until >= today),
            or_(Resource.id == any_(ResourceRate.resource_ids), Resource.type == any_(ResourceRate.resource_types)),
        )
        .correlate(Resource)
        .exists()
    )


def is_listed(session: TenantSession) -> ColumnElement[bool]:
    """Condition on Resource: customers find it, each as far as its visibility allows."""
    return and_(_wanted(), or_(Resource.is_free, has_rate(session)))


def is_on_storefront(session: TenantSession) -> ColumnElement[bool]:
    """Condition on Resource: strangers find it, with a price that is theirs."""
    return and_(_wanted(), Resource.visibility == "public", or_(Resource.is_free, has_rate(session, public=True)))


def lacks_rate(session: TenantSession) -> ColumnElement[bool]:
    """Condition on Resource: it is meant to be on sale and nobody has set its price."""
    return and_(_wanted(), ~Resource.is_free, ~has_rate(session))


def lacks_public_rate(session: TenantSession) -> ColumnElement[bool]:
    """Condition on Resource: it is meant for strangers too, and only members have a price."""
    return and_(
        _wanted(),
        ~Resource.is_free,
        Resource.visibility == "public",
        has_rate(session),
        ~has_rate(session, public=True),
    )


def _wanted() -> ColumnElement[bool]:
    return and_(Resource.archived_at.is_(None), Resource.published)


def describe(session: TenantSession, resources: Sequence[Resource]) -> list[ResourceView]:
    """Resources with what is derived, in the order given; two statements for any number of them."""
    ids = [resource.id for resource in resources]
    statement = select(Resource.id, has_rate(session), has_rate(session, public=True)).where(Resource.id.in_(ids))
    priced = {row[0]: (row[1], row[2]) for row in session.execute(statement)}
    pictures = pictures_of(session, ids)
    return [_view(resource, *priced[resource.id], pictures.get(resource.id, [])) for resource in resources]


def pictures_of(session: TenantSession, resource_ids: Iterable[UUID]) -> dict[UUID, list[ResourcePicture]]:
    """Pictures without their bytes, by resource, in the order of their places."""
    found: dict[UUID, list[ResourcePicture]] = {}
    statement = select(ResourcePicture).where(ResourcePicture.resource_id.in_(list(resource_ids)))
    for picture in session.scalars(statement.order_by(ResourcePicture.position, ResourcePicture.id)):
        found.setdefault(picture.resource_id, []).append(picture)
    return found


def _view(resource: Resource, priced: bool, priced_for_all: bool, pictures: list[ResourcePicture]) -> ResourceView:
    sellable = resource.archived_at is None and (resource.is_free or priced)
    problems: list[Problem] = []
    if resource.archived_at is None and not resource.is_free:
        problems = rate_problems(resource, priced=priced, priced_for_all=priced_for_all)
    return ResourceView(resource, resource.published and sellable, problems, pictures)


def rate_problems(resource: Resource, *, priced: bool, priced_for_all: bool) -> list[Problem]:
    """What is missing for a resource that costs something."""
    if not priced:
        detail = f"{resource.name} has no rate, so nobody can book it: set one, or mark it as free"
        return [Problem("resource_without_rate", detail, "/v1/resource-rates", resource.name)]
    if resource.visibility == "public" and not priced_for_all:
        detail = f"{resource.name} has a rate for members only, so the storefront does not show it"
        return [Problem("resource_without_public_rate", detail, "/v1/resource-rates", resource.name)]
    return []
