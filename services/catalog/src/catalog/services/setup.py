"""The catalog's side of the Getting paid checklist and the billing doctor (DOMAIN section 0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func, select

from catalog.models import Location, Plan, PromoCode, Resource, ResourceRate
from catalog.services.listing import Problem, is_listed, is_on_storefront, lacks_public_rate, lacks_rate, rate_problems
from catalog.services.storefront import storefront_settings
from common.db import TenantSession

_NAMED_PROBLEMS = 100


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """Counts of what is there (nothing archived), by name; what lacks a rate or a tax is counted apart."""
    counts = {
        "locations": _count(Location),
        "locations_without_tax": _count(Location, Location.tax_percent.is_(None)),
        "resources": _count(Resource),
        "resources_listed": _count(Resource, is_listed(session)),
        "resources_on_storefront": _count(Resource, is_on_storefront(session)),
        "resources_without_rate": _count(Resource, lacks_rate(session)),
        "resources_without_public_rate": _count(Resource, lacks_public_rate(session)),
        "rates": _count(ResourceRate),
        "rates_without_tax": _count(ResourceRate, ResourceRate.tax_percent.is_(None)),
        "plans_recurring": _count(Plan, Plan.kind == "recurring"),
        "plans_one_off": _count(Plan, Plan.kind == "one_off"),
        "plans_without_tax": _count(Plan, Plan.tax_percent.is_(None), Plan.tax_category.is_(None)),
        "promo_codes": _count(PromoCode),
    }
    row = session.execute(select(*(count.label(name) for name, count in counts.items()))).one()
    return {**row._mapping, "storefront_published": storefront_settings(session).published}


def setup_problems(session: TenantSession, facts: dict[str, Any]) -> list[Problem]:
    """What keeps the organisation from earning, most basic first; at most a hundred resources are named."""
    return [*_missing(facts), *_unpriced(session, facts), *_untaxed(facts)]


def _count(kind: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(func.count(kind.id)).where(kind.archived_at.is_(None), *conditions).scalar_subquery()


def _missing(facts: dict[str, Any]) -> Iterator[Problem]:
    if not facts["locations"]:
        yield Problem("no_location", "there is no location yet", "/v1/locations")
    if not facts["plans_recurring"] + facts["plans_one_off"]:
        yield Problem("no_plan", "there is nothing that members can subscribe to or buy yet", "/v1/plans")
    if not facts["resources"]:
        yield Problem("no_resource", "there is nothing that can be booked yet", "/v1/resources")
    if facts["storefront_published"] and not facts["resources_on_storefront"] + facts["plans_one_off"]:
        detail = "the storefront is published, and nothing on it can be bought by strangers"
        yield Problem("storefront_empty", detail, "/v1/storefront-settings")


def _unpriced(session: TenantSession, facts: dict[str, Any]) -> Iterator[Problem]:
    for fact, lacks, priced in (("rate", lacks_rate, False), ("public_rate", lacks_public_rate, True)):
        if not facts[f"resources_without_{fact}"]:
            continue
        statement = select(Resource).where(lacks(session)).order_by(Resource.name, Resource.id).limit(_NAMED_PROBLEMS)
        for resource in session.scalars(statement):
            yield from rate_problems(resource, priced=priced, priced_for_all=False)


def _untaxed(facts: dict[str, Any]) -> Iterator[Problem]:
    """Taxes can come from a location, a plan or rate, or the organisation's billing settings, which invoicing keeps."""
    if not facts["locations"] or not facts["locations_without_tax"]:
        return
    for name, path in (("plans", "/v1/plans"), ("rates", "/v1/resource-rates")):
        if count := facts[f"{name}_without_tax"]:
            detail = f"{name} without a tax rate of their own: {count}; the billing settings' rate applies"
            yield Problem(f"{name}_without_tax", detail, path, str(count))
