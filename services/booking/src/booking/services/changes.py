"""Changing bookings: another time or resource, extras, notes; one, this and following, or all of a series (BOK-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from booking.domain.cancellation import cancellation_cost
from booking.domain.intervals import Interval
from booking.domain.policies import needs_approval
from booking.domain.price_snapshot import Price
from booking.domain.pricing import ExtraOrder
from booking.domain.recurrence import Occurrence, Scope, moved
from booking.domain.statuses import Status, check_in_minutes_left
from booking.models import Booking
from booking.services import occupancy, promotions, wallets
from booking.services.announcing import announce
from booking.services.bookings import place, set_price
from booking.services.checking import Asker, check_bookable, check_policy, require_editable
from booking.services.desk import Desk, load_desk
from booking.services.pricing import Terms, price_of, price_with_extras, reserve_credits, wallet_for
from booking.services.series import OPEN, touched_bookings
from common.clock import instant_to_wall
from common.db import TenantSession
from common.errors import ConflictError, InvalidError
from common.money import Money
from contracts.booking import BookingChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different; None means as it is. ``notes`` holds those that are to be written (or None: wiped)."""

    start: datetime | None = None
    end: datetime | None = None
    resource_id: UUID | None = None
    extras: tuple[ExtraOrder, ...] | None = None
    custom_price: Money | None = None
    is_waived: bool | None = None
    notes: Mapping[str, str | None] = field(default_factory=dict)
    scope: Scope = Scope.THIS

    @property
    def moves(self) -> bool:
        """Whether time or resource change."""
        return self.start is not None or self.end is not None or self.resource_id is not None

    @property
    def reprices(self) -> bool:
        """Whether anything of the price is computed anew (PRI-1)."""
        return self.retimes or self.extras is not None

    @property
    def retimes(self) -> bool:
        """Whether the price of the time is computed anew, and not only that of the extras."""
        return self.moves or self.custom_price is not None or self.is_waived is not None


def change_booking(session: TenantSession, booking: Booking, change: Change, asker: Asker) -> list[Booking]:
    """Change a locked booking and those of its series that the scope names, all or none.

    A new length without a new end keeps its duration. Raises InvalidError and ConflictError as booking does, and
    ConflictError ``status_transition`` when the booking is over.
    """
    _require_open(session, booking, asker)
    rows = touched_bookings(session, booking, change.scope)
    if change.reprices:
        _reprice(session, booking, rows, change, asker)
    for row in rows:
        for name, text in change.notes.items():
            setattr(row, name, text)
        row.touch()
    session.flush()
    for row in rows:
        announce(session, BookingChanged, row)
    return rows


def _require_open(session: TenantSession, booking: Booking, asker: Asker) -> None:
    now = session.now()
    status = booking.lifecycle.at(now)
    if status not in OPEN and not (asker.is_staff and status is Status.CHECKED_IN):
        raise ConflictError("status_transition", f"a booking that is {status} cannot be changed")
    require_editable(booking.starts_at, now, asker)


def _reprice(session: TenantSession, booking: Booking, rows: Sequence[Booking], change: Change, asker: Asker) -> None:
    desk = load_desk(
        session,
        change.resource_id or booking.resource_id,
        member_id=booking.member_id,
        company_id=booking.company_id,
    )
    if Terms.from_document(booking.pricing).as_stranger:
        desk = desk.for_strangers()
    intervals = _intervals(booking, rows, change)
    _require_free_change(session, rows, change, asker)
    if change.moves:
        check_bookable(desk, asker, intervals)
        ids = [row.id for row in rows]
        found = check_policy(session, desk, asker, intervals, is_recurring=len(rows) > 1, without=ids)
        for row, codes in zip(rows, found, strict=True):
            row.overridden = list(codes)
            row.cancellation_policy = desk.cancellation.as_document()
            _ask_again(session, row, desk, asker)
    if change.retimes:
        _draw_anew(session, desk, rows, intervals, change)
    else:
        _order_anew(session, desk, rows, change)
    if change.moves:
        occupancy.lock_resource(session, desk.premises)
        occupancy.free(session, [row.id for row in rows])
        place(session, desk, rows, is_series=len(rows) > 1)


