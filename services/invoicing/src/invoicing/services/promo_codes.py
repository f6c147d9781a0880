"""Promo codes on plans and passes: found by their text in any case, redeemed under a lock (GH-3).

Codes on bookings are counted by booking (docs/decisions/0009).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, delete, func, select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from invoicing.models import Plan, PromoCode, PromoRedemption


def redeem(
    session: TenantSession,
    code: str,
    payer_id: UUID,
    used_for_id: UUID,
    *,
    plan_id: UUID | None = None,
    location_id: UUID | None = None,
) -> PromoCode:
    """Use a promo code once for a plan, or for something named by staff, at a location.

    Raises InvalidError for one unknown or unfit, ConflictError when used up.
    """
    promo = session.scalars(_of_text(code).with_for_update()).first()
    if promo is None:
        raise InvalidError("promo_code_unknown", "there is no such promo code")
    _check_fit(session, promo, plan_id, location_id)
    _check_uses(session, promo, payer_id)
    session.add(
        PromoRedemption(promo_code_id=promo.id, payer_id=payer_id, used_for_id=used_for_id, created_at=session.now())
    )
    session.flush()
    return promo


def first_fit(
    session: TenantSession, code: str, plan_ids: Sequence[UUID | None], location_id: UUID | None = None
) -> int:
    """Which of several things a code is for, the first of them; 0 when it is for none: `redeem` then says why."""
    promo = session.scalars(_of_text(code)).first()
    if promo is None:
        return 0
    fits = (n for n, plan_id in enumerate(plan_ids) if _is_applicable(session, promo, plan_id, location_id))
    return next(fits, 0)


def _of_text(code: str) -> Select[PromoCode]:
    return select(PromoCode).where(PromoCode.code == code.strip().upper(), PromoCode.archived.is_(False))


def _is_applicable(session: TenantSession, promo: PromoCode, plan_id: UUID | None, location_id: UUID | None) -> bool:
    """Whether a code is for a plan (or something named) at a location; an amount is for what is charged once."""
    plan = session.get(Plan, plan_id) if plan_id else None
    if plan is not None and plan.kind == "recurring" and promo.percent is None:
        return False
    places = (("plan_ids", plan_id), ("location_ids", location_id))
    listed = all(not promo.scope.get(name) or str(thing_id) in promo.scope[name] for name, thing_id in places)
    return listed and bool(_is_for(promo) & _kinds_of(plan))


def give_back_uses(session: TenantSession, used_for_ids: Collection[UUID]) -> None:
    """Free the uses of promo codes by fees and memberships that came to nothing: they may be used again."""
    mine = PromoRedemption.organization_id == session.organization_id
    session.execute(delete(PromoRedemption).where(PromoRedemption.used_for_id.in_(used_for_ids), mine))


def uses_of(session: TenantSession, promo_code_ids: Collection[UUID]) -> dict[UUID, int]:
    """How often codes were used, by their ids; those that never were are missing."""
    counted = select(PromoRedemption.promo_code_id, func.count()).group_by(PromoRedemption.promo_code_id)
    found = session.execute(counted.where(PromoRedemption.promo_code_id.in_(promo_code_ids)))
    return {row[0]: row[1] for row in found}


def _check_fit(session: TenantSession, promo: PromoCode, plan_id: UUID | None, location_id: UUID | None) -> None:
    today = local_date(session.now(), session.organization.timezone)
    if promo.valid_from is not None and today < promo.valid_from:
        raise InvalidError("promo_code_not_yet_valid", "this promo code is not valid yet")
    if promo.valid_until is not None and today > promo.valid_until:
        raise InvalidError("promo_code_expired", "this promo code is no longer valid")
    if not _is_applicable(session, promo, plan_id, location_id):
        raise InvalidError("promo_code_not_applicable", "this promo code is for something else")


def _is_for(promo: PromoCode) -> set[str]:
    """The kinds of purchases a code is for: those it names. Codes from before they named any: none when they list
    bookable things and no plans, else all (docs/decisions/0009)."""
    scope = promo.scope
    if scope.get("kinds"):
        return set(scope["kinds"])
    rooms = scope.get("resource_ids") or scope.get("resource_types")
    return set() if rooms and not scope.get("plan_ids") else {"plan", "pass"}


def _kinds_of(plan: Plan | None) -> set[str]:
    """What a purchase is to a code: a one-off plan with day passes is a plan and a pass, all else is a plan."""
    return {"plan", "pass"} if plan is not None and plan.kind == "one_off" and plan.passes else {"plan"}


def _check_uses(session: TenantSession, promo: PromoCode, payer_id: UUID) -> None:
    mine = PromoRedemption.promo_code_id == promo.id
    used = session.scalar(select(func.count()).select_from(PromoRedemption).where(mine)) or 0
    if promo.max_uses is not None and used >= promo.max_uses:
        raise ConflictError("promo_code_used_up", "this promo code has been used up")
    by_payer = select(func.count()).select_from(PromoRedemption).where(mine, PromoRedemption.payer_id == payer_id)
    if promo.max_uses_per_customer is not None and (session.scalar(by_payer) or 0) >= promo.max_uses_per_customer:
        raise ConflictError("promo_code_used_up", "this customer has used this promo code already")
