"""Making bookings: single ones and series, held, tentative or confirmed (BOK-1 to BOK-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from booking.domain.intervals import Interval
from booking.domain.policies import needs_approval
from booking.domain.price_snapshot import Price
from booking.domain.recurrence import Occurrence, Recurrence, expand
from booking.domain.statuses import HOLD_TIME, Lifecycle, Status, check_in_minutes_left
from booking.models import Booking, BookingSeries
from booking.services import occupancy, promotions
from booking.services.announcing import announce
from booking.services.checking import Asker, check_bookable, check_policy
from booking.services.desk import Desk, load_desk
from booking.services.occupancy import Claim
from booking.services.pricing import Terms, priced_dates, reserve_credits, wallet_for
from common.clock import instant_to_wall
from common.db import TenantSession
from common.db.rows import insert_last, new_row
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.ids import new_id
from common.jobs import wake_scheduler
from contracts.booking import BookingCreated


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What somebody wants to book. ``payment`` is ``on_invoice`` or ``now`` (held until paid, GH-2)."""

    resource_id: UUID
    interval: Interval
    member_id: UUID | None = None
    company_id: UUID | None = None
    is_personal: bool = False
    recurrence: Recurrence | None = None
    terms: Terms = field(default_factory=Terms)
    promo_code: str | None = None
    payment: str = "on_invoice"
    note: str | None = None
    private_note: str | None = None
    checkout_id: UUID | None = None
    asks_approval: bool = False


class Booked(NamedTuple):
    """What was made, and for whom: strangers are not told a name (GH-1)."""

    rows: list[Booking]
    customer_name: str | None


def book(session: TenantSession, request: BookingRequest, asker: Asker) -> Booked:
    """Make a booking, or all occurrences of a series or none.

    Raises ConflictError ``slot_taken`` (single) or ``conflict`` with the conflicting dates (series); InvalidError for
    unknown things, broken policies and prices that do not exist; both for promo codes (`promotions.find_promotion`).
    A stranger books with nothing that the customer has: no rates, discounts, credits or blocks of theirs (GH-1).
    """
    desk = load_desk(session, request.resource_id, member_id=request.member_id, company_id=request.company_id)
    _require_customer(desk)
    occurrences = occurrences_of(request, desk)
    intervals = [occurrence.interval for occurrence in occurrences]
    offer = desk.for_strangers() if asker.is_stranger else desk
    check_bookable(offer, asker, intervals)
    overridden = check_policy(session, offer, asker, intervals, is_recurring=request.recurrence is not None)
    series = _series(session, request, desk)
    bookings = _priced(session, request, desk, offer, asker, occurrences)
    for row, codes in zip(bookings, overridden, strict=True):
        row.overridden = list(codes)
        row.series_id = series.id if series else None
    place(session, desk, bookings, is_series=request.recurrence is not None)
    _store(session, bookings)
    promotions.redeem(session, bookings)
    for row in bookings:
        announce(session, BookingCreated, row)
    _wake_if_due(session, bookings)
    return Booked(bookings, offer.customer_name)


def _store(session: TenantSession, bookings: Sequence[Booking]) -> None:
    """Most bookings are single ones that nothing refers to yet: they are written with the commit."""
    if len(bookings) == 1 and promotions.promotion_of(bookings[0]) is None:
        insert_last(session, bookings[0])
    else:
        session.add_all(bookings)
        session.flush()


def occurrences_of(request: BookingRequest, desk: Desk) -> list[Occurrence]:
    """The dates of a request, one without a recurrence (BOK-4)."""
    if request.recurrence is None:
        return [Occurrence(1, instant_to_wall(request.interval.start, desk.zone), request.interval)]
    return expand(request.recurrence, request.interval, desk.zone)


def find_booking(session: TenantSession, booking_id: UUID, *, lock: bool = False) -> Booking:
    """A booking by id, locked until the end of the transaction when told so. Raises NotFoundError."""
    statement = select(Booking).where(Booking.id == booking_id)
    if lock:
        statement = statement.with_for_update()
    booking = session.scalars(statement).one_or_none()
    if booking is None:
        raise NotFoundError("booking_not_found", "there is no such booking")
    return booking


def place(session: TenantSession, desk: Desk, bookings: Sequence[Booking], *, is_series: bool) -> None:
    """Take the bookings' time and unit. Raises ConflictError ``slot_taken``, or ``conflict`` for a series."""
    claims = [Claim(row.id, desk.policy.blocked_by(row.interval), lapse_of(row.lifecycle)) for row in bookings]
    units, refused = occupancy.take(session, desk.premises, claims)
    if refused:
        missed = {claim.booking_id for claim in refused}
        raise taken_error([row.interval for row in bookings if row.id in missed], desk.zone, is_series=is_series)
    for row in bookings:
        row.unit_no = units[row.id]


