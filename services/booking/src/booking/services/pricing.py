"""Prices from a desk: a quote and the booking that follows it come from the same function (PRI-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from booking.domain.credits import CreditTarget
from booking.domain.intervals import Interval
from booking.domain.price_snapshot import Price
from booking.domain.pricing import ExtraOrder, PriceRequest, price_booking
from booking.services.desk import Desk
from booking.services.grants import ensure_month_grants
from booking.services.wallets import Wallet, open_wallet
from common.clock import local_date
from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.money import Money


@dataclass(frozen=True, slots=True)
class Terms:
    """What beside the time decides about a price: extras, and what staff agreed to (PRI-5)."""

    extras: tuple[ExtraOrder, ...] = ()
    custom_price: Money | None = None
    is_waived: bool = False

    def as_document(self) -> dict[str, Any]:
        """JSON types, to price the booking anew when it is moved."""
        custom = self.custom_price
        return {
            "extras": [{"code": extra.code, "quantity": str(extra.quantity)} for extra in self.extras],
            "custom_price": custom and {"amount_minor": custom.amount_minor, "currency": custom.currency},
            "is_waived": self.is_waived,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `as_document` wrote."""
        custom = document.get("custom_price")
        return cls(
            tuple(ExtraOrder(extra["code"], Decimal(extra["quantity"])) for extra in document.get("extras", ())),
            Money(custom["amount_minor"], custom["currency"]) if custom else None,
            bool(document.get("is_waived", False)),
        )


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
    currency = session.organization.currency
    if terms.custom_price is not None and terms.custom_price.currency != currency:
        detail = f"prices are in {currency} here"
        raise InvalidError("currency_mismatch", detail, errors=[FieldError("/custom_price", detail)])
    day = local_date(interval.start, desk.zone)
    return price_booking(
        PriceRequest(
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
        )
    )


def target_of(desk: Desk, interval: Interval) -> CreditTarget:
    """What credits would be spent on; a credit belongs to the month of the meeting (CRD-1)."""
    return CreditTarget(desk.resource_id, desk.type, desk.location_id, local_date(interval.start, desk.zone))


def reserve_credits(desk: Desk, booking_id: UUID, interval: Interval, price: Price, wallet: Wallet | None) -> None:
    """Set aside the credits that a price counted on."""
    if wallet is not None and price.credits_used > 0:
        wallet.reserve(booking_id, target_of(desk, interval), price.credits_used)
