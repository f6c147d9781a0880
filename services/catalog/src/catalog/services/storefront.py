"""The storefront: its settings, and what strangers see of the catalog (GH-1, GH-2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import any_, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from catalog.models import Location, Plan, Resource, ResourcePicture, ResourceRate, StorefrontSettings
from catalog.services.listing import is_on_storefront, pictures_of
from common.clock import local_date
from common.db import TenantSession
from common.db.database import Organization
from common.db.plumbing import organization_table
from common.errors import NotFoundError
from common.ids import new_id

_LIMIT = 500
_DEFAULTS: dict[str, Any] = {
    "published": False,
    "guest_flow": "pay_now",
    "member_flow": "pay_later",
    "embed_origins": [],
}


@dataclass(frozen=True, slots=True)
class PublicResource:
    """A resource as strangers see it: with the rates that may price their booking."""

    resource: Resource
    rates: list[ResourceRate]
    pictures: list[ResourcePicture]


@dataclass(frozen=True, slots=True)
class PublicCatalog:
    """All that a storefront shows, as far as the catalog knows."""

    organization: Organization
    storefront: StorefrontSettings
    locations: Sequence[Location]
    plans: Sequence[Plan]
    resources: Sequence[PublicResource]


def storefront_settings(session: TenantSession) -> StorefrontSettings:
    """The organisation's settings; the defaults (version 0, not stored) while it has changed nothing."""
    found = session.scalars(select(StorefrontSettings)).one_or_none()
    return found or StorefrontSettings(**_DEFAULTS, version=0)


def lock_storefront_settings(session: TenantSession) -> StorefrontSettings:
    """The settings for changing, stored with the defaults if they were not; two first changes at once make one row."""
    fresh = insert(StorefrontSettings).values(
        id=new_id(),
        organization_id=session.organization_id,
        **_DEFAULTS,
        version=0,
    )
    session.execute(fresh.on_conflict_do_nothing(index_elements=["organization_id"]))
    return session.scalars(select(StorefrontSettings).with_for_update()).one()


def change_storefront_settings(
    session: TenantSession,
    settings: StorefrontSettings,
    *,
    purchase_flow: Mapping[str, str] | None = None,
    **values: Any,
) -> StorefrontSettings:
    """Change locked settings; ``purchase_flow`` may name only some audiences (GH-2)."""
    for audience, flow in (purchase_flow or {}).items():
        setattr(settings, f"{audience}_flow", flow)
    for name, value in values.items():
        setattr(settings, name, value)
    settings.touch()
    session.flush()
    return settings


def open_storefront(session: TenantSession, *, preview: bool = False) -> StorefrontSettings:
    """The settings of a published storefront. Raises NotFoundError for any other, unless for a ``preview``."""
    settings = storefront_settings(session)
    if not settings.published and not preview:
        raise NotFoundError("storefront_not_found", "there is no such storefront")
    return settings


def public_catalog(session: TenantSession, *, preview: bool = False) -> PublicCatalog:
    """What strangers see of the session's organisation; a constant number of statements.

    Raises NotFoundError ``storefront_not_found`` while the storefront is not published, unless for a ``preview``.
    """
    settings = open_storefront(session, preview=preview)
    sold = select(Plan).where(Plan.archived_at.is_(None), Plan.visibility == "public")
    places = select(Location).where(Location.archived_at.is_(None))
    return PublicCatalog(
        organization=session.organization,
        storefront=settings,
        locations=session.scalars(places.order_by(Location.name, Location.id).limit(_LIMIT)).all(),
        plans=session.scalars(sold.order_by(Plan.price_minor, Plan.id).limit(_LIMIT)).all(),
        resources=_public_resources(session),
    )


_STAMP = text("""
SELECT (SELECT version FROM organization WHERE id = :org),
  (SELECT sum(version) FROM storefront_settings WHERE organization_id = :org),
  (SELECT count(*) || '/' || sum(version) FROM location WHERE organization_id = :org),
  (SELECT count(*) || '/' || sum(version) FROM plan WHERE organization_id = :org),
  (SELECT count(*) || '/' || sum(version) FROM resource WHERE organization_id = :org),
  (SELECT count(*) || '/' || sum(version) FROM resource_rate WHERE organization_id = :org),
  (SELECT md5(string_agg(concat(id, '/', position, '/', alt), ',' ORDER BY id))
   FROM resource_picture WHERE organization_id = :org)
""")


def catalog_stamp(session: TenantSession) -> str:
    """Differs whenever the public catalogue may differ: with every change of what it is made of, and with the day."""
    counted = session.execute(_STAMP, {"org": session.organization_id}).one()
    today = local_date(session.now(), session.organization.timezone)
    return hashlib.blake2b(repr((today.isoformat(), tuple(counted))).encode(), digest_size=12).hexdigest()


def _public_resources(session: TenantSession) -> list[PublicResource]:
    statement = select(Resource).where(is_on_storefront(session)).order_by(Resource.name, Resource.id).limit(_LIMIT)
    resources = session.scalars(statement).all()
    pictures = pictures_of(session, [resource.id for resource in resources])
    rates = _rates_by_resource(session, [resource.id for resource in resources])
    return [PublicResource(r, rates.get(r.id, []), pictures.get(r.id, [])) for r in resources]


def _rates_by_resource(session: TenantSession, resource_ids: list[UUID]) -> dict[UUID, list[ResourceRate]]:
    """Rates that hold for strangers, now or to come; those for weekends and off-hours alone are shown as well."""
    today = local_date(session.now(), session.organization.timezone)
    prices_it = or_(Resource.id == any_(ResourceRate.resource_ids), Resource.type == any_(ResourceRate.resource_types))
    statement = (
        select(Resource.id, ResourceRate)
        .join(ResourceRate, prices_it)
        .where(
            Resource.id.in_(resource_ids),
            ResourceRate.open_to_public,
            ResourceRate.archived_at.is_(None),
            or_(ResourceRate.valid_until.is_(None), ResourceRate.valid_until >= today),
        )
        .order_by(ResourceRate.id)
    )
    found: dict[UUID, list[ResourceRate]] = {}
    for resource_id, rate in session.execute(statement):
        found.setdefault(resource_id, []).append(rate)
    return found


def bind_by_slug(session: TenantSession, slug: str) -> None:
    """Bind a session that sees every organisation to the one with a slug. Raises NotFoundError."""
    organization_id = session.scalar(select(organization_table.c.id).where(organization_table.c.slug == slug))
    if organization_id is None:
        raise NotFoundError("storefront_not_found", "there is no such storefront")
    session.bind_organization(organization_id)
