"""The price of a booking (PRI-1 to PRI-5): preview, charge and invoice all come from `price_booking`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from booking.domain.intervals import Interval
from booking.domain.opening_hours import LocationCalendar
from booking.domain.price_cover import CheapestCover, Timeline
from booking.domain.price_credits import CreditUse, cheapest_with_credits
from booking.domain.price_lines import extra_lines, time_lines
from booking.domain.price_slices import Slice, cut
from booking.domain.price_snapshot import Price, PricedSlice, PriceLine
from booking.domain.price_wording import amount, hours, plain, span
from booking.domain.promotions import Promotion
from booking.domain.rates import Buyer, Rate, Unit, applicable_rates
from common.clock import local_date
from common.errors import InvalidError
from common.money import Money

_MINUTE = timedelta(minutes=1)
_LARGEST = 10**15  # minor units: far from what the database and the invoices of many bookings can hold
_BESIDE_TIME = ("extra", "promotion")


@dataclass(frozen=True, slots=True)
class ExtraOrder:
    """So many of an extra that the rate offers."""

    code: str
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """All that a price depends on.

    ``discount_percent`` comes from the buyer's plan and is off the time, not off extras. ``credits_available`` are
    hours that the buyer's grants hold for this resource in the month of the meeting; 0 leaves credits alone.
    ``promotion`` is off all of it, extras too, after the plan's discount (TAX-4).
    Staff may set ``custom_price`` for the time, or ``waived`` for everything (PRI-5).
    """

    interval: Interval
    resource_id: UUID
    resource_type: str
    calendar: LocationCalendar
    rates: Sequence[Rate]
    currency: str
    buyer: Buyer = field(default_factory=Buyer)
    extras: tuple[ExtraOrder, ...] = ()
    discount_percent: Decimal = Decimal(0)
    credits_available: Decimal = Decimal(0)
    is_free: bool = False
    custom_price: Money | None = None
    waived: bool = False
    promotion: Promotion | None = None


def price_booking(request: PriceRequest) -> Price:
    """The price snapshot of a booking.

    Raises InvalidError: ``no_rate`` when some of the time has no price and the resource is not free,
    ``unknown_extra``, ``discount_invalid``, ``price_currency``, ``price_too_large``.
    """
    rates = _rates(request)
    return _complete(_time_price(request, rates), request, rates)


def price_extras(agreed: Price, request: PriceRequest) -> Price:
    """The price of a booking that gets other extras: its time costs what was agreed (PRI-1), extras what they cost now.

    Raises InvalidError ``unknown_extra``, ``price_currency``, ``price_too_large``.
    """
    return _complete(_time_of(agreed), request, _rates(request))


def _rates(request: PriceRequest) -> Sequence[Rate]:
    rates = applicable_rates(request.rates, request.resource_id, request.resource_type, request.buyer)
    _check(request, rates)
    return rates


def _complete(time: Price, request: PriceRequest, rates: Sequence[Rate]) -> Price:
    """The price of the time with extras and promo code."""
    day = local_date(request.interval.start, request.calendar.zone)
    ordered = extra_lines([(order.code, order.quantity) for order in request.extras], rates, day)
    if request.waived:
        return replace(time, total=Money.zero(request.currency), lines=(), explain=("Free of charge, by staff.",))
    promoted = _promotion_lines((*time.lines, *ordered), request)
    lines = (*time.lines, *ordered, *promoted)
    total = Money.total((line.net for line in lines), request.currency)
    if total.amount_minor > _LARGEST:
        raise InvalidError("price_too_large", "This costs more than can be charged.")
    explain = (*time.explain, *_sentences((*ordered, *promoted)), _sum(total))
    promo_code = request.promotion.code if request.promotion and promoted else None
    return replace(time, total=total, lines=lines, explain=explain, promo_code=promo_code)


def _time_of(agreed: Price) -> Price:
    """An agreed price without extras, promo code and total."""
    rest = [line for line in agreed.lines if line.kind in _BESIDE_TIME]
    said = {*_sentences(rest), _sum(agreed.total)}
    return replace(
        agreed,
        lines=tuple(line for line in agreed.lines if line.kind not in _BESIDE_TIME),
        explain=tuple(sentence for sentence in agreed.explain if sentence not in said),
    )


def _sentences(lines: Iterable[PriceLine]) -> list[str]:
    return [f"{line.description}: {amount(line.net)}." for line in lines]


def _sum(total: Money) -> str:
    return f"Total: {amount(total)}."


def _check(request: PriceRequest, rates: Sequence[Rate]) -> None:
    if not 0 <= request.discount_percent <= 100:
        raise InvalidError("discount_invalid", "A discount is between 0 and 100 per cent.")
    prices = [price.price for rate in rates for price in rate.prices]
    prices += [extra.price for rate in rates for extra in rate.extras]
    if request.custom_price is not None:
        prices.append(request.custom_price)
    if request.promotion is not None and request.promotion.amount is not None:
        prices.append(request.promotion.amount)
    if any(price.currency != request.currency for price in prices):
        raise InvalidError("price_currency", f"The price must be in {request.currency}.")
    if request.custom_price is not None and request.custom_price.amount_minor < 0:
        raise InvalidError("price_negative", "A price cannot be negative.")


def _time_price(request: PriceRequest, rates: Sequence[Rate]) -> Price:
    if request.waived or request.is_free or request.custom_price is not None:
        return _without_rates(request, rates)
    window, slices = _sliced(request, rates)
    return _covered(request, window, slices)


def _without_rates(request: PriceRequest, rates: Sequence[Rate]) -> Price:
    """The time of a free resource, or at a price that staff set."""
    price = request.custom_price
    lines = () if price is None else (PriceLine("custom", "Booking, agreed price", Decimal(1), price, price),)
    sentence = "This resource is free." if price is None else f"Agreed price: {amount(price)}."
    return Price(
        total=Money.zero(request.currency),
        lines=lines,
        slices=(PricedSlice(request.interval.start, request.interval.end, None, None, ""),),
        explain=(sentence,),
        billed_minutes=-(-request.interval.duration // _MINUTE),
        **_tax(rates[0] if rates else None),
    )


def _sliced(request: PriceRequest, rates: Sequence[Rate]) -> tuple[Interval, list[Slice]]:
    """The billed time (PRI-2: rounded up to the charge slot of the rate at the start) and its slices, and a bit more.

    The slices go on for one charge slot, because a slot that follows a half-day may end after the booking.
    """
    start = request.interval.start.replace(second=0, microsecond=0)
    beyond = max((rate.charge_slot_minutes for rate in rates), default=1) * _MINUTE
    slices = cut(Interval(start, request.interval.end + 2 * beyond), request.calendar, rates)
    slot = (slices[0].rate.charge_slot_minutes if slices[0].rate else 1) * _MINUTE
    window = Interval(start, start + -(-request.interval.duration // slot) * slot)
    if any(part.rate is None for part in slices if start + part.start * _MINUTE < window.end):
        raise InvalidError("no_rate", "There is no price for this resource at this time.")
    return window, slices


def _covered(request: PriceRequest, window: Interval, slices: list[Slice]) -> Price:
    minutes = window.duration // _MINUTE
    timeline = Timeline(window.start, request.calendar, slices)
    cover = CheapestCover(timeline, minutes)
    use = cheapest_with_credits(timeline, cover, minutes, int(request.credits_available * 60))
    lines = time_lines(timeline, cover.pieces(use.paid_minutes), request.currency)
    explain = [*_rate_sentences(slices, minutes), *_duration_sentences(request, minutes)]
    explain += [f"{line.description} × {amount(line.unit_price)} = {amount(line.net)}." for line in lines]
    explain += _alternative(timeline, cover, minutes, use, request.currency)
    lines += _credit_lines(use, request.currency) + _discount_lines(lines, request)
    explain += _sentences(line for line in lines if line.kind in ("credits", "discount"))
    return Price(
        total=Money.total((line.net for line in lines), request.currency),
        lines=tuple(lines),
        slices=tuple(_priced_slice(part, window) for part in slices if part.start < minutes),
        explain=tuple(explain),
        billed_minutes=minutes,
        credits_used=use.hours,
        discount=request.discount_percent,
        **_tax(slices[0].rate),
    )


def _rate_sentences(slices: Sequence[Slice], minutes: int) -> list[str]:
    names = dict.fromkeys(part.rate.name for part in slices if part.rate and part.start < minutes)
    return [f"Rate: {', '.join(names)}."]


def _duration_sentences(request: PriceRequest, minutes: int) -> list[str]:
    asked = -(-request.interval.duration // _MINUTE)
    return [] if asked == minutes else [f"{span(asked)} rounded up to {span(minutes)}, the charge slot."]


def _alternative(timeline: Timeline, cover: CheapestCover, minutes: int, use: CreditUse, currency: str) -> list[str]:
    """Says what the hours alone would have cost when another unit is cheaper (PRI-3)."""
    parts = list(timeline.hourly_parts(0, minutes))
    if use.hours or sum(length for _, length in parts) < minutes:
        return []
    by_hour = sum(part.prices[Unit.HOUR].price.amount_minor * length for part, length in parts)
    if by_hour <= cover.cost(minutes):
        return []
    return [f"By the hour it would be {amount(Money(by_hour, currency).times(Fraction(1, 60)))}."]


def _credit_lines(use: CreditUse, currency: str) -> list[PriceLine]:
    if not use.hours:
        return []
    zero = Money.zero(currency)
    text = f"{use.hours} {'credit' if use.hours == 1 else 'credits'} for {hours(use.covered_minutes)} h"
    return [PriceLine("credits", text, use.hours, zero, zero)]


def _discount_lines(lines: Sequence[PriceLine], request: PriceRequest) -> list[PriceLine]:
    percent = request.discount_percent
    if not percent:
        return []
    off = -Money.total((line.net for line in lines), request.currency).times(percent / 100)
    return [PriceLine("discount", f"Discount {plain(percent)} %", Decimal(1), off, off)] if off else []


def _promotion_lines(lines: Sequence[PriceLine], request: PriceRequest) -> list[PriceLine]:
    """What the promo code takes off; no line when there is nothing to take it from."""
    promotion = request.promotion
    if promotion is None:
        return []
    off = -promotion.off(Money.total((line.net for line in lines), request.currency))
    share = "" if promotion.percent is None else f", {plain(promotion.percent)} %"
    return [PriceLine("promotion", f"Promo code {promotion.code}{share}", Decimal(1), off, off)] if off else []


def _priced_slice(part: Slice, window: Interval) -> PricedSlice:
    start, end = (window.start + minute * _MINUTE for minute in (part.start, part.end))
    rate, end = part.rate, min(end, window.end)
    return (
        PricedSlice(start, end, rate.id, rate.version, rate.name) if rate else PricedSlice(start, end, None, None, "")
    )


def _tax(rate: Rate | None) -> dict[str, Any]:
    """The tax settings of the rate at the start; without one they are left to the invoice (TAX-1)."""
    if rate is None:
        return {}
    return {
        "tax_percent": rate.tax_percent,
        "taxes": rate.taxes,
        "prices_include_tax": rate.prices_include_tax,
        "revenue_account": rate.revenue_account,
    }
