"""What a booking costs, as it is kept with the booking and shown to people (PRI-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from common.money import Money


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line as it will stand on the invoice; ``kind`` is time, credits, discount, extra, custom or promotion."""

    kind: str
    description: str
    quantity: Decimal
    unit_price: Money
    net: Money


@dataclass(frozen=True, slots=True)
class PricedSlice:
    """A stretch of the booking and the rate version that priced it (PRI-4)."""

    start: datetime
    end: datetime
    rate_id: UUID | None
    rate_version: int | None
    rate_name: str


@dataclass(frozen=True, slots=True)
class Price:
    """The snapshot of a price: ``total`` is the sum of the lines' nets; credits are in hours.

    ``taxes`` are parallel ones as the rate names them, which the invoice computes; ``tax_percent`` is their sum.
    """

    total: Money
    lines: tuple[PriceLine, ...]
    slices: tuple[PricedSlice, ...]
    explain: tuple[str, ...]
    billed_minutes: int
    credits_used: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)  # per cent off the time
    tax_percent: Decimal | None = None
    taxes: tuple[Mapping[str, Any], ...] = ()
    prices_include_tax: bool | None = None
    revenue_account: str | None = None
    promo_code: str | None = None

    @property
    def promotion_off(self) -> Money:
        """What the promo code took off."""
        return -Money.total((line.net for line in self.lines if line.kind == "promotion"), self.total.currency)

    def as_document(self) -> dict[str, Any]:
        """JSON types only, for the snapshot column; `from_document` reads it back unchanged."""
        return {
            "total": _money(self.total),
            "lines": [_line(line) for line in self.lines],
            "slices": [_slice(part) for part in self.slices],
            "explain": list(self.explain),
            "billed_minutes": self.billed_minutes,
            "credits_used": str(self.credits_used),
            "discount_percent": str(self.discount),
            "tax_percent": None if self.tax_percent is None else str(self.tax_percent),
            "taxes": list(self.taxes),
            "prices_include_tax": self.prices_include_tax,
            "revenue_account": self.revenue_account,
            "promo_code": self.promo_code,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a stored snapshot."""
        tax = document["tax_percent"]
        return cls(
            total=_read_money(document["total"]),
            lines=tuple(_read_line(line) for line in document["lines"]),
            slices=tuple(_read_slice(part) for part in document["slices"]),
            explain=tuple(document["explain"]),
            billed_minutes=document["billed_minutes"],
            credits_used=Decimal(document["credits_used"]),
            discount=Decimal(document["discount_percent"]),
            tax_percent=None if tax is None else Decimal(tax),
            taxes=tuple(document.get("taxes", ())),
            prices_include_tax=document["prices_include_tax"],
            revenue_account=document["revenue_account"],
            promo_code=document.get("promo_code"),
        )


def _money(money: Money) -> dict[str, Any]:
    return {"amount_minor": money.amount_minor, "currency": money.currency}


def _read_money(document: Mapping[str, Any]) -> Money:
    return Money(document["amount_minor"], document["currency"])


def _line(line: PriceLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_price": _money(line.unit_price),
        "net": _money(line.net),
    }


def _read_line(document: Mapping[str, Any]) -> PriceLine:
    return PriceLine(
        kind=document["kind"],
        description=document["description"],
        quantity=Decimal(document["quantity"]),
        unit_price=_read_money(document["unit_price"]),
        net=_read_money(document["net"]),
    )


def _slice(part: PricedSlice) -> dict[str, Any]:
    return {
        "start": part.start.isoformat(),
        "end": part.end.isoformat(),
        "rate_id": part.rate_id.hex if part.rate_id else None,
        "rate_version": part.rate_version,
        "rate_name": part.rate_name,
    }


def _read_slice(document: Mapping[str, Any]) -> PricedSlice:
    return PricedSlice(
        start=datetime.fromisoformat(document["start"]),
        end=datetime.fromisoformat(document["end"]),
        rate_id=UUID(document["rate_id"]) if document["rate_id"] else None,
        rate_version=document["rate_version"],
        rate_name=document["rate_name"],
    )
