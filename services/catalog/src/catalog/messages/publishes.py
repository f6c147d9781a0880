"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.domain.promo_codes import kinds_of
from catalog.models import Location, Plan, PromoCode, Resource, ResourceRate
from common.money import Money
from contracts.catalog import LocationChanged, PlanChanged, PromoCodeChanged, ResourceChanged, ResourceRateChanged
from contracts.parts import Extra, ParallelTax, RatePrice


def location_changed(location: Location) -> LocationChanged:
    """The whole public state of a location; a closure's name is also its reason."""
    return LocationChanged(
        location_id=location.id,
        display_name=location.name,
        code=location.code,
        timezone=location.timezone,
        address=location.address,
        opening_hours=location.opening_hours,
        closures=[{**closure, "reason": closure.get("name", "")} for closure in location.closures],
        tax_percent=location.tax_percent,
        taxes=_taxes(location.taxes),
        archived=location.archived_at is not None,
        version=location.version,
    )


def resource_changed(resource: Resource) -> ResourceChanged:
    """The whole public state of a resource."""
    return ResourceChanged(
        resource_id=resource.id,
        display_name=resource.name,
        type=resource.type,
        location_id=resource.location_id,
        capacity=resource.capacity,
        parent_ids=resource.parent_ids,
        amenities=resource.amenities,
        visibility=resource.visibility,
        plan_ids=resource.plan_ids,
        is_free=resource.is_free,
        booking_policy=resource.booking_policy,
        cancellation_policy=resource.cancellation_policy,
        published=resource.published,
        archived=resource.archived_at is not None,
        version=resource.version,
    )


def resource_rate_changed(rate: ResourceRate) -> ResourceRateChanged:
    """The whole public state of a resource rate."""
    return ResourceRateChanged(
        rate_id=rate.id,
        display_name=rate.name,
        resource_ids=rate.resource_ids,
        resource_types=rate.resource_types,
        prices=[RatePrice(unit=p["unit"], price=_money(p["price"]), when=p["when"]) for p in rate.prices],
        conditions=rate.conditions,
        charge_slot_minutes=rate.charge_slot_minutes,
        extras=[Extra(code=e["code"], name=e["name"], price=_money(e["price"])) for e in rate.extras],
        currency=rate.currency,
        tax_percent=rate.tax_percent,
        taxes=_taxes(rate.taxes),
        prices_include_tax=rate.prices_include_tax,
        revenue_account=rate.revenue_account,
        archived=rate.archived_at is not None,
        version=rate.version,
    )


def plan_changed(plan: Plan) -> PlanChanged:
    """The whole public state of a plan."""
    return PlanChanged(
        plan_id=plan.id,
        display_name=plan.name,
        description=plan.description,
        kind=plan.kind,
        price=plan.price,
        interval=plan.interval,
        interval_count=plan.interval_count,
        prorate=plan.prorate,
        setup_fee=plan.setup_fee,
        deposit=plan.deposit,
        trial_days=plan.trial_days,
        minimum_term_months=plan.minimum_term_months,
        notice_days=plan.notice_days,
        credits_hours=plan.credits_hours,
        credits_carry_over_cap=plan.credits_carry_over_cap,
        passes=plan.passes,
        allowance_valid_days=plan.allowance_valid_days,
        resource_discount_percent=plan.resource_discount_percent,
        tax_percent=plan.tax_percent,
        tax_category=plan.tax_category,
        taxes=_taxes(plan.taxes),
        prices_include_tax=plan.prices_include_tax,
        revenue_account=plan.revenue_account,
        visibility=plan.visibility,
        archived=plan.archived_at is not None,
        version=plan.version,
    )


def promo_code_changed(promo_code: PromoCode) -> PromoCodeChanged:
    """The whole public state of a promo code; the code is in capitals."""
    return PromoCodeChanged(
        promo_code_id=promo_code.id,
        code=promo_code.code,
        percent=promo_code.percent,
        amount=promo_code.amount,
        scope=promo_code.scope | {"kinds": kinds_of(promo_code.scope)},
        max_uses=promo_code.max_uses,
        max_uses_per_customer=promo_code.max_uses_per_customer,
        valid_from=promo_code.valid_from,
        valid_until=promo_code.valid_until,
        archived=promo_code.archived_at is not None,
        version=promo_code.version,
    )


def _money(document: dict[str, Any]) -> Money:
    return Money(document["amount_minor"], document["currency"])


def _taxes(stored: list[Any] | None) -> list[ParallelTax]:
    return msgspec.convert(stored or [], list[ParallelTax])
