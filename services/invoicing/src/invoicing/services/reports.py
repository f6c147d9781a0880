"""Reports: revenue, receivables by age, recurring revenue and churn, unbilled items, deposits held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, not_, or_, select
from sqlalchemy.orm import aliased

from common.db import TenantSession
from common.money import Money, round_half_up
from invoicing.domain.periods import Anchor
from invoicing.domain.plan_changes import yearly_amount
from invoicing.domain.totals import LineInput, line_minor
from invoicing.models import (
    CreditNote,
    CreditNoteLine,
    Customer,
    Deposit,
    DepositEntry,
    Fee,
    Invoice,
    InvoiceLine,
    Membership,
)
from invoicing.services.membership_statuses import is_paused

AGES = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
OLDEST = "days_over_90"
_ISSUED = ("open", "paid", "uncollectible")
_ANY_DAY = date(2000, 1, 1)  # what recurs in a year does not depend on where its periods begin


@dataclass(frozen=True, slots=True)
class RevenueRow:
    """What was invoiced, less what was credited, in a month on an account. Deposits are held and no revenue, until they
    are ``forfeited``."""

    month: str
    revenue_account: str
    invoiced: Money
    credited: Money
    forfeited: Money

    @property
    def net(self) -> Money:
        """Invoiced less credited, and what was kept of deposits."""
        return self.invoiced - self.credited + self.forfeited


def revenue(session: TenantSession, since: date, until: date) -> list[RevenueRow]:
    """Net revenue by month of issue and account, from ``since`` to ``until``, both included."""
    parts = [each(session, since, until) for each in (_by_month, _credited_by_month, _forfeited_by_month)]
    zero = Money(0, session.organization.currency)
    keys = sorted({key for part in parts for key in part})
    return [RevenueRow(*key, *(part.get(key, zero) for part in parts)) for key in keys]


def _month(column: Any) -> ColumnElement[str]:
    return func.to_char(column, "YYYY-MM")


def _by_month(session: TenantSession, since: date, until: date) -> dict[tuple[str, str], Money]:
    month, account = _month(Invoice.issue_date), func.coalesce(InvoiceLine.revenue_account, "")
    statement = (
        select(month, account, func.sum(InvoiceLine.net_minor))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.state.in_(_ISSUED), Invoice.issue_date.between(since, until))
        .where(InvoiceLine.is_refundable.is_(False))
        .group_by(month, account)
    )
    return _as_money(session, statement)


def _credited_by_month(session: TenantSession, since: date, until: date) -> dict[tuple[str, str], Money]:
    month, account = _month(CreditNote.issue_date), func.coalesce(InvoiceLine.revenue_account, "")
    statement = (
        select(month, account, func.sum(CreditNoteLine.net_minor))
        .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        .join(InvoiceLine, InvoiceLine.id == CreditNoteLine.invoice_line_id)
        .where(CreditNote.issue_date.between(since, until), InvoiceLine.is_refundable.is_(False))
        .group_by(month, account)
    )
    return _as_money(session, statement)


def _forfeited_by_month(session: TenantSession, since: date, until: date) -> dict[tuple[str, str], Money]:
    """What was kept of deposits, on the accounts of what they were asked with."""
    month, account = _month(DepositEntry.dated), func.coalesce(InvoiceLine.revenue_account, "")
    statement = (
        select(month, account, -func.sum(DepositEntry.amount_minor))
        .join(Deposit, Deposit.id == DepositEntry.deposit_id)
        .join(InvoiceLine, InvoiceLine.id == Deposit.invoice_line_id)
        .where(DepositEntry.kind == "forfeited", DepositEntry.dated.between(since, until))
        .group_by(month, account)
    )
    return _as_money(session, statement)


def _as_money(session: TenantSession, statement: Any) -> dict[tuple[str, str], Money]:
    currency = session.organization.currency
    return {(month, account): Money(int(net), currency) for month, account, net in session.execute(statement)}


def receivables(session: TenantSession, today: date) -> list[dict[str, Any]]:
    """What each customer owes, by days since the due date; the largest debt first."""
    currency, days = session.organization.currency, literal(today) - Invoice.due_date
    sums = [func.coalesce(func.sum(Invoice.payable_minor).filter(age), 0) for age in _ages(days)]
    total = func.sum(Invoice.payable_minor)
    payer = (Invoice.payer_id, Invoice.member_id, Invoice.company_id, Customer.name)
    statement = (
        select(*payer, total, *sums)
        .join(Customer, Customer.id == Invoice.payer_id)
        .where(Invoice.state == "open", Invoice.payable_minor > 0)
        .group_by(*payer)
        .order_by(total.desc(), Invoice.payer_id)
    )
    names = ("total", *(name for _, name in AGES), OLDEST)
    return [
        {"member_id": member_id, "company_id": company_id, "name": name}
        | {key: Money(int(minor), currency) for key, minor in zip(names, minors, strict=True)}
        for _, member_id, company_id, name, *minors in session.execute(statement)
    ]


def _ages(days: Any) -> Iterator[ColumnElement[bool]]:
    """The conditions of the ages, in their order."""
    above = None
    for most, _ in AGES:
        yield days <= most if above is None else and_(days > above, days <= most)
        above = most
    yield days > above


def _names(session: TenantSession, ids: Iterable[Any]) -> dict[Any, str]:
    statement = select(Customer.id, Customer.name).where(Customer.id.in_(list(ids)))
    return {row.id: row.name for row in session.execute(statement)}


def recurring_revenue(session: TenantSession, since: date, today: date) -> dict[str, Any]:
    """Monthly recurring revenue today, and what of it came and went from ``since`` to today.

    A yearly plan counts a twelfth, a weekly one its mean month; what is paused today counts nothing, and is not lost
    either; plan changes count as neither new nor lost.
    Memberships of one price are counted together, and each counts rounded by itself.
    """
    rows = session.execute(_recurring_counts(since, today)).all()
    numbers = {name: sum(getattr(row, name) for row in rows) for name in ("active", "new", "lost", "at_start")}
    mrr = {name: _monthly(session, rows, name) for name in ("active", "new", "lost")}
    at_start = numbers["at_start"]
    churn = (Decimal(numbers["lost"]) * 100 / at_start).quantize(Decimal("0.01")) if at_start else Decimal(0)
    return {
        "as_of": today,
        "since": since,
        "mrr": mrr["active"],
        "new_mrr": mrr["new"],
        "lost_mrr": mrr["lost"],
        "active_memberships": numbers["active"],
        "new_memberships": numbers["new"],
        "ended_memberships": numbers["lost"],
        "churn_percent": churn,
    }


def _recurring_counts(since: date, today: date) -> Any:
    """How many memberships of each price run today, came and went."""
    terms: tuple[Any, ...] = (
        Membership.price_minor,
        Membership.quantity,
        Membership.discount_percent,
        Membership.interval,
        Membership.interval_count,
    )
    successor = aliased(Membership)
    replaced = (
        select(successor.replaces_id)
        .where(successor.replaces_id.is_not(None), _ran_between(successor, since, today))
        .distinct()
        .subquery()
    )
    runs = or_(Membership.end_date.is_(None), Membership.end_date >= today)
    ended = and_(Membership.end_date >= since, Membership.end_date < today)
    counted = {
        "active": and_(runs, not_(is_paused(today))),
        "new": and_(runs, Membership.start_date >= since, Membership.replaces_id.is_(None)),
        "lost": and_(ended, replaced.c.replaces_id.is_(None)),
        "at_start": Membership.start_date < since,
    }
    return (
        select(*terms, *(func.count().filter(which).label(name) for name, which in counted.items()))
        .outerjoin(replaced, replaced.c.replaces_id == Membership.id)
        .where(_ran_between(Membership, since, today))
        .group_by(*terms)
    )


def _ran_between(membership: Any, since: date, until: date) -> ColumnElement[bool]:
    ends_later = or_(membership.end_date.is_(None), membership.end_date >= since)
    ran = or_(membership.end_date.is_(None), membership.end_date >= membership.start_date)
    return and_(membership.start_date <= until, ends_later, ran)


def _monthly(session: TenantSession, rows: Iterable[Any], name: str) -> Money:
    currency, total = session.organization.currency, 0
    for row in rows:
        price, anchor = Money(row.price_minor, currency), Anchor(_ANY_DAY, row.interval, row.interval_count)
        yearly = yearly_amount(price, row.quantity, row.discount_percent, anchor)
        total += round_half_up(yearly / 12) * getattr(row, name)
    return Money(total, currency)


def unbilled_items(session: TenantSession) -> list[dict[str, Any]]:
    """Fees and bookings that wait for an invoice, oldest first."""
    statement = select(Fee).where(Fee.status == "unbilled").order_by(Fee.dated, Fee.id).limit(5000)
    fees = session.scalars(statement).all()
    names = _names(session, {fee.payer_id for fee in fees})
    return [
        {
            "id": fee.id,
            "date": fee.dated,
            "member_id": fee.member_id,
            "company_id": fee.company_id,
            "customer": names.get(fee.payer_id, ""),
            "name": fee.name,
            "source": fee.source,
            "amount": _amount(fee),
            "next_invoice_on": fee.issue_on,
        }
        for fee in fees
    ]


def _amount(fee: Fee) -> Money:
    """What a fee will cost after its own discounts, in its price mode."""
    fixed = None if fee.amount_minor is None else Money(fee.amount_minor, fee.currency)
    off = Money(fee.discount_minor, fee.currency) if fee.discount_minor else None
    line = LineInput(fee.price, fee.quantity, fee.discount_percent, off, amount=fixed)
    return Money(line_minor(line, fee.currency), fee.currency)


def deposits_held(session: TenantSession) -> list[dict[str, Any]]:
    """Deposits of which something is held."""
    deposits = session.scalars(select(Deposit).where(Deposit.held_minor > 0).order_by(Deposit.id).limit(5000)).all()
    names = _names(session, {deposit.payer_id for deposit in deposits})
    return [
        {
            "id": deposit.id,
            "customer": names.get(deposit.payer_id, ""),
            "name": deposit.name,
            "amount": deposit.amount,
            "held": deposit.held,
            "since": deposit.created_at.date(),
        }
        for deposit in deposits
    ]