def _intervals(booking: Booking, rows: Sequence[Booking], change: Change) -> list[Interval]:
    """Where the bookings are to be: all by the same shift of the local clock."""
    if change.start is None and change.end is None:
        return [row.interval for row in rows]
    start = change.start or booking.starts_at
    end = change.end or (start + (booking.ends_at - booking.starts_at))
    to = Interval(start, end)
    if len(rows) == 1:
        return [to]
    zone = booking.timezone
    occurrences = [Occurrence(row.number, instant_to_wall(row.starts_at, zone), row.interval) for row in rows]
    edited = next(o for o in occurrences if o.number == booking.number)
    after = {o.number: o.interval for o in moved(occurrences, edited, to, zone)}
    if len(after) < len(rows):
        raise InvalidError("recurrence_overlaps_itself", "a clock change would put two of the dates at one time")
    return [after[row.number] for row in rows]


def _require_free_change(session: TenantSession, rows: Sequence[Booking], change: Change, asker: Asker) -> None:
    """Moving is no way around a cancellation fee: members move what all could be cancelled free of charge (BOK-5)."""
    if asker.is_staff or not change.moves:
        return
    now = session.now()
    if all(row.status != Status.CONFIRMED or _is_free_to_cancel(row, now) for row in rows):
        return
    what = "this booking; cancelling it" if len(rows) == 1 else "all of these bookings; cancelling one of them"
    raise InvalidError("too_late_to_change", f"it is too late to move {what} has a fee by now")


def _is_free_to_cancel(row: Booking, now: datetime) -> bool:
    return cancellation_cost(row.cancellation, row.starts_at, now, row.snapshot.total, row.credits_used).is_free


def _draw_anew(
    session: TenantSession, desk: Desk, rows: Sequence[Booking], intervals: Sequence[Interval], change: Change
) -> None:
    """New prices and credits, locked before any time is taken."""
    if desk.has_grants:
        wallets.lock_customer_grants(session, desk.member_id, desk.company_id)
        for row in rows:
            wallets.give_back(session, row)
        session.flush()
    wallet = wallet_for(session, desk, intervals, lock=True, is_personal=rows[0].is_personal)
    for row, interval in zip(rows, intervals, strict=True):
        terms = _terms(Terms.from_document(row.pricing), change).at(desk)
        price = price_of(session, desk, interval, terms, wallet)
        reserve_credits(desk, row.id, interval, price, wallet)
        _move(row, desk, interval, session.now())
        _keep_price(session, row, price, terms)


def _order_anew(session: TenantSession, desk: Desk, rows: Sequence[Booking], change: Change) -> None:
    """Other extras: the time costs what was agreed, and its credits stay set aside (PRI-1)."""
    for row in rows:
        terms = _terms(Terms.from_document(row.pricing), change)
        price = price_with_extras(session, desk, row.interval, terms, row.snapshot)
        _keep_price(session, row, price, terms)


def _keep_price(session: TenantSession, row: Booking, price: Price, terms: Terms) -> None:
    had_code = bool(row.pricing.get("promotion"))
    set_price(row, price, terms.kept_with(price))
    if had_code:
        promotions.follow(session, row)


def _ask_again(session: TenantSession, row: Booking, desk: Desk, asker: Asker) -> None:
    """What was approved is approved no more when a member moves it."""
    if row.status == Status.CONFIRMED and needs_approval(desk.policy, by_staff=asker.overrides):
        row.set_status(row.lifecycle.moved_to(Status.TENTATIVE, session.now()))


def _terms(terms: Terms, change: Change) -> Terms:
    if change.extras is not None:
        terms = replace(terms, extras=change.extras)
    if change.custom_price is not None:
        terms = replace(terms, custom_price=change.custom_price)
    if change.is_waived is not None:
        terms = replace(terms, is_waived=change.is_waived)
    return terms


def _move(row: Booking, desk: Desk, interval: Interval, now: datetime) -> None:
    row.starts_at, row.ends_at = interval.start, interval.end
    row.resource_id, row.resource_name = desk.resource_id, desk.name
    row.location_id, row.timezone = desk.location_id, desk.zone
    row.check_in_within_minutes = check_in_minutes_left(desk.policy.check_in_minutes, interval.start, now)
    row.due_at = row.lifecycle.due_at()
