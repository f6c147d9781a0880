"""Promo codes: found by their text in any case, redeemed under a lock (GH-3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from invoicing.models import PromoCode, PromoRedemption


def redeem(
    session: TenantSession, code: str, payer_id: UUID, used_for_id: UUID, *, plan_id: UUID | None = None
) -> PromoCode:
    """Use a promo code once for something. Raises InvalidError for one unknown or unfit, ConflictError when used up."""
    statement = select(PromoCode).where(PromoCode.code == code.strip().upper(), PromoCode.archived.is_(False))
    promo = session.scalars(statement.with_for_update()).first()
    if promo is None:
        raise InvalidError("promo_code_unknown", "there is no such promo code")
    _check_fit(session, promo, plan_id)
    _check_uses(session, promo, payer_id)
    session.add(
        PromoRedemption(promo_code_id=promo.id, payer_id=payer_id, used_for_id=used_for_id, created_at=session.now())
    )
    session.flush()
    return promo


def _check_fit(session: TenantSession, promo: PromoCode, plan_id: UUID | None) -> None:
    today = local_date(session.now(), session.organization.timezone)
    if promo.valid_from is not None and today < promo.valid_from:
        raise InvalidError("promo_code_not_yet_valid", "this promo code is not valid yet")
    if promo.valid_until is not None and today > promo.valid_until:
        raise InvalidError("promo_code_expired", "this promo code is no longer valid")
    plans = promo.scope.get("plan_ids")
    if plans and (plan_id is None or not _names(plans, plan_id)):
        raise InvalidError("promo_code_not_applicable", "this promo code is for something else")


def _names(plans: list[str], plan_id: UUID) -> bool:
    return any(str(plan).endswith(plan_id.hex) or str(plan) == str(plan_id) for plan in plans)


def _check_uses(session: TenantSession, promo: PromoCode, payer_id: UUID) -> None:
    mine = PromoRedemption.promo_code_id == promo.id
    used = session.scalar(select(func.count()).select_from(PromoRedemption).where(mine)) or 0
    if promo.max_uses is not None and used >= promo.max_uses:
        raise ConflictError("promo_code_used_up", "this promo code has been used up")
    by_payer = select(func.count()).select_from(PromoRedemption).where(mine, PromoRedemption.payer_id == payer_id)
    if promo.max_uses_per_customer is not None and (session.scalar(by_payer) or 0) >= promo.max_uses_per_customer:
        raise ConflictError("promo_code_used_up", "this customer has used this promo code already")
