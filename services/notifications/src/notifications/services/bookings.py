"""What a booking's people are told: requested, confirmed, changed, cancelled, each with its calendar entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from contracts.booking import BookingState
from notifications.domain.wording import booking_facts
from notifications.mail.calendar import Entry, calendar_file, calendar_method
from notifications.mail.envelope import AttachedFile
from notifications.mail.links import LINKS
from notifications.models import BookingCopy, LocationCopy
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


def tell_of_booking(session: TenantSession, message: BookingState) -> None:
    """A booking was made or confirmed: say so, or that the request waits for approval."""
    news = _remember(session, message)
    if news.overtaken:
        return
    if message.status == "confirmed":
        _tell(session, message, "booking-confirmed", "confirmed")
    elif message.status == "tentative":
        _tell(session, message, "booking-requested", "requested")


def tell_of_change(session: TenantSession, message: BookingState) -> None:
    """A booking changed: tell of another time, room or price; a check-in or a note is no news."""
    news = _remember(session, message)
    if news.facts and not news.overtaken and message.status in {"confirmed", "tentative"}:
        _tell(session, message, "booking-changed", f"changed:{_facts(message)}")


def tell_of_cancellation(session: TenantSession, message: BookingState) -> None:
    """A booking was cancelled or rejected."""
    news = _remember(session, message)
    if message.status not in _UNTOLD and not news.was_held:
        _tell(session, message, "booking-cancelled", "cancelled")


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


def _tell(session: TenantSession, message: BookingState, template: str, event: str) -> None:
    if message.member_id is None and message.company_id is None:
        return
    recipient = person_recipient(session, message.member_id, message.company_id)
    place = _place(session.get(LocationCopy, message.location_id))
    notify(
        session,
        Notice(
            template=template,
            source=f"booking:{message.booking_id}:{event}",
            recipient=recipient,
            data={
                "booking": _data(message, place),
                "link": LINKS.booking(session.organization, message.booking_id),
            },
            about=About(booking_id=message.booking_id),
            files=_calendar(session, message, template, recipient, place),
        ),
    )


def _data(message: BookingState, place: str) -> dict[str, Any]:
    return {
        "resource": message.resource_name,
        "start": message.start,
        "end": message.end,
        "timezone": message.timezone,
        "place": place,
        "price": message.price,
        "has_price": bool(message.price),
        "cancellation_fee": message.cancellation_fee,
        "has_fee": bool(message.cancellation_fee),
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
    session: TenantSession, message: BookingState, template: str, recipient: Recipient, place: str
) -> list[AttachedFile]:
    if template == "booking-requested" or not recipient.address:
        return []
    organizer = operator_recipient(session)
    entry = Entry(
        booking_id=message.booking_id,
        sequence=message.version,
        summary=f"{message.resource_name} ({organizer.name})",
        place=place,
        start=message.start,
        end=message.end,
        zone=message.timezone,
        organizer=organizer.address or "no-reply@deskledger.localhost",
        organizer_name=organizer.name,
        attendee=recipient.address,
        cancelled=template == "booking-cancelled",
    )
    content_type = f"text/calendar; method={calendar_method(entry)}; charset=utf-8"
    return [AttachedFile("booking.ics", content_type, calendar_file(entry, session.now()))]
