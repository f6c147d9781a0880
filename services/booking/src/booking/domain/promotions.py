"""Promo codes on bookings (GH-3): what a code is good for, and what it takes off a price before tax (TAX-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from common.errors import FieldError, InvalidError
from common.money import Money


@dataclass(frozen=True, slots=True)
class PromoScope:
    """Bookings that fit every list that is not empty."""

    resource_ids: frozenset[str] = frozenset()
    resource_types: frozenset[str] = frozenset()
    location_ids: frozenset[str] = frozenset()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a promo code's scope."""
        return cls(*(frozenset(document.get(name) or ()) for name in _LISTS))

    def as_document(self) -> dict[str, list[str]]:
        """JSON types; `from_document` reads them back."""
        return {name: sorted(getattr(self, name)) for name in _LISTS}

    def fits(self, resource_id: UUID, resource_type: str, location_id: UUID) -> bool:
        """Whether a resource is within the scope."""
        wanted = (
            (str(resource_id), self.resource_ids),
            (resource_type, self.resource_types),
            (str(location_id), self.location_ids),
        )
        return all(not listed or value in listed for value, listed in wanted)


_LISTS = ("resource_ids", "resource_types", "location_ids")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promo code as it was when a booking was made: either ``percent`` or ``amount``."""

    promo_code_id: UUID
    code: str
    percent: Decimal | None = None
    amount: Money | None = None
    scope: PromoScope = PromoScope()

    def off(self, price: Money) -> Money:
        """What is taken off a price: rounded half up once, and never more than there is."""
        if self.amount is not None:
            return min(self.amount, price)
        return price.times((self.percent or Decimal(0)) / 100)

    def limited_to(self, off: Money) -> Promotion:
        """The part of the code that a date of a series has used; a percentage has no parts."""
        return self if self.amount is None else replace(self, amount=off)

    def after(self, off: Money) -> Promotion | None:
        """What is left of the code for the next date of a series; None when it is used."""
        if self.amount is None:
            return self
        rest = self.amount - off
        return replace(self, amount=rest) if rest else None

    def as_document(self) -> dict[str, Any]:
        """JSON types, kept with the booking to price it anew."""
        amount = self.amount
        return {
            "promo_code_id": self.promo_code_id.hex,
            "code": self.code,
            "percent": None if self.percent is None else str(self.percent),
            "amount": amount and {"amount_minor": amount.amount_minor, "currency": amount.currency},
            "scope": self.scope.as_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `as_document` wrote, or a promo code's own state."""
        percent, amount = document.get("percent"), document.get("amount")
        return cls(
            UUID(document["promo_code_id"]),
            document["code"].upper(),
            None if percent is None else Decimal(percent),
            Money(amount["amount_minor"], amount["currency"]) if amount else None,
            PromoScope.from_document(document.get("scope") or {}),
        )


def check_promo_code(state: Mapping[str, Any], today: date) -> None:
    """Whether a code counts for bookings on a day, by its copy's state.

    Raises InvalidError ``promo_code_not_applicable``, ``promo_code_not_yet_valid``, ``promo_code_expired``.
    """
    if not _is_for_bookings(state):
        raise refusal("promo_code_not_applicable", "this promo code is not for bookings")
    if state.get("valid_from") and today.isoformat() < state["valid_from"]:
        raise refusal("promo_code_not_yet_valid", "this promo code is not valid yet")
    if state.get("valid_until") and today.isoformat() > state["valid_until"]:
        raise refusal("promo_code_expired", "this promo code is no longer valid")


def _is_for_bookings(state: Mapping[str, Any]) -> bool:
    """A code without kinds is good for those of what it lists; with a limit it is for purchases, or for bookings alone.

    Copies from before codes named their kinds have none (docs/decisions/0009).
    """
    scope = state.get("scope") or {}
    if scope.get("kinds"):
        return "booking" in scope["kinds"]
    lists_bookings = bool(scope.get("resource_ids") or scope.get("resource_types"))
    if scope.get("plan_ids"):
        return lists_bookings and not _is_limited(state)
    return lists_bookings or not _is_limited(state)


def _is_limited(state: Mapping[str, Any]) -> bool:
    return any(state.get(name) is not None for name in ("max_uses", "max_uses_per_customer"))


def refusal(code: str, detail: str) -> InvalidError:
    """A refusal that points at the code in the request."""
    return InvalidError(code, detail, errors=[FieldError("/promo_code", detail)])
