"""What a promo code must fulfil (GH-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from common.errors import FieldError, InvalidError

SCOPE_KINDS = ("booking", "plan", "pass")
_PURCHASES = ("plan", "pass")


def canonical_code(text: str) -> str:
    """The one spelling of a code: in capitals. Codes have ASCII letters only, so this loses nothing."""
    return text.upper()


def check_value(percent: Decimal | None, amount_minor: int | None) -> None:
    """Either a percentage or an amount, and more than nothing. Raises InvalidError ``percent_or_amount``."""
    if (percent is None) == (amount_minor is None):
        raise _refusal("percent_or_amount", "percent", "send either percent or amount")
    if percent == 0 or amount_minor == 0:
        name = "percent" if amount_minor is None else "amount"
        raise _refusal("worth_nothing", name, "a promo code takes something off")


def kinds_of(scope: Mapping[str, Sequence[str]]) -> list[str]:
    """What a code is good for: the kinds it names, else those of the things it lists, else everything."""
    named = scope.get("kinds") or (
        *(_PURCHASES if scope.get("plan_ids") else ()),
        *(("booking",) if scope.get("resource_ids") or scope.get("resource_types") else ()),
    )
    return [kind for kind in SCOPE_KINDS if kind in (named or SCOPE_KINDS)]


def check_counting(scope: Mapping[str, Sequence[str]], *limits: int | None) -> None:
    """A code with a limit is counted in one place: for bookings or for purchases (docs/decisions/0009).

    Raises InvalidError ``limit_over_two_kinds``.
    """
    kinds = kinds_of(scope)
    if any(limit is not None for limit in limits) and "booking" in kinds and len(kinds) > 1:
        detail = "a code with a limit is for bookings or for plans and passes, not for both: make a code for each"
        raise _refusal("limit_over_two_kinds", "scope/kinds", detail)


def check_validity(valid_from: date | None, valid_until: date | None) -> None:
    """``valid_until`` is the last day. Raises InvalidError ``validity_reversed``."""
    if valid_from and valid_until and valid_until < valid_from:
        raise _refusal("validity_reversed", "valid_until", "must not be before valid_from")


def _refusal(code: str, field: str, detail: str) -> InvalidError:
    return InvalidError(code, detail, errors=[FieldError(f"/{field}", detail)])
