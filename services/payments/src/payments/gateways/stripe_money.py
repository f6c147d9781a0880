"""Amounts as Stripe counts them, which is not always ISO 4217's minor unit (https://docs.stripe.com/currencies)."""

from __future__ import annotations

from common.money import Money, currency_exponent
from payments.gateways.errors import GatewayRejectedError

_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
# ISK and UGX have no decimals, but Stripe keeps counting them in hundredths for old integrations' sake.
_THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())


def _stripe_exponent(currency: str) -> int:
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def to_stripe_amount(amount: Money) -> int:
    """The integer that Stripe takes for an amount; raises GatewayRejectedError when it cannot take that amount.

    Three-decimal currencies must end in 0 (the least significant digit is not supported).
    """
    ours, theirs = currency_exponent(amount.currency), _stripe_exponent(amount.currency)
    value, rest = divmod(amount.amount_minor * _power(theirs - ours), _power(ours - theirs))
    if rest or (amount.currency in _THREE_DECIMAL and value % 10):
        shown = f"{amount.decimal()} {amount.currency}"
        raise GatewayRejectedError("amount_not_chargeable", f"Stripe cannot charge {shown}")
    return value


def _power(exponent: int) -> int:
    return int("1" + "0" * max(exponent, 0))


def from_stripe_amount(value: int, currency: str) -> Money:
    """The amount behind Stripe's integer; ``currency`` in any case."""
    code = currency.upper()
    ours, theirs = currency_exponent(code), _stripe_exponent(code)
    return Money(value * _power(ours - theirs) // _power(theirs - ours), code)
