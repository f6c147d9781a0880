"""What happens to bookings on their way: approval, payment, check-in, and what time does by itself (BOK-2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from booking.domain.cancellation import no_show_cost
from booking.domain.policies import needs_approval
from booking.domain.statuses import Status, check_in_minutes_left
from booking.models import Booking
from booking.services import occupancy, promotions, wallets
from booking.services.announcing import announce
from booking.services.bookings import lapse_of, place
from booking.services.checking import Asker
from booking.services.desk import Desk, load_desk
from booking.services.endings import end_booking
from booking.services.pricing import target_of, wallet_for
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from contracts.booking import BookingCancelled, BookingChanged, BookingCompleted, BookingConfirmed

logger = structlog.get_logger(__name__)
CHECK_IN_EARLY = timedelta(minutes=15)


def approve(session: TenantSession, booking: Booking) -> None:
    """Confirm a locked tentative booking. Raises ConflictError ``status_transition``."""
    if booking.status != Status.TENTATIVE:
        raise ConflictError("status_transition", "only a tentative booking waits for approval")
    _confirm(session, booking, Status.CONFIRMED)


def reject(session: TenantSession, booking: Booking, reason: str | None) -> None:
    """Reject a locked tentative booking; its time and credits are free again."""
    new = booking.lifecycle.moved_to(Status.REJECTED, session.now())
    end_booking(session, booking, new, reason=reason)


def check_in(session: TenantSession, booking: Booking, asker: Asker) -> None:
    """The visitor is here. Members check in from a quarter of an hour before the start.

    Raises InvalidError ``too_early``, ConflictError ``status_transition``.
    """
    now = session.now()
    if booking.starts_at - now > CHECK_IN_EARLY and not asker.is_staff:
        raise InvalidError("too_early", "check-in opens 15 minutes before the start")
    booking.set_status(booking.lifecycle.moved_to(Status.CHECKED_IN, now))
    booking.checked_in_at = now
    booking.touch()
    session.flush()
    occupancy.keep_until(session, {booking.id: None})
    announce(session, BookingChanged, booking)


def confirm_paid(session: TenantSession, booking_ids: Iterable[UUID]) -> None:
    """The invoice of these bookings is paid: those that were held for it are confirmed (GH-2).

    A payment that comes after the hold ran out still gets the time if nobody took it; else the booking stays expired
    and says so again, so that the money can go back.
    """
    statement = select(Booking).where(Booking.id.in_(list(booking_ids)), Booking.payment == "now")
    for booking in session.scalars(statement.order_by(Booking.id).with_for_update()):
        if booking.status not in {Status.HELD, Status.EXPIRED} or booking.cancel_reason == "paid_too_late":
            continue
        if booking.lifecycle.at(session.now()) is not Status.HELD or not _confirm_held(session, booking):
            _revive(session, booking)


def _confirm_held(session: TenantSession, booking: Booking) -> bool:
    """Confirm a hold; false when somebody whose clock is a blink ahead has just taken its time."""
    try:
        with session.begin_nested():
            _confirm(session, booking, _status_when_paid(session, booking))
    except ConflictError:
        session.refresh(booking)
        return False
    return True


def _status_when_paid(session: TenantSession, booking: Booking) -> Status:
    desk = load_desk(session, booking.resource_id)
    return Status.TENTATIVE if needs_approval(desk.policy, by_staff=False) else Status.CONFIRMED


def _confirm(session: TenantSession, booking: Booking, status: Status) -> None:
    _take_on(session, booking, booking.lifecycle.moved_to(status, session.now()))
    if not occupancy.keep_until(session, {booking.id: lapse_of(booking.lifecycle)}):
        raise ConflictError("slot_taken", "somebody else has this time by now")
    promotions.keep(session, booking)
    announce(session, BookingConfirmed if status is Status.CONFIRMED else BookingChanged, booking)


def _take_on(session: TenantSession, booking: Booking, status: Status) -> None:
    now, minutes = session.now(), booking.check_in_within_minutes
    booking.check_in_within_minutes = check_in_minutes_left(minutes, booking.starts_at, now)
    booking.set_status(status)
    booking.touch()
    session.flush()


def _revive(session: TenantSession, booking: Booking) -> None:
    desk = load_desk(session, booking.resource_id, member_id=booking.member_id, company_id=booking.company_id)
    status = _status_when_paid(session, booking)
    try:
        with session.begin_nested():
            occupancy.free(session, [booking.id])
            booking.cancelled_at = booking.cancel_reason = None
            _take_on(session, booking, status)
            _require_time_left(session, booking)
            _reserve_again(session, desk, booking)
            place(session, desk, [booking], is_series=False)
            session.flush()
            promotions.redeem(session, [booking])
    except ConflictError:
        logger.warning("paid_too_late", booking=str(booking.id))
        session.refresh(booking)
        if booking.status == Status.HELD:
            end_booking(session, booking, Status.EXPIRED, reason="paid_too_late")
            return
        booking.cancel_reason = "paid_too_late"
        booking.touch()
        session.flush()
        announce(session, BookingCancelled, booking)
        return
    announce(session, BookingConfirmed if status is Status.CONFIRMED else BookingChanged, booking)


def _require_time_left(session: TenantSession, booking: Booking) -> None:
    """Nobody pays for a time that is over, or asks for one that has begun."""
    if booking.lifecycle.at(session.now()) != booking.status:
        raise ConflictError("slot_over", "this time is over")


def _reserve_again(session: TenantSession, desk: Desk, booking: Booking) -> None:
    """The credits that the price counted on: they went back when the hold ran out, and may be spent by now (CRD-3)."""
    missing = booking.credits_used - sum(part.hours for part in wallets.reserved_draws(session, booking.id))
    if missing <= 0:
        return
    wallet = wallet_for(session, desk, [booking.interval], lock=True, is_personal=booking.is_personal)
    if wallet is not None:
        wallet.reserve(booking.id, target_of(desk, booking.interval), missing)


def run_due(session: TenantSession, now: datetime, limit: int) -> int:
    """Do what time does to the bookings whose moment has come, earliest first; returns how many there were."""
    statement = (
        select(Booking)
        .where(Booking.due_at <= now)
        .order_by(Booking.due_at, Booking.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(statement).all()
    wallets.lock_grants_of(session, [row.id for row in rows])
    for row in rows:
        _pass_time(session, row, row.lifecycle.at(now))
    return len(rows)


def _pass_time(session: TenantSession, booking: Booking, status: Status) -> None:
    if status is Status.EXPIRED and booking.status == Status.TENTATIVE and booking.payment == "now":
        # It is paid for, and expired bookings keep what was paid until they hear of the payment: this one has.
        end_booking(session, booking, Status.REJECTED, reason="unanswered")
    elif status is Status.EXPIRED:
        end_booking(session, booking, status, reason="expired")
    elif status is Status.NO_SHOW:
        cost = no_show_cost(booking.cancellation, booking.snapshot.total, booking.credits_used)
        end_booking(session, booking, status, reason="no_show", cost=cost)
    elif status is Status.COMPLETED:
        wallets.consume_reserved(session, booking.id)
        booking.set_status(status)
        booking.touch()
        session.flush()
        announce(session, BookingCompleted, booking)
    else:
        booking.due_at = booking.lifecycle.due_at()
        session.flush()
