"""Money by gateway and period, by our own records; `payout_report` holds it against the providers' payouts."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from common.clock import end_of_day, start_of_day
from common.db import TenantSession
from common.errors import InvalidError
from common.money import Money
from payments.models import Payment


def reconcile(session: TenantSession, start: date, end: date, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Sums of the payments that occurred from ``start`` to ``end`` (inclusive, the organisation's zone), by gateway.

    Only of those that meet the ``conditions``.
    ``unsettled`` counts those whose end is still open. Raises InvalidError when the period ends before it starts.
    """
    if end < start:
        raise InvalidError("period_invalid", "end must not be before start")
    zone, currency = session.organization.timezone, session.organization.currency
    taken = Payment.charge == "SUCCEEDED"
    # A chargeback takes what was not given back before, so that the net is what came in less the two.
    left = Payment.amount_minor - Payment.refunded_minor
    statement = (
        select(
            Payment.gateway_id,
            Payment.provider,
            func.coalesce(func.sum(case((taken, Payment.amount_minor), else_=0)), 0),
            func.coalesce(func.sum(case((taken, Payment.refunded_minor), else_=0)), 0),
            func.coalesce(func.sum(case((Payment.state == "disputed", left), else_=0)), 0),
            func.coalesce(func.sum(case((taken, Payment.kept_minor), else_=0)), 0),
            func.count().filter(taken),
            func.count().filter(Payment.running),
        )
        .where(
            Payment.organization_id == session.organization_id,
            Payment.currency == currency,
            Payment.occurred_at >= start_of_day(start, zone),
            Payment.occurred_at < end_of_day(end, zone),
            Payment.provider != "none",
            *conditions,
        )
        .group_by(Payment.gateway_id, Payment.provider)
        .order_by(Payment.provider, Payment.gateway_id)
    )
    return [_line(row, currency) for row in session.execute(statement)]


def _line(row: Any, currency: str) -> dict[str, Any]:
    gateway_id, provider, collected, refunded, disputed, net, count, unsettled = row
    return {
        "gateway_id": gateway_id,
        "provider": provider,
        "collected": Money(int(collected), currency),
        "refunded": Money(int(refunded), currency),
        "disputed": Money(int(disputed), currency),
        "net": Money(int(net), currency),
        "payments": count,
        "unsettled": unsettled,
    }
