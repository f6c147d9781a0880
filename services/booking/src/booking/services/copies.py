"""Keeping copies of what other services own: the newest version wins, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from booking.models import (
    BillingSettings,
    Customer,
    CustomerStanding,
    Location,
    Membership,
    Plan,
    PlanPurchase,
    PromoCode,
    Resource,
    ResourceRate,
)
from common.db import TenantSession
from common.messaging import Message
from contracts.catalog import LocationChanged, PlanChanged, PromoCodeChanged, ResourceChanged, ResourceRateChanged
from contracts.invoicing import (
    BillingSettingsChanged,
    CustomerStandingChanged,
    MembershipChanged,
    PlanPurchaseChanged,
)
from contracts.members import CompanyChanged, MemberChanged


def keep_location(session: TenantSession, message: LocationChanged) -> bool:
    """Keep a location; returns whether the message was news."""
    values = {"name": message.display_name, "timezone": message.timezone, "archived": message.archived}
    return _keep(session, Location, message.location_id, message, values)


def keep_resource(session: TenantSession, message: ResourceChanged) -> bool:
    """Keep a resource; its number is given out at the first sight of it and stays."""
    values = {
        "name": message.display_name,
        "type": message.type,
        "location_id": message.location_id,
        "capacity": message.capacity,
        "parent_ids": message.parent_ids,
        "visibility": message.visibility,
        "is_free": message.is_free,
        "published": message.published,
        "archived": message.archived,
    }
    return _keep(session, Resource, message.resource_id, message, values)


def keep_rate(session: TenantSession, message: ResourceRateChanged) -> bool:
    """Keep a resource rate."""
    values = {
        "resource_ids": message.resource_ids,
        "resource_types": message.resource_types,
        "archived": message.archived,
    }
    return _keep(session, ResourceRate, message.rate_id, message, values)


def keep_plan(session: TenantSession, message: PlanChanged) -> bool:
    """Keep a plan."""
    values = {"name": message.display_name, "kind": message.kind, "archived": message.archived}
    return _keep(session, Plan, message.plan_id, message, values)


def keep_promo_code(session: TenantSession, message: PromoCodeChanged) -> bool:
    """Keep a promo code, in capitals."""
    values = {"code": message.code.upper(), "archived": message.archived}
    return _keep(session, PromoCode, message.promo_code_id, message, values)


def keep_member(session: TenantSession, message: MemberChanged) -> bool:
    """Keep a member."""
    values = {
        "kind": "member",
        "name": message.display_name,
        "company_id": message.company_id,
        "status": message.status,
    }
    return _keep(session, Customer, message.member_id, message, values)


def keep_company(session: TenantSession, message: CompanyChanged) -> bool:
    """Keep a company."""
    values = {"kind": "company", "name": message.display_name, "company_id": None, "status": message.status}
    return _keep(session, Customer, message.company_id, message, values)


def keep_membership(session: TenantSession, message: MembershipChanged) -> bool:
    """Keep a membership; what it grants is `booking.services.grants`' business."""
    values = {
        "plan_id": message.plan_id,
        "member_id": message.member_id,
        "company_id": message.company_id,
        "location_id": message.location_id,
        "start_date": message.start_date,
        "end_date": message.end_date,
        "status": message.status,
        "discount_percent": message.resource_discount_percent,
    }
    return _keep(session, Membership, message.membership_id, message, values)


def keep_plan_purchase(session: TenantSession, message: PlanPurchaseChanged) -> bool:
    """Keep a bought one-off plan; what it gives is `booking.services.purchases`' business."""
    values = {"member_id": message.member_id, "company_id": message.company_id, "status": message.status}
    return _keep(session, PlanPurchase, message.purchase_id, message, values)


def keep_billing_settings(session: TenantSession, message: BillingSettingsChanged) -> bool:
    """Keep the organisation's billing settings."""
    return _keep(session, BillingSettings, session.organization.id, message, {})


def keep_standing(session: TenantSession, message: CustomerStandingChanged) -> bool:
    """Keep whether a customer's bookings are blocked (PAY-8)."""
    customer_id = message.customer.member_id or message.customer.company_id
    if customer_id is None:
        return False
    values = {"bookings_blocked": message.bookings_blocked}
    return _keep(session, CustomerStanding, customer_id, message, values, with_state=False)


def _keep(
    session: TenantSession,
    model: type[Any],
    row_id: UUID,
    message: Message,
    values: Mapping[str, Any],
    *,
    with_state: bool = True,
) -> bool:
    table: Table = model.__table__
    row = {
        "id": row_id,
        "organization_id": session.organization_id,
        "version": message.version,  # type: ignore[attr-defined]
        **({"state": msgspec.to_builtins(message)} if with_state else {}),
        **values,
    }
    statement = insert(table).values(row)
    changed = {name: statement.excluded[name] for name in row if name not in {"id", "organization_id"}}
    kept = session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.id], set_=changed, where=table.c.version < statement.excluded.version
        ).returning(table.c.id)
    )
    return kept.first() is not None