def lapse_of(lifecycle: Lifecycle) -> datetime | None:
    """When a booking gives its time up by itself; None when it keeps it to the end."""
    due = lifecycle.due_at()
    return due if due is not None and lifecycle.at(due) is not Status.COMPLETED else None


def taken_error(conflicts: Sequence[Interval], zone: str, *, is_series: bool) -> ConflictError:
    """The refusal of a taken slot, or of a series with the list of its conflicting dates."""
    if not is_series:
        return ConflictError("slot_taken", "this time is taken", errors=[FieldError("/start", "this time is taken")])
    walls = [(instant_to_wall(i.start, zone), instant_to_wall(i.end, zone)) for i in conflicts]
    return ConflictError(
        "conflict",
        f"{len(conflicts)} of the dates are taken",
        errors=[FieldError("/recurrence", f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} is taken") for start, end in walls],
        extra={"conflicts": [{"start": _text(i.start), "end": _text(i.end)} for i in conflicts]},
    )


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _require_customer(desk: Desk) -> None:
    if desk.member_id is None and desk.company_id is None:
        detail = "say who the booking is for: member_id or company_id"
        raise InvalidError("customer_missing", detail, errors=[FieldError("/member_id", detail)])


def _series(session: TenantSession, request: BookingRequest, desk: Desk) -> BookingSeries | None:
    if request.recurrence is None:
        return None
    series = BookingSeries(
        rrule=request.recurrence.rrule,
        exdates=[exdate.isoformat() for exdate in request.recurrence.exdates],
        timezone=desk.zone,
        starts_at=request.interval.start,
        ends_at=request.interval.end,
        created_at=session.now(),
    )
    session.add(series)
    session.flush()
    return series


def _priced(
    session: TenantSession,
    request: BookingRequest,
    desk: Desk,
    offer: Desk,
    asker: Asker,
    occurrences: Sequence[Occurrence],
) -> list[Booking]:
    intervals = [occurrence.interval for occurrence in occurrences]
    terms = replace(terms_of(session, request, desk), as_stranger=asker.is_stranger)
    wallet = wallet_for(session, offer, intervals, lock=True, is_personal=request.is_personal)
    result = []
    priced = priced_dates(session, offer, intervals, terms, wallet)
    for occurrence, (price, kept) in zip(occurrences, priced, strict=True):
        row = _booking(session, request, desk, asker, occurrence, price)
        set_price(row, price, kept)
        reserve_credits(desk, row.id, occurrence.interval, price, wallet)
        result.append(row)
    return result


def terms_of(session: TenantSession, request: BookingRequest, desk: Desk) -> Terms:
    """The terms of a request with its promo code looked up. Raises as `promotions.find_promotion`."""
    if request.promo_code is None:
        return request.terms
    payer_id = promotions.payer(desk.member_id, desk.company_id, is_personal=request.is_personal)
    return replace(request.terms, promotion=promotions.find_promotion(session, request.promo_code, desk, payer_id))


def _booking(
    session: TenantSession, request: BookingRequest, desk: Desk, asker: Asker, occurrence: Occurrence, price: Price
) -> Booking:
    now = session.now()
    status = _first_status(request, desk, asker, price)
    row = new_row(
        Booking,
        id=new_id(),
        version=1,
        number=occurrence.number,
        resource_id=desk.resource_id,
        resource_name=desk.name,
        location_id=desk.location_id,
        timezone=desk.zone,
        member_id=desk.member_id,
        company_id=desk.company_id,
        is_personal=request.is_personal,
        starts_at=occurrence.interval.start,
        ends_at=occurrence.interval.end,
        payment=request.payment,
        hold_expires_at=now + HOLD_TIME if status is Status.HELD else None,
        checkout_id=request.checkout_id,
        cancellation_policy=desk.cancellation.as_document(),
        check_in_within_minutes=check_in_minutes_left(desk.policy.check_in_minutes, occurrence.interval.start, now),
        note=request.note,
        private_note=request.private_note,
        created_by=asker.subject,
        created_at=now,
        status=status,
    )
    row.due_at = row.lifecycle.due_at()
    return row


def set_price(row: Booking, price: Price, terms: Terms) -> None:
    """Keep a price as the booking's snapshot (PRI-1)."""
    document: Mapping[str, Any] = terms.as_document()
    row.agree_on(price)
    row.pricing = dict(document)
    row.extras = list(document["extras"])


def _first_status(request: BookingRequest, desk: Desk, asker: Asker, price: Price) -> Status:
    if request.payment == "now" and price.total:
        return Status.HELD
    waits = request.asks_approval or needs_approval(desk.policy, by_staff=asker.overrides)
    return Status.TENTATIVE if waits else Status.CONFIRMED


def _wake_if_due(session: TenantSession, bookings: Sequence[Booking]) -> None:
    soon = session.now() + timedelta(seconds=1)
    if any(row.due_at is not None and row.due_at <= soon for row in bookings):
        wake_scheduler(session)
