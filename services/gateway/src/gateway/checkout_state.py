"""The state of a checkout, derived from what the services keep of it (GH-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

AWAITING_PAYMENT = "awaiting_payment"
PROCESSING = "processing"
AWAITING_APPROVAL = "awaiting_approval"
CONFIRMED = "confirmed"
EXPIRED = "expired"
FAILED = "failed"
# As long as booking holds a slot, and as invoicing waits for a purchase to be paid.
CHECKOUT_TIME = timedelta(minutes=10)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """The bookings, invoices and payments (newest first) of a checkout, as the API shows them."""

    bookings: Sequence[Row]
    invoices: Sequence[Row]
    payments: Sequence[Row]

    @property
    def is_withdrawn(self) -> bool:
        """Whether a part was refused, and what had been booked before was taken back."""
        return any(row.get("cancel_reason") == "checkout_refused" for row in self.bookings)

    @property
    def open_invoices(self) -> list[Row]:
        """What is still to be paid, oldest first."""
        found = [row for row in self.invoices if row["state"] == "open" and row["payable"]["amount_minor"] > 0]
        return sorted(found, key=lambda row: str(row["id"]))

    def state(self, now: datetime) -> str:
        """Where the checkout stands at an instant of the organisation's clock."""
        statuses = {row["status"] for row in self.bookings}
        if any(row.get("cancel_reason") == "paid_too_late" for row in self.bookings):
            return FAILED
        if "expired" in statuses:
            return EXPIRED
        if statuses & {"rejected", "cancelled"}:
            return FAILED
        if self.open_invoices or "held" in statuses:
            return self._unpaid_state(now)
        if self.invoices and all(row["state"] in {"void", "uncollectible"} for row in self.invoices):
            return EXPIRED
        return AWAITING_APPROVAL if "tentative" in statuses else CONFIRMED

    def _unpaid_state(self, now: datetime) -> str:
        is_paid = bool(self.invoices) and not self.open_invoices
        if is_paid or any(row["state"] == "pending" for row in self.payments):
            return PROCESSING
        expires_at = self.expires_at()
        return EXPIRED if expires_at is not None and now >= expires_at else AWAITING_PAYMENT

    def expires_at(self) -> datetime | None:
        """Until when the first part of it waits to be paid; None when nothing waits."""
        ends = [_instant(row["hold_expires_at"]) for row in self.bookings if row["status"] == "held"]
        # An invoice of held bookings ends with them; a purchase has its own time.
        if not self.bookings:
            ends += [_instant(row["issued_at"]) + CHECKOUT_TIME for row in self.open_invoices]
        return min(ends, default=None)

    def amount_minor(self) -> int:
        """What is, or was, to be paid: the invoices, and what was booked without one."""
        paid_by_invoice = bool(self.invoices)
        loose = [row for row in self.bookings if not (paid_by_invoice and row["payment"] == "now")]
        billed = sum(row["total"]["amount_minor"] for row in self.invoices)
        return int(billed + sum(row["price"]["amount_minor"] for row in loose))

    def failure_code(self) -> str | None:
        """Why the newest attempt to pay failed."""
        newest = self.payments[0] if self.payments else None
        return newest["failure_code"] if newest is not None and newest["state"] == "failed" else None

    def action(self) -> Row | None:
        """What the guest still has to confirm with their bank."""
        waiting = [row["action"] for row in self.payments if row["state"] == "action_required"]
        return waiting[0] if waiting else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
