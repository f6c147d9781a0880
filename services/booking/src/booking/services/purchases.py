"""What bought one-off plans give (PlanPurchaseChanged): credits and day passes, once for each purchase.

A purchase has one grant and one pass, which follow its newest version: more is added, what is too much and not yet
used goes, and a purchase that was taken back takes all that is unused.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from booking.models import CreditGrant, DayPass, PlanPurchase
from booking.services.grants import zone_of
from booking.services.wallets import enter_grant, fit_hours, lock_grants
from common.clock import local_date, start_of_day
from common.db import TenantSession


def follow_purchase(session: TenantSession, purchase: PlanPurchase) -> None:
    """Bring the grant and the pass of a purchase, whose row is locked, in step with it."""
    state = purchase.state
    is_active = purchase.status == "active"
    location_id = state.get("location_id")
    zone = zone_of(session, UUID(location_id) if location_id else None)
    _fit_credits(session, purchase, Decimal(state["credits_hours"]) if is_active else Decimal(0), zone)
    _fit_pass(session, purchase, int(state["passes"]) if is_active else 0, zone)


def _fit_credits(session: TenantSession, purchase: PlanPurchase, hours: Decimal, zone: str) -> None:
    validity = _validity(session, purchase, zone)
    expires_on = validity["expires_on"]
    # What is given back to a grant that has been closed, expires at once.
    due_at = start_of_day(expires_on, zone) if expires_on and purchase.status == "active" else None
    row = _grant_of(session, purchase.id)
    if row is not None:
        row.valid_from, row.expires_on, row.due_at = validity["valid_from"], expires_on, due_at
        fit_hours(session, row, hours)
    elif hours > 0:
        nothing = dict.fromkeys(("reserved", "consumed", "expired"), Decimal(0))
        values = {**_source(session, purchase), **validity, **nothing}
        enter_grant(session, CreditGrant(hours=hours, due_at=due_at, **values))


def _grant_of(session: TenantSession, purchase_id: UUID) -> CreditGrant | None:
    found = session.scalars(select(CreditGrant.id).where(CreditGrant.purchase_id == purchase_id))
    return next(iter(lock_grants(session, found.all()).values()), None)


def _fit_pass(session: TenantSession, purchase: PlanPurchase, days: int, zone: str) -> None:
    validity = _validity(session, purchase, zone)
    statement = select(DayPass).where(DayPass.purchase_id == purchase.id)
    row = session.scalars(statement.with_for_update()).one_or_none()
    if row is not None:
        used = row.days - row.remaining
        row.valid_from, row.expires_on = validity["valid_from"], validity["expires_on"]
        row.days = max(days, used)
        row.remaining = row.days - used
        row.touch()
    elif days > 0:
        session.add(DayPass(days=days, remaining=days, **_source(session, purchase), **validity))
    session.flush()


def _validity(session: TenantSession, purchase: PlanPurchase, zone: str) -> dict[str, Any]:
    """From the day of the purchase to the day on which it is good no more; one that was taken back ends today."""
    expires_on = purchase.state.get("expires_on")
    if purchase.status != "active":
        expires_on = local_date(session.now(), zone).isoformat()
    return {
        "valid_from": date.fromisoformat(purchase.state["purchased_on"]),
        "expires_on": date.fromisoformat(expires_on) if expires_on else None,
    }


def _source(session: TenantSession, purchase: PlanPurchase) -> dict[str, Any]:
    return {
        "member_id": purchase.member_id,
        "company_id": purchase.company_id if purchase.member_id is None else None,
        "purchase_id": purchase.id,
        "source": "one_off",
        "note": purchase.state["plan_name"],
        "created_at": session.now(),
    }
