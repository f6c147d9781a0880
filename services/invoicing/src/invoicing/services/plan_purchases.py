"""Bought one-off plans: what they give is announced with their fee, or once it is paid, and taken back with it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.ids import new_id
from common.messaging import outbox
from invoicing.messages.publishes import plan_purchase_changed
from invoicing.models import Fee, Plan, PlanPurchase

_GIVEN_UP = frozenset({"waived", "removed", "amended"})


def open_purchase(session: TenantSession, fee: Fee, *, when_paid: bool) -> None:
    """Note what the one-off plan of a new fee gives, if anything; ``when_paid`` it is given once that is paid."""
    plan = session.get_one(Plan, fee.plan_id)
    if not (plan.passes or plan.credits_hours):
        return
    purchase = PlanPurchase(
        id=new_id(),
        version=0,
        fee_id=fee.id,
        plan_id=plan.id,
        plan_name=plan.name,
        passes=plan.passes,
        credits_hours=plan.credits_hours,
        valid_days=plan.allowance_valid_days,
        status="awaiting_payment" if when_paid else "active",
    )
    _copy(purchase, fee)
    session.add(purchase)
    if not when_paid:
        _announce(session, [purchase])


def follow_fee(session: TenantSession, fee: Fee) -> None:
    """Bring the purchase of a changed, waived or removed fee in step with it."""
    for purchase in _purchases(session, [fee.id]):
        before = (purchase.quantity, purchase.purchased_on, purchase.location_id, purchase.status)
        _copy(purchase, fee)
        if fee.status in _GIVEN_UP:
            _cancel(session, [purchase])
            continue
        if purchase.status == "cancelled":
            # It was credited in full, and is charged again by an amendment.
            purchase.status = "active"
        if before != (purchase.quantity, purchase.purchased_on, purchase.location_id, purchase.status):
            _announce(session, [purchase])


def hand_over(session: TenantSession, old: Fee, new_fee_id: UUID) -> None:
    """Let the purchase of a fee go with the fee that takes its place: what was given stays given."""
    for purchase in _purchases(session, [old.id]):
        purchase.fee_id = new_fee_id
    session.flush()


def give_what_was_paid(session: TenantSession, fee_ids: Iterable[UUID]) -> None:
    """Announce the purchases that awaited the payment of these fees."""
    awaiting = [each for each in _purchases(session, fee_ids) if each.status == "awaiting_payment"]
    for purchase in awaiting:
        purchase.status = "active"
    _announce(session, awaiting)


def take_back_purchases(session: TenantSession, fee_ids: Iterable[UUID]) -> None:
    """Cancel the purchases of fees that were credited to the last cent."""
    _cancel(session, _purchases(session, fee_ids))


def _purchases(session: TenantSession, fee_ids: Iterable[UUID]) -> list[PlanPurchase]:
    ids = list(fee_ids)
    if not ids:
        return []
    statement = select(PlanPurchase).where(PlanPurchase.fee_id.in_(ids)).order_by(PlanPurchase.id)
    return list(session.scalars(statement.with_for_update()))


def _copy(purchase: PlanPurchase, fee: Fee) -> None:
    purchase.member_id, purchase.company_id = fee.member_id, fee.company_id
    purchase.location_id, purchase.purchased_on = fee.location_id, fee.dated
    purchase.quantity = fee.quantity


def _cancel(session: TenantSession, purchases: Iterable[PlanPurchase]) -> None:
    running = [purchase for purchase in purchases if purchase.status != "cancelled"]
    for purchase in running:
        purchase.status = "cancelled"
    _announce(session, running)


def _announce(session: TenantSession, purchases: Iterable[PlanPurchase]) -> None:
    """Count and tell changes; one that nobody has heard of and that is over has nothing to tell."""
    told = [purchase for purchase in purchases if _has_news(purchase)]
    for purchase in told:
        purchase.touch()
    session.flush()
    outbox.add_many(session, [(plan_purchase_changed(each), each.id, each.version) for each in told])


def _has_news(purchase: PlanPurchase) -> bool:
    never_told = purchase.version == 0 and purchase.status != "active"
    return purchase.status != "awaiting_payment" and not never_told
