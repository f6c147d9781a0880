"""Reports: revenue, receivables by age, recurring revenue and churn, unbilled items, deposits held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from common.db import TenantSession
from common.money import Money, round_half_up
from invoicing.domain.plan_changes import yearly_amount
from invoicing.domain.totals import LineInput, line_minor
from invoicing.models import (
    CreditNote,
    CreditNoteLine,
    Customer,
    Deposit,
    Fee,
    Invoice,
    InvoiceLine,
    Membership,
)

AGES = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"))
OLDEST = "days_over_90"
_ISSUED = ("open", "paid", "uncollectible")


@dataclass(frozen=True, slots=True)
class RevenueRow:
    """What was invoiced, less what was credited, in a month on an account; deposits are held and no revenue."""

    month: str
    revenue_account: str
    invoiced: Money
    credited: Money

    @property
    def net(self) -> Money:
        """Invoiced less credited."""
        return self.invoiced - self.credited


def revenue(session: TenantSession, since: date, until: date) -> list[RevenueRow]:
    """Net revenue by month of issue and account, from ``since`` to ``until``, both included."""
    invoiced = _by_month(session, since, until)
    credited = _credited_by_month(session, since, until)
    zero = Money(0, session.organization.currency)
    return [
        RevenueRow(*key, invoiced.get(key, zero), credited.get(key, zero)) for key in sorted({*invoiced, *credited})
    ]


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


def _as_money(session: TenantSession, statement: Any) -> dict[tuple[str, str], Money]:
    currency = session.organization.currency
    return {(month, account): Money(int(net), currency) for month, account, net in session.execute(statement)}


def receivables(session: TenantSession, today: date) -> list[dict[str, Any]]:
    """What each customer owes, by days since the due date; the largest debt first."""
    currency = session.organization.currency
    statement = (
        select(Invoice.payer_id, Invoice.member_id, Invoice.company_id, Invoice.due_date, Invoice.payable_minor)
        .where(Invoice.state == "open", Invoice.payable_minor > 0)
        .order_by(Invoice.payer_id)
    )
    rows: dict[Any, dict[str, Any]] = {}
    for each in session.execute(statement):
        row = rows.setdefault(each.payer_id, _nothing_owed(each, currency))
        amount = Money(each.payable_minor, currency)
        row[_age((today - each.due_date).days)] += amount
        row["total"] += amount
    names = _names(session, rows)
    for payer_id, row in rows.items():
        row["name"] = names.get(payer_id, "")
    return sorted(rows.values(), key=lambda row: -row["total"].amount_minor)


def _nothing_owed(each: Any, currency: str) -> dict[str, Any]:
    zero = Money(0, currency)
    ages = {name: zero for _, name in AGES} | {OLDEST: zero, "total": zero}
    return {"member_id": each.member_id, "company_id": each.company_id, **ages}


def _age(days: int) -> str:
    return next((name for most, name in AGES if days <= most), OLDEST)


def _names(session: TenantSession, ids: Iterable[Any]) -> dict[Any, str]:
    statement = select(Customer.id, Customer.name).where(Customer.id.in_(list(ids)))
    return {row.id: row.name for row in session.execute(statement)}


def recurring_revenue(session: TenantSession, since: date, today: date) -> dict[str, Any]:
    """Monthly recurring revenue today, and what of it came and went from ``since`` to today.

    A yearly plan counts a twelfth, a weekly one its mean month; plan changes count as neither new nor lost.
    """
    currency = session.organization.currency
    memberships = session.scalars(select(Membership).where(_ran_between(since, today))).all()
    replaced = {membership.replaces_id for membership in memberships}
    active = [m for m in memberships if m.start_date <= today and (m.end_date is None or m.end_date >= today)]
    new = [m for m in active if m.start_date >= since and m.replaces_id is None]
    lost = [m for m in memberships if m.end_date is not None and since <= m.end_date < today and m.id not in replaced]
    at_start = [m for m in memberships if m.start_date < since]
    churn = Decimal(0) if not at_start else (Decimal(len(lost)) * 100 / len(at_start)).quantize(Decimal("0.01"))
    return {
        "as_of": today,
        "since": since,
        "mrr": _monthly(active, currency),
        "new_mrr": _monthly(new, currency),
        "lost_mrr": _monthly(lost, currency),
        "active_memberships": len(active),
        "new_memberships": len(new),
        "ended_memberships": len(lost),
        "churn_percent": churn,
    }


def _ran_between(since: date, until: date) -> ColumnElement[bool]:
    ends_later = or_(Membership.end_date.is_(None), Membership.end_date >= since)
    ran = or_(Membership.end_date.is_(None), Membership.end_date >= Membership.start_date)
    return and_(Membership.start_date <= until, ends_later, ran)


def _monthly(memberships: Iterable[Membership], currency: str) -> Money:
    total = sum(
        round_half_up(yearly_amount(m.price, m.quantity, m.discount_percent, m.anchor) / 12) for m in memberships
    )
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
