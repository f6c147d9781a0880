"""What a booking's people were told, as one comparable text."""

from __future__ import annotations

from datetime import UTC, datetime

from common.money import Money


def booking_facts(start: datetime, end: datetime, resource: str, price: Money) -> str:
    """Time, room and price of a booking: when these are as before, there is nothing to tell."""
    times = "/".join(instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for instant in (start, end))
    return f"{times} {resource} {price.amount_minor} {price.currency}"
