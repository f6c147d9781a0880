"""What a booking's people are told: requested, confirmed, changed, cancelled, each with its calendar entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.clock import as_utc
from common.db import TenantSession
from common.money import Money
from contracts.booking import BookingState
from notifications.domain.wording import booking_facts
from notifications.mail.calendar import Entry, calendar_file, calendar_method
from notifications.mail.envelope import AttachedFile
from notifications.mail.links import LINKS
from notifications.models import BookingCopy, LocationCopy
from notifications.services.gathering import GATHERING, gather
from notifications.services.notifying import About, Notice, notify
from notifications.services.recipients import Recipient, operator_recipient, person_recipient

_OVER = {"cancelled", "rejected", "expired", "no_show", "completed"}
_UNTOLD = {"held", "expired", "no_show"}  # a hold is a checkout's affair, a no-show shows on the invoice


@dataclass(frozen=True, slots=True)
class _News:
    """What a message adds to what is known: ``facts`` never told, or ``overtaken`` by a newer state."""

    facts: bool
    overtaken: bool
    was_held: bool = False


def tell_of_booking(session: TenantSession, message: BookingState, request_id: str | None) -> None:
    """A booking was made or confirmed: say so, or that the request waits for approval."""
    news = _remember(session, message)
    if news.overtaken:
        return
    if message.status == "confirmed":
        _tell(session, message, "booking-confirmed", "confirmed", request_id)
    elif message.status == "tentative":
        _tell(session, message, "booking-requested", "requested", request_id)


def tell_of_change(session: TenantSession, message: BookingState, request_id: str | None) -> None:
    """A booking changed: tell of another time, room or price; a check-in or a note is no news."""
    news = _remember(session, message)
    if news.facts and not news.overtaken and message.status in {"confirmed", "tentative"}:
        _tell(session, message, "booking-changed", f"changed:{_facts(message)}", request_id)


def tell_of_cancellation(session: TenantSession, message: BookingState, request_id: str | None) -> None:
    """A booking was cancelled or rejected."""
    news = _remember(session, message)
    if message.status not in _UNTOLD and not news.was_held:
        _tell(session, message, "booking-cancelled", "cancelled", request_id)


def remember_booking(session: TenantSession, message: BookingState) -> None:
    """Only keep track."""
    _remember(session, message)


def _remember(session: TenantSession, message: BookingState) -> _News:
    """Keep the newest status and every set of facts heard of, the newest last."""
    facts = _facts(message)
    fresh = {
        "id": message.booking_id,
        "organization_id": session.organization_id,
        "status": message.status,
        "facts": [facts],
        "version": message.version,
    }
    added = session.scalar(insert(BookingCopy).values(fresh).on_conflict_do_nothing().returning(BookingCopy.id))
    if added is not None:
        return _News(facts=message.version > 1, overtaken=False)
    statement = select(BookingCopy).where(BookingCopy.id == message.booking_id).with_for_update()
    known = session.scalars(statement.execution_options(populate_existing=True)).one()
    news = _News(
        facts=facts not in known.facts,
        overtaken=message.version < known.version and (known.status in _OVER or facts != known.facts[-1]),
        was_held=known.status == "held",
    )
    if message.version > known.version:
        known.status, known.version = message.status, message.version
        known.facts = [*(other for other in known.facts if other != facts), facts]
    session.flush()
    return news


def _facts(message: BookingState) -> str:
    return booking_facts(message.start, message.end, message.resource_name, message.price)


def _tell(session: TenantSession, message: BookingState, template: str, event: str, request_id: str | None) -> None:
    """One mail for a booking, or for all bookings of a series that the same request touched."""
    if message.member_id is None and message.company_id is None:
        return
    mine = [_occurrence(message)]
    alone = _notice(session, message, template, f"booking:{message.booking_id}:{event}", mine)
    if message.series_id is None or not request_id:
        notify(session, alone)
        return
    source = f"series:{message.series_id}:{event.partition(':')[0]}:{request_id}"
    together = _notice(session, message, template, source, mine)
    if not gather(session, together, partial(_notice, session, message, template, source)):
        notify(session, alone)


def _notice(
    session: TenantSession, message: BookingState, template: str, source: str, occurrences: list[dict[str, Any]]
) -> Notice:
    recipient = person_recipient(session, message.member_id, message.company_id)
    place = _place(session.get(LocationCopy, message.location_id))
    return Notice(
        template=template,
        source=source,
        recipient=recipient,
        data={
            "booking": _data(message, place, occurrences),
            "link": LINKS.booking(session.organization, UUID(occurrences[0]["booking_id"])),
        },
        about=About(booking_id=UUID(occurrences[0]["booking_id"])),
        files=_calendar(session, message, template, recipient, place, occurrences),
        occurrences=occurrences,
        delay=GATHERING if source.startswith("series:") else timedelta(),
    )


def _occurrence(message: BookingState) -> dict[str, Any]:
    """A booking's own part of a mail, in JSON types."""
    fee = message.cancellation_fee
    return {
        "booking_id": str(message.booking_id),
        "version": message.version,
        "start": as_utc(message.start).isoformat(),
        "end": as_utc(message.end).isoformat(),
        "price_minor": message.price.amount_minor,
        "fee_minor": fee.amount_minor if fee else 0,
    }


def _times(occurrence: dict[str, Any], zone: str) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(occurrence[name]) for name in ("start", "end"))
    return {"start": start, "end": end, "timezone": zone}


def _data(message: BookingState, place: str, occurrences: list[dict[str, Any]]) -> dict[str, Any]:
    first, *others = (_times(occurrence, message.timezone) for occurrence in occurrences)
    currency = message.price.currency
    price = Money(sum(occurrence["price_minor"] for occurrence in occurrences), currency)
    fee = Money(sum(occurrence["fee_minor"] for occurrence in occurrences), currency)
    return {
        **first,
        "others": others,
        "resource": message.resource_name,
        "place": place,
        "price": price,
        "has_price": bool(price),
        "cancellation_fee": fee,
        "has_fee": bool(fee),
        "is_rejected": message.status == "rejected",
    }


def _place(location: LocationCopy | None) -> str:
    if location is None:
        return ""
    address = location.address
    town = f"{address.get('postal_code', '')} {address.get('city', '')}".strip()
    street = str(address.get("street") or address.get("line1") or "")
    return ", ".join(part for part in (location.name, street, town) if part)


def _calendar(
    session: TenantSession,
    message: BookingState,
    template: str,
    recipient: Recipient,
    place: str,
    occurrences: list[dict[str, Any]],
) -> list[AttachedFile]:
    if template == "booking-requested" or not recipient.address:
        return []
    organizer = operator_recipient(session)
    entries = [
        Entry(
            booking_id=UUID(occurrence["booking_id"]),
            sequence=occurrence["version"],
            summary=f"{message.resource_name} ({organizer.name})",
            place=place,
            start=datetime.fromisoformat(occurrence["start"]),
            end=datetime.fromisoformat(occurrence["end"]),
            zone=message.timezone,
            organizer=organizer.address or "no-reply@deskledger.localhost",
            organizer_name=organizer.name,
            attendee=recipient.address,
            cancelled=template == "booking-cancelled",
        )
        for occurrence in occurrences
    ]
    content_type = f"text/calendar; method={calendar_method(entries)}; charset=utf-8"
    return [AttachedFile("booking.ics", content_type, calendar_file(entries, session.now()))]
