"""A period, and what arrived in it as the providers say: sums by gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.money import Money
from payments.models import Gateway, Payout, PayoutFeed

LONGEST_DAYS = 366
_SUMMED = (
    Payout.amount_minor,
    Payout.charged_minor,
    Payout.refunded_minor,
    Payout.disputed_minor,
    Payout.fees_minor,
    Payout.other_minor,
)
_NOT_ITEMISED = func.count(Payout.id).filter(Payout.itemised.is_(False))


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days in the organisation's zone, both included; ``gateway_id`` None is all gateways."""

    first: date
    last: date
    gateway_id: UUID | None = None

    def __post_init__(self) -> None:
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            detail = f"must not be before from, nor more than {LONGEST_DAYS} days after it"
            raise InvalidError("window_invalid", detail, errors=[FieldError("/to", detail)])


@dataclass(frozen=True, slots=True)
class GatewaySummary:
    """One account's payouts in the period, in one currency. ``not_itemised``: payouts nobody can tell the parts of."""

    gateway_id: UUID
    provider: str
    label: str
    fetched_at: datetime | None
    failure_code: str | None
    payouts: int
    not_itemised: int
    paid_out: Money
    charged: Money
    refunded: Money
    disputed: Money
    fees: Money
    other: Money


def arrives(period: Period) -> ColumnElement[bool]:
    """The filter on payouts that arrive in the period."""
    return Payout.arrives_on.between(period.first, period.last)


def summaries(session: TenantSession, period: Period) -> list[GatewaySummary]:
    """What arrived in the period, by gateway and currency, as the providers say; failed payouts did not."""
    arrived = and_(Payout.gateway_id == Gateway.id, arrives(period), Payout.state != "failed")
    sums = [func.coalesce(func.sum(column), 0) for column in _SUMMED]
    statement = (
        select(Gateway, PayoutFeed, Payout.currency, func.count(Payout.id), _NOT_ITEMISED, *sums)
        .join(PayoutFeed, PayoutFeed.id == Gateway.id)
        .outerjoin(Payout, arrived)
        .group_by(Gateway.id, PayoutFeed.id, Payout.currency)
        .order_by(Gateway.provider, Gateway.id, Payout.currency)
    )
    if period.gateway_id is not None:
        statement = statement.where(Gateway.id == period.gateway_id)
    return [_summary(session, *row) for row in session.execute(statement)]


def _summary(
    session: TenantSession,
    gateway: Gateway,
    feed: PayoutFeed,
    currency: str | None,
    count: int,
    not_itemised: int,
    *sums: int,
) -> GatewaySummary:
    amounts = [Money(int(minor), currency or session.organization.currency) for minor in sums]
    facts = (gateway.id, gateway.provider, gateway.label, feed.fetched_at, feed.failure_code, count, not_itemised)
    return GatewaySummary(*facts, *amounts)
