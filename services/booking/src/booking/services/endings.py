"""Ending bookings before their time: cancellation with its fee, rejection (BOK-2, BOK-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from booking.domain.cancellation import CancellationCost, CancellationPolicy, cancellation_cost
from booking.domain.recurrence import Scope
from booking.domain.statuses import Status
from booking.models import Booking
from booking.services import occupancy, promotions, wallets
from booking.services.announcing import announce
from booking.services.checking import Asker, require_editable
from booking.services.series import OPEN, touched_bookings
from common.db import TenantSession
from common.money import Money
from contracts.booking import BookingCancelled

WITHDRAWN = "checkout_refused"


@dataclass(frozen=True, slots=True)
class CancellationOffer:
    """What cancelling some bookings costs now, in all and for each; ``free_until`` is about the first of them."""

    bookings: tuple[Booking, ...]
    costs: tuple[CancellationCost, ...]
    free_until: datetime | None

    @property
    def fee(self) -> Money:
        """The fees together."""
        return Money.total((cost.fee for cost in self.costs), self.bookings[0].currency)

    @property
    def credits_forfeited(self) -> Decimal:
        """Hours of credit that are lost."""
        return sum((cost.credits_forfeited for cost in self.costs), Decimal(0))

    @property
    def percent(self) -> Decimal:
        """The step that applies to the first booking."""
        return self.costs[0].percent


def offer_cancellation(
    session: TenantSession, booking: Booking, asker: Asker, *, scope: Scope = Scope.THIS, waive_fee: bool = False
) -> CancellationOffer:
    """What cancelling would cost now, by each booking's own policy and price (BOK-5).

    Raises ConflictError ``status_transition`` when it cannot be.
    """
    now = session.now()
    booking.lifecycle.moved_to(Status.CANCELLED, now)
    require_editable(booking.starts_at, now, asker)
    rows = touched_bookings(session, booking, scope)
    costs = [_cost(row, now, is_free=waive_fee and asker.is_staff) for row in rows]
    return CancellationOffer(tuple(rows), tuple(costs), booking.cancellation.free_until(booking.starts_at))


def _cost(row: Booking, now: datetime, *, is_free: bool) -> CancellationCost:
    """Only what was confirmed costs something."""
    applicable = CancellationPolicy() if is_free or row.status != Status.CONFIRMED else row.cancellation
    return cancellation_cost(applicable, row.starts_at, now, row.snapshot.total, row.credits_used)


def cancel(session: TenantSession, offer: CancellationOffer, *, reason: str | None = None) -> Sequence[Booking]:
    """Cancel the (locked) bookings of an offer at its price."""
    wallets.lock_grants_of(session, [row.id for row in offer.bookings])
    for row, cost in zip(offer.bookings, offer.costs, strict=True):
        end_booking(session, row, Status.CANCELLED, reason=reason, cost=cost)
    return offer.bookings


def withdraw(session: TenantSession, member_id: UUID, checkout_id: UUID) -> None:
    """Take back at no cost what a checkout has booked so far: a later part of the order was refused (GH-2)."""
    mine = (Booking.member_id == member_id, Booking.checkout_id == checkout_id)
    statement = select(Booking).where(*mine, Booking.status.in_([status.value for status in OPEN]))
    rows = session.scalars(statement.order_by(Booking.id).with_for_update()).all()
    wallets.lock_grants_of(session, [row.id for row in rows])
    for row in rows:
        end_booking(session, row, Status.CANCELLED, reason=WITHDRAWN)


def end_booking(
    session: TenantSession,
    booking: Booking,
    status: Status,
    *,
    reason: str | None = None,
    cost: CancellationCost | None = None,
) -> None:
    """Give up a locked booking's time and credits under its new status, and say so.

    ``cost`` is what that takes from the customer. Its promo code can be used again if that is nothing (GH-3).
    """
    wallets.give_back(session, booking, cost.credits_forfeited if cost else Decimal(0))
    if cost is not None:
        booking.cancellation_fee_minor = cost.fee.amount_minor
    if cost is None or not cost.percent:
        promotions.give_back(session, booking)
    booking.cancelled_at = session.now()
    booking.cancel_reason = reason
    booking.set_status(status)
    booking.touch()
    session.flush()
    occupancy.free(session, [booking.id])
    announce(session, BookingCancelled, booking)
