"""Bringing what was billed of a membership in step with the days it is used: credits, or a fee for days added again.

A billed line answers for the days up to where the next one begins. Days that come back after a pause are charged by a
fee of source ``pause`` that names the line; the line and its fees together carry what may be credited later (PRO-4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.ids import new_id
from common.money import Money
from contracts.phrases import translated
from invoicing.domain.periods import Period
from invoicing.domain.proration import BilledPeriod, Settlement, settle
from invoicing.models import CreditNote, Customer, Fee, InvoiceLine, Membership
from invoicing.services.credit_notes import create_credit_note
from invoicing.services.fees import drop_fee, store_fee
from invoicing.services.invoices import find_invoice
from invoicing.services.memberships import today_of
from invoicing.services.settings import billing_settings
from invoicing.services.wording import document_language, say

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Billed:
    """A membership line with the days it answers for, and the fees that charged days after a pause."""

    line: InvoiceLine
    covers: Period
    fees: list[Fee] = field(default_factory=list)
    fee_lines: list[InvoiceLine] = field(default_factory=list)

    @property
    def period(self) -> BilledPeriod:
        """As the domain settles it."""
        line = self.line
        if line.full_days is None or line.charged_days is None:
            raise ValueError(f"membership line {line.id} has no days")
        lines = [line, *self.fee_lines]
        amount = sum(_amount(each) for each in lines) + sum(fee.amount_minor or 0 for fee in self.fees)
        return BilledPeriod(
            self.covers,
            line.full_days,
            line.charged_days,
            line.unit_price,
            line.quantity,
            line.discount_percent,
            Money(amount, line.currency),
            Money(sum(_credited(each) for each in lines), line.currency),
            line.id,
        )

    def lines_to_credit(self, minor: int) -> Iterator[tuple[InvoiceLine, int]]:
        """What to credit of each line so that it comes to ``minor``: the fees' lines first, the newest at the front."""
        for line in (*reversed(self.fee_lines), self.line):
            part = min(minor, _amount(line) - _credited(line))
            if part > 0:
                yield line, part
                minor -= part


def _amount(line: InvoiceLine) -> int:
    return line.amount_minor - line.discount_minor


def _credited(line: InvoiceLine) -> int:
    return line.credited_net_minor + (sum(line.credited_taxes) if line.prices_include_tax else 0)


def billed_lines(session: TenantSession, membership: Membership) -> list[Billed]:
    """What was billed of a membership, in the order of its periods."""
    statement = select(InvoiceLine).where(
        InvoiceLine.membership_id == membership.id,
        InvoiceLine.kind == "membership",
        InvoiceLine.released.is_(False),
    )
    fresh = {"populate_existing": True}
    lines = list(session.scalars(statement.order_by(InvoiceLine.period_start).execution_options(**fresh)))
    next_starts = [line.period_start for line in lines[1:]]
    found = [
        Billed(line, _covered(line, next_start, membership.billed_until))
        for line, next_start in zip_longest(lines, next_starts)
    ]
    _add_fees(session, {each.line.id: each for each in found})
    return found


def _covered(line: InvoiceLine, next_start: date | None, billed_until: date | None) -> Period:
    if line.period_start is None or line.period_end is None:
        raise ValueError(f"membership line {line.id} has no period")
    return Period(line.period_start, min(day for day in (line.period_end, next_start, billed_until) if day is not None))


def _add_fees(session: TenantSession, billed: dict[UUID, Billed]) -> None:
    wanted = select(Fee).where(
        Fee.source == "pause", Fee.source_id.in_(billed), Fee.status.in_(("unbilled", "invoiced"))
    )
    fresh = {"populate_existing": True}
    fees = {fee.id: fee for fee in session.scalars(wanted.order_by(Fee.part).execution_options(**fresh))}
    of_fee = select(InvoiceLine).where(InvoiceLine.fee_id.in_(fees), InvoiceLine.released.is_(False))
    lines = {line.fee_id: line for line in session.scalars(of_fee.execution_options(**fresh))} if fees else {}
    for fee in fees.values():
        holder = billed[fee.source_id] if fee.source_id else None
        if holder is not None and fee.id in lines:
            holder.fee_lines.append(lines[fee.id])
        elif holder is not None:
            holder.fees.append(fee)


