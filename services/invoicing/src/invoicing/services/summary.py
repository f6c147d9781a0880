"""The figures of a dashboard in one look: added up by the database, whatever the number of customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from common.db import TenantSession
from common.money import Money
from invoicing.models import Invoice
from invoicing.services.reports import recurring_revenue, revenue

MONTHS = 6


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """Net revenue of a month, all accounts together."""

    month: str
    net: Money


@dataclass(frozen=True, slots=True)
class Summary:
    """What recurs each month, what is owed, of it overdue, and the net revenue of the last months."""

    mrr: Money
    active_memberships: int
    receivable: Money
    overdue: Money
    overdue_invoices: int
    revenue: list[MonthRevenue]


def summary(session: TenantSession, today: date) -> Summary:
    """The organisation's figures on a day."""
    recurring = recurring_revenue(session, today, today)
    receivable, overdue, number = _owed(session, today)
    running = recurring["active_memberships"]
    return Summary(recurring["mrr"], running, receivable, overdue, number, _revenue(session, today))


def _owed(session: TenantSession, today: date) -> tuple[Money, Money, int]:
    """All that is open, what of it is overdue, and how many invoices that are."""
    late = Invoice.due_date < today
    owed = func.coalesce(func.sum(Invoice.payable_minor), 0)
    overdue = func.coalesce(func.sum(Invoice.payable_minor).filter(late), 0)
    statement = select(owed, overdue, func.count().filter(late))
    total, of_it, number = session.execute(statement.where(Invoice.state == "open", Invoice.payable_minor > 0)).one()
    currency = session.organization.currency
    return Money(int(total), currency), Money(int(of_it), currency), number


def _revenue(session: TenantSession, today: date) -> list[MonthRevenue]:
    months = [_months_before(today, number) for number in reversed(range(MONTHS))]
    zero = Money(0, session.organization.currency)
    sums = {first.strftime("%Y-%m"): zero for first in months}
    for row in revenue(session, months[0], today):
        sums[row.month] += row.net
    return [MonthRevenue(month, net) for month, net in sums.items()]


def _months_before(today: date, number: int) -> date:
    """The first day of an earlier month."""
    month = today.year * 12 + today.month - 1 - number
    return date(month // 12, month % 12 + 1, 1)
