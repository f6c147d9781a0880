"""How a mail about a booking, or about several of a series, is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.clock import as_utc
from common.db import TenantSession
from common.money import Money
from contracts.booking import BookingState
from notifications.mail.calendar import Entry, calendar_file, calendar_method
from notifications.mail.envelope import AttachedFile
from notifications.mail.links import LINKS
from notifications.models import LocationCopy
from notifications.services.gathering import GATHERING
from notifications.services.notifying import About, Notice
from notifications.services.recipients import Recipient, operator_recipient, person_recipient

_WITHOUT_CALENDAR = {"booking-requested", "booking-reminder"}


def booking_notice(
    session: TenantSession, message: BookingState, template: str, source: str, occurrences: Sequence[dict[str, Any]]
) -> Notice:
    """What a booking's own people get. Raises TransientError while nothing is known of them."""
    recipient = person_recipient(session, message.member_id, message.company_id)
    place = _place(session, message)
    return Notice(
        template=template,
        source=source,
        recipient=recipient,
        data={
            "booking": _data(message, place, occurrences),
            "link": LINKS.booking(session.organization, UUID(occurrences[0]["id"])),
        },
        about=About(booking_id=UUID(occurrences[0]["id"])),
        files=_calendar(session, message, template, recipient, place, occurrences),
        occurrences=occurrences,
        delay=_delay(source),
    )


def approval_notice(
    session: TenantSession, message: BookingState, source: str, occurrences: Sequence[dict[str, Any]]
) -> Notice:
    """What the team gets about a booking that waits for it."""
    booker = person_recipient(session, message.member_id, message.company_id)
    booking = _data(message, _place(session, message), occurrences) | {"customer": booker.name}
    return Notice(
        template="approval-needed",
        source=source,
        recipient=operator_recipient(session),
        data={"booking": booking, "link": LINKS.admin_booking(UUID(occurrences[0]["id"]))},
        about=About(booking_id=UUID(occurrences[0]["id"])),
        occurrences=occurrences,
        delay=_delay(source),
    )


def occurrence_of(message: BookingState) -> dict[str, Any]:
    """A booking's own part of a mail, in JSON types."""
    fee = message.cancellation_fee
    return {
        "id": str(message.booking_id),
        "version": message.version,
        "at": as_utc(message.start).isoformat(),
        "end": as_utc(message.end).isoformat(),
        "price_minor": message.price.amount_minor,
        "fee_minor": fee.amount_minor if fee else 0,
    }


def _delay(source: str) -> timedelta:
    return GATHERING if source.startswith("series:") else timedelta()


def _times(occurrence: dict[str, Any], zone: str) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(occurrence[name]) for name in ("at", "end"))
    return {"start": start, "end": end, "timezone": zone}


def _data(message: BookingState, place: str, occurrences: Sequence[dict[str, Any]]) -> dict[str, Any]:
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


def _place(session: TenantSession, message: BookingState) -> str:
    location = session.get(LocationCopy, message.location_id)
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
    occurrences: Sequence[dict[str, Any]],
) -> list[AttachedFile]:
    if template in _WITHOUT_CALENDAR or not recipient.address:
        return []
    organizer = operator_recipient(session)
    entries = [
        Entry(
            booking_id=UUID(occurrence["id"]),
            sequence=occurrence["version"],
            summary=f"{message.resource_name} ({organizer.name})",
            place=place,
            start=datetime.fromisoformat(occurrence["at"]),
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