def settle_membership(session: TenantSession, membership: Membership, reason: str) -> list[CreditNote]:
    """Credit what is charged beyond the days used now, charge what is used beyond the days charged.

    The caller has set the end and the pauses of the locked membership. Nothing is settled for a plan that does not
    prorate (PRO-1).
    """
    billed = billed_lines(session, membership)
    credits_: dict[UUID, dict[UUID, int]] = {}
    explains: dict[UUID, str] = {}
    if membership.prorate:
        holders = {each.line.id: each for each in billed}
        periods = [each.period for each in billed]
        for each in settle(periods, end_date=membership.end_date, pauses=membership.pause_list):
            holder = holders[_line_id(each)]
            holder.line.charged_days = each.used_days
            if each.difference.amount_minor > 0:
                _charge(session, membership, holder, each)
            for line, part in holder.lines_to_credit(_less_unbilled(session, holder, -each.difference.amount_minor)):
                credits_.setdefault(line.invoice_id, {})[line.id] = part
                explains[line.id] = each.explain
        _release(billed, membership.end_date)
    session.flush()
    return [_credit(session, invoice_id, parts, explains, reason) for invoice_id, parts in credits_.items()]


def _line_id(settlement: Settlement) -> UUID:
    if settlement.billed.line_id is None:
        raise ValueError("a settlement without its line")
    return settlement.billed.line_id


def _release(billed: list[Billed], end_date: date | None) -> None:
    """Lines of periods behind the end bill nothing any more: if the end is taken back, the next run bills them."""
    for each in billed:
        if end_date is not None and each.covers.start > end_date:
            each.line.charged_days, each.line.released = 0, True


def _less_unbilled(session: TenantSession, holder: Billed, minor: int) -> int:
    """Take ``minor`` off the fees that are not invoiced yet; returns what is left to credit (0 when negative)."""
    left = max(minor, 0)
    for fee in reversed(holder.fees):
        part = min(left, fee.amount_minor or 0)
        if part:
            fee.amount_minor = fee.price_minor = (fee.amount_minor or 0) - part
            fee.touch()
            left -= part
            if not fee.amount_minor:
                drop_fee(session, fee, reason="paused again")
    return left


def _charge(session: TenantSession, membership: Membership, holder: Billed, settlement: Settlement) -> None:
    """A fee for days that are used after all, with the taxes and the account of the membership."""
    customer, now = session.get_one(Customer, membership.payer_id), session.now()
    today = today_of(session, membership)
    language = document_language(customer.billing_language or session.organization.language)
    explained = translated(language, settlement.explain)
    fee = Fee(
        id=new_id(),
        payer_id=membership.payer_id,
        member_id=membership.member_id,
        company_id=membership.company_id,
        is_personal=membership.is_personal,
        location_id=membership.location_id,
        source="pause",
        source_id=holder.line.id,
        part=_next_part(session, holder.line.id),
        plan_id=membership.plan_id,
        name=f"{say(language, 'resumed', membership.plan_name)} ({explained})",
        currency=membership.currency,
        price_minor=settlement.difference.amount_minor,
        amount_minor=settlement.difference.amount_minor,
        listed_taxes=membership.listed_taxes,
        tax_percent=membership.tax_percent,
        tax_category=membership.tax_category,
        prices_include_tax=membership.prices_include_tax,
        revenue_account=membership.revenue_account,
        dated=today,
        created_on=today,
        status="unbilled",
        created_at=now,
    )
    session.add(fee)
    session.flush()
    store_fee(session, billing_settings(session), customer, fee)


def _next_part(session: TenantSession, line_id: UUID) -> int:
    parts = session.scalars(select(Fee.part).where(Fee.source == "pause", Fee.source_id == line_id))
    return max(parts, default=0) + 1


def _credit(
    session: TenantSession, invoice_id: UUID, parts: dict[UUID, int], explains: dict[UUID, str], reason: str
) -> CreditNote:
    invoice = find_invoice(session, invoice_id, lock=True)
    amounts = {line_id: Money(part, invoice.currency) for line_id, part in parts.items()}
    return create_credit_note(session, invoice, amounts, reason=reason, explains=explains)


def left_out(billed: list[Billed], membership: Membership, first: date) -> Period | None:
    """The days from ``first`` on that lie before what is billed and that no line answers for: they were paused from
    end to end when their period came."""
    day = max(first, membership.start_date + timedelta(days=membership.trial_days))
    for each in billed:
        if each.covers.start > day:
            return Period(day, each.covers.start)
        day = max(day, each.covers.end)
    until = membership.billed_until
    return Period(day, until) if until is not None and day < until else None
