"""The ledger of credits (CRD-1): entries are only ever added, balances are sums, and no balance is ever below zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from common.errors import ConflictError, InvalidError


class EntryKind(StrEnum):
    """What happened to credits. A booking reserves; it then consumes or releases what it reserved."""

    GRANT = "grant"
    RESERVE = "reserve"
    CONSUME = "consume"
    RELEASE = "release"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Entry:
    """Hours (more than 0) of one grant; reserve, consume and release belong to a booking."""

    grant_id: UUID
    kind: EntryKind
    hours: Decimal
    booking_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The sums of a ledger, in hours."""

    granted: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)  # by bookings still to come
    consumed: Decimal = Decimal(0)
    expired: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        """What can still be booked with."""
        return self.granted - self.reserved - self.consumed - self.expired

    def plus(self, entry: Entry) -> Balance:
        """The balance after an entry, unchecked."""
        hours = entry.hours
        match entry.kind:
            case EntryKind.GRANT:
                return Balance(self.granted + hours, self.reserved, self.consumed, self.expired)
            case EntryKind.RESERVE:
                return Balance(self.granted, self.reserved + hours, self.consumed, self.expired)
            case EntryKind.CONSUME:
                return Balance(self.granted, self.reserved - hours, self.consumed + hours, self.expired)
            case EntryKind.RELEASE:
                return Balance(self.granted, self.reserved - hours, self.consumed, self.expired)
            case EntryKind.EXPIRE:
                return Balance(self.granted, self.reserved, self.consumed, self.expired + hours)


def balance(entries: Iterable[Entry]) -> Balance:
    """The sums of some entries, of one grant or of many."""
    result = Balance()
    for entry in entries:
        result = result.plus(entry)
    return result


def balances(entries: Iterable[Entry]) -> dict[UUID, Balance]:
    """The sums per grant."""
    result: dict[UUID, Balance] = {}
    for entry in entries:
        result[entry.grant_id] = result.get(entry.grant_id, Balance()).plus(entry)
    return result


def after(current: Balance, entry: Entry) -> Balance:
    """A grant's balance after one more entry.

    Raises InvalidError ``credit_entry_invalid`` for hours that are not positive, and ConflictError
    ``credits_insufficient`` when nothing of the kind is left to reserve, expire, consume or release.
    """
    if not entry.hours.is_finite() or entry.hours <= 0:
        raise InvalidError("credit_entry_invalid", "A ledger entry moves more than nothing.")
    result = current.plus(entry)
    if result.available < 0 or result.reserved < 0:
        raise ConflictError("credits_insufficient", "There are not enough credits for this.")
    return result


def expiry(grant_id: UUID, current: Balance) -> Entry | None:
    """The entry that ends a grant on its expiry day: what is available goes, what is reserved stays."""
    if current.available <= 0:
        return None
    return Entry(grant_id, EntryKind.EXPIRE, current.available)
