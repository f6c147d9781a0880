"""An invoice before it is issued: lines with their sources, grouped by payer and date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.errors import InvalidError
from invoicing.domain.discounts import DocumentDiscount
from invoicing.domain.periods import Period
from invoicing.domain.totals import DocumentTotals, LineInput, document_totals


@dataclass(slots=True)
class LineSpec:
    """A line to be invoiced: what it says, what it costs (``input``) and where it came from.

    ``membership`` is the row it was planned from, which saves reading it again when its billed-until date moves.
    """

    kind: str
    description: str
    input: LineInput
    explain: str | None = None
    details: Sequence[Any] = ()
    membership_id: UUID | None = None
    fee_id: UUID | None = None
    booking_id: UUID | None = None
    plan_id: UUID | None = None
    location_id: UUID | None = None
    revenue_account: str | None = None
    period: Period | None = None
    used_days: int | None = None
    full_days: int | None = None
    billed_until: date | None = None
    is_refundable: bool = False
    membership: Any = None


@dataclass(slots=True)
class InvoiceSpec:
    """An invoice to be issued to ``customer`` (a `Customer` row), dated ``issue_date``.

    ``due_date`` None means: issue date plus terms. ``invoice_id`` is set when a draft keeps its id.
    """

    customer: Any
    issue_date: date
    location_id: UUID | None
    currency: str
    lines: list[LineSpec] = field(default_factory=list)
    discounts: Sequence[DocumentDiscount] = ()
    note: str | None = None
    due_date: date | None = None
    collect_now: bool = False
    checkout_id: UUID | None = None
    invoice_id: UUID | None = None
    _totals: DocumentTotals | None = None

    @property
    def totals(self) -> DocumentTotals:
        """All numbers of the document, computed once. Raises InvalidError when the total would be negative."""
        if self._totals is None:
            self._totals = document_totals([line.input for line in self.lines], self.currency, self.discounts)
            if self._totals.total_minor < 0:
                raise InvalidError("negative_total", "an invoice cannot be negative: make a credit note")
        return self._totals

    @property
    def booking_ids(self) -> list[UUID]:
        """The bookings that are on it."""
        return list(dict.fromkeys(line.booking_id for line in self.lines if line.booking_id is not None))


def tax_percent_of(line: LineSpec) -> Decimal:
    """The sum of a line's tax rates."""
    return sum((tax.percent for tax in line.input.taxes), Decimal(0))
