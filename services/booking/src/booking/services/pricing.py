"""Prices from a desk: a quote and the booking that follows it come from the same function (PRI-1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from booking.domain.credits import CreditTarget
from booking.domain.intervals import Interval
from booking.domain.price_snapshot import Price
from booking.domain.pricing import ExtraOrder, PriceRequest, price_booking, price_extras
from booking.domain.promotions import Promotion
from booking.services.desk import Desk
from booking.services.grants import ensure_month_grants
from booking.services.wallets import Wallet, open_wallet
from common.clock import local_date
from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.money import Money


@dataclass(frozen=True, slots=True)
class Terms:
    """What beside the time decides about a price: extras, a promo code, and what staff agreed to (PRI-5).

    What somebody booked ``as_stranger`` stays at strangers' prices when it is moved (GH-1).
    """

    extras: tuple[ExtraOrder, ...] = ()
    custom_price: Money | None = None
    is_waived: bool = False
    promotion: Promotion | None = None
    as_stranger: bool = False

    def as_document(self) -> dict[str, Any]:
        """JSON types, to price the booking anew when it is moved."""
        custom = self.custom_price
        return {
            "extras": [{"code": extra.code, "quantity": str(extra.quantity)} for extra in self.extras],
            "custom_price": custom and {"amount_minor": custom.amount_minor, "currency": custom.currency},
            "is_waived": self.is_waived,
            "promotion": self.promotion and self.promotion.as_document(),
            "as_stranger": self.as_stranger,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `as_document` wrote."""
        custom, promotion = document.get("custom_price"), document.get("promotion")
        return cls(
            tuple(ExtraOrder(extra["code"], Decimal(extra["quantity"])) for extra in document.get("extras", ())),
            Money(custom["amount_minor"], custom["currency"]) if custom else None,
            bool(document.get("is_waived", False)),
            Promotion.from_document(promotion) if promotion else None,
            bool(document.get("as_stranger", False)),
        )

    def at(self, desk: Desk) -> Self:
        """The terms at a place: a promo code that is not for it no longer counts."""
        promotion = self.promotion
        if promotion is None or promotion.scope.fits(desk.resource_id, desk.type, desk.location_id):
            return self
        return replace(self, promotion=None)

    def kept_with(self, price: Price) -> Self:
        """The terms as a booking keeps them: without a promo code that took nothing off."""
        return self if price.promo_code else replace(self, promotion=None)

    def shared(self, price: Price) -> tuple[Self, Self]:
        """The terms of one date of a series with this price, and those of the dates after it."""
        if self.promotion is None:
            return self, self
        off = price.promotion_off
        own = replace(self, promotion=self.promotion.limited_to(off)).kept_with(price)
        return own, replace(self, promotion=self.promotion.after(off))


def wallet_for(
    session: TenantSession, desk: Desk, intervals: Sequence[Interval], *, lock: bool, is_personal: bool = False
) -> Wallet | None:
    """The credits that may be spent on meetings; None when the customer has none (then nothing is locked).

    What is personal is not paid by the company, and so not with its credits either (BIL-5).
    """
    if not desk.has_grants:
        return None
    days = [local_date(interval.start, desk.zone) for interval in intervals]
    months = sorted({day.replace(day=1) for day in days})
    if any(holding.grants_credits for holding in desk.holdings):
        ensure_month_grants(session, desk.member_id, desk.company_id, months)
    return open_wallet(
        session,
        member_id=desk.member_id,
        company_id=None if is_personal else desk.company_id,
        days=(min(days), max(days)),
        lock=lock,
    )


def price_of(session: TenantSession, desk: Desk, interval: Interval, terms: Terms, wallet: Wallet | None) -> Price:
    """The price of one occurrence. Raises InvalidError: those of `price_booking`, ``currency_mismatch``."""
    return price_booking(_request(session, desk, interval, terms, wallet))


def price_with_extras(session: TenantSession, desk: Desk, interval: Interval, terms: Terms, agreed: Price) -> Price:
    """An agreed price with the extras of ``terms``. Raises InvalidError: those of `price_extras`."""
    return price_extras(agreed, _request(session, desk, interval, terms, None))


def _request(
    session: TenantSession, desk: Desk, interval: Interval, terms: Terms, wallet: Wallet | None
) -> PriceRequest:
    currency = session.organization.currency
    if terms.custom_price is not None and terms.custom_price.currency != currency:
        detail = f"prices are in {currency} here"
        raise InvalidError("currency_mismatch", detail, errors=[FieldError("/custom_price", detail)])
    day = local_date(interval.start, desk.zone)
    return PriceRequest(
        interval=interval,
        resource_id=desk.resource_id,
        resource_type=desk.type,
        calendar=desk.calendar,
        rates=desk.rates,
        currency=currency,
        buyer=desk.buyer_on(day.isoformat()),
        extras=terms.extras,
        discount_percent=desk.discount_on(day.isoformat()),
        credits_available=wallet.available(target_of(desk, interval)) if wallet else Decimal(0),
        is_free=desk.is_free,
        custom_price=terms.custom_price,
        waived=terms.is_waived,
        promotion=terms.promotion,
    )


def priced_dates(
    session: TenantSession, desk: Desk, intervals: Sequence[Interval], terms: Terms, wallet: Wallet | None
) -> Iterator[tuple[Price, Terms]]:
    """The price of each date and the terms to keep with it; set the credits of one aside before asking for the next."""
    for interval in intervals[:-1]:
        price = price_of(session, desk, interval, terms, wallet)
        own, terms = terms.shared(price)
        yield price, own
    price = price_of(session, desk, intervals[-1], terms, wallet)
    yield price, terms.kept_with(price)


def target_of(desk: Desk, interval: Interval) -> CreditTarget:
    """What credits would be spent on; a credit belongs to the month of the meeting (CRD-1)."""
    return CreditTarget(desk.resource_id, desk.type, desk.location_id, local_date(interval.start, desk.zone))


def reserve_credits(desk: Desk, booking_id: UUID, interval: Interval, price: Price, wallet: Wallet | None) -> None:
    """Set aside the credits that a price counted on."""
    if wallet is not None and price.credits_used > 0:
        wallet.reserve(booking_id, target_of(desk, interval), price.credits_used)
