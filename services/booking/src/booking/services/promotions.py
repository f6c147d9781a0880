"""Promo codes on bookings: found by their text in any case, redeemed under a lock, given back (GH-3).

All dates of a series are one use. The lock on a code is the last one a transaction takes, after those of
`booking.services.occupancy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from booking.domain.promotions import Promotion, check_promo_code, refusal
from booking.domain.statuses import Status
from booking.models import Booking, PromoCode, PromoRedemption
from booking.services.desk import Desk
from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, FieldError
from common.ids import new_id

_CAPS = (("max_uses", "been used up"), ("max_uses_per_customer", "been used by this customer as often as it can be"))


def find_promotion(session: TenantSession, text: str, desk: Desk, payer_id: UUID | None) -> Promotion:
    """The promotion behind a code for a booking at a desk; nothing is locked or used.

    Raises InvalidError ``promo_code_unknown``, ``promo_code_not_applicable``, ``promo_code_not_yet_valid``,
    ``promo_code_expired``; ConflictError ``promo_code_used_up``.
    """
    named = (PromoCode.code == text.strip().upper(), PromoCode.archived.is_(False))
    row = session.scalars(select(PromoCode).where(*named).order_by(PromoCode.id)).first()
    if row is None:
        raise refusal("promo_code_unknown", "there is no such promo code")
    check_promo_code(row.state, local_date(session.now(), session.organization.timezone))
    promotion = Promotion.from_document(row.state)
    if not promotion.scope.fits(desk.resource_id, desk.type, desk.location_id):
        raise refusal("promo_code_not_applicable", "this promo code is for something else")
    _check_caps(session, row, payer_id, ~_has_lapsed(session))
    return promotion


def redeem(session: TenantSession, bookings: Sequence[Booking]) -> None:
    """Count one use for flushed bookings (of one series, or one) whose prices have a code's discount in them.

    Raises ConflictError ``promo_code_used_up``.
    """
    used = [(row, promotion) for row in bookings if (promotion := promotion_of(row)) is not None]
    if not used:
        return
    first, promotion = used[0]
    code = session.scalars(select(PromoCode).where(PromoCode.id == promotion.promo_code_id).with_for_update()).one()
    _drop_lapsed(session, code)
    _check_caps(session, code, payer_of(first), PromoRedemption.used_for_id != _purpose(first))
    session.execute(_insertion(session, [row for row, _ in used], code))


def promotion_of(booking: Booking) -> Promotion | None:
    """The promotion whose discount is in a booking's price."""
    document = booking.pricing.get("promotion")
    return Promotion.from_document(document) if document else None


def payer_of(booking: Booking) -> UUID | None:
    """Who counts as the customer of a code: whoever pays (BIL-5)."""
    return payer(booking.member_id, booking.company_id, is_personal=booking.is_personal)


def payer(member_id: UUID | None, company_id: UUID | None, *, is_personal: bool) -> UUID | None:
    """The company unless the booking is personal, else the member."""
    return member_id if is_personal or company_id is None else company_id


def keep(session: TenantSession, booking: Booking) -> None:
    """After a booking was confirmed: its use of a code lapses when the booking now would, if ever.

    Raises ConflictError ``promo_code_used_up`` when the use had lapsed and somebody else has taken it.
    """
    if promotion_of(booking) is None:
        return
    statement = update(PromoRedemption).where(PromoRedemption.booking_id == booking.id)
    kept = session.scalars(statement.values(lapses_at=_lapse_of(booking)).returning(PromoRedemption.id))
    if kept.first() is None:
        raise _used_up("been used up")


def follow(session: TenantSession, booking: Booking) -> None:
    """After a booking with a code was priced anew: its use lapses when the booking now would, or is free again."""
    if promotion_of(booking) is None:
        _release(session, booking)
    else:
        keep(session, booking)


def give_back(session: TenantSession, booking: Booking) -> None:
    """A booking ended in time: its use of a code, if any, is free again."""
    if booking.pricing.get("promotion"):
        _release(session, booking)


def uses_of(session: TenantSession, promo_code_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often codes count as used now, by their ids; those that do not at all are missing."""
    uses = func.count(func.distinct(PromoRedemption.used_for_id))
    counted = select(PromoRedemption.promo_code_id, uses).group_by(PromoRedemption.promo_code_id)
    mine = PromoRedemption.promo_code_id.in_(promo_code_ids)
    return {row[0]: row[1] for row in session.execute(counted.where(mine, ~_has_lapsed(session)))}


def _release(session: TenantSession, booking: Booking) -> None:
    session.execute(delete(PromoRedemption).where(PromoRedemption.booking_id == booking.id))


def _drop_lapsed(session: TenantSession, code: PromoCode) -> None:
    """Delete the uses that have lapsed, but for those that somebody is just confirming or ending: they count still."""
    statement = select(PromoRedemption.id).where(PromoRedemption.promo_code_id == code.id, _has_lapsed(session))
    lapsed = statement.with_for_update(skip_locked=True)
    session.execute(delete(PromoRedemption).where(PromoRedemption.id.in_(lapsed)))


def _has_lapsed(session: TenantSession) -> ColumnElement[bool]:
    return func.coalesce(PromoRedemption.lapses_at <= session.now(), false())


def _check_caps(session: TenantSession, code: PromoCode, payer_id: UUID | None, counted: ColumnElement[bool]) -> None:
    """Raises ConflictError ``promo_code_used_up`` when the counted uses leave none."""
    limits = [code.state.get(name) for name, _ in _CAPS]
    if not any(limits):
        return
    uses = func.count(func.distinct(PromoRedemption.used_for_id))
    by_payer = uses.filter(PromoRedemption.payer_id == payer_id)
    statement = select(uses, by_payer).where(PromoRedemption.promo_code_id == code.id, counted)
    for used, limit, (_, detail) in zip(session.execute(statement).one(), limits, _CAPS, strict=True):
        if limit is not None and used >= limit:
            raise _used_up(detail)


def _insertion(session: TenantSession, rows: Sequence[Booking], code: PromoCode) -> Insert:
    values = [
        {
            "id": new_id(),
            "organization_id": session.organization_id,
            "booking_id": row.id,
            "promo_code_id": code.id,
            "payer_id": payer_of(row),
            "used_for_id": _purpose(row),
            "lapses_at": _lapse_of(row),
            "created_at": session.now(),
        }
        for row in rows
    ]
    statement = insert(PromoRedemption).values(values)
    new = {"lapses_at": statement.excluded.lapses_at}
    return statement.on_conflict_do_update(index_elements=[PromoRedemption.booking_id], set_=new)


def _purpose(booking: Booking) -> UUID:
    return booking.series_id or booking.id


def _lapse_of(booking: Booking) -> datetime | None:
    return booking.due_at if booking.status in {Status.HELD, Status.TENTATIVE} else None


def _used_up(detail: str) -> ConflictError:
    text = f"this promo code has {detail}"
    return ConflictError("promo_code_used_up", text, errors=[FieldError("/promo_code", text)])
