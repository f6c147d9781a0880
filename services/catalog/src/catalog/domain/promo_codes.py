"""What a promo code must fulfil (GH-3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from common.errors import FieldError, InvalidError

SCOPE_KINDS = ("booking", "plan", "pass")


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


def check_validity(valid_from: date | None, valid_until: date | None) -> None:
    """``valid_until`` is the last day. Raises InvalidError ``validity_reversed``."""
    if valid_from and valid_until and valid_until < valid_from:
        raise _refusal("validity_reversed", "valid_until", "must not be before valid_from")


def _refusal(code: str, field: str, detail: str) -> InvalidError:
    return InvalidError(code, detail, errors=[FieldError(f"/{field}", detail)])
