"""How a dry run differs from the last real one: per customer, so that a surprise is seen before it is an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from common.db import TenantSession
from common.money import Money
from invoicing.models import BillingRun, Customer, Invoice
from invoicing.services.billing.selecting import Scope
from invoicing.services.billing.specs import InvoiceSpec

NAMED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A customer's total in the last run and now; None where there was, or would be, no invoice."""

    customer_name: str
    member_id: UUID | None
    company_id: UUID | None
    before: Money | None
    now: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Against the last run: the greatest differences first, at most `NAMED` of ``differing``; ``same`` pay the same."""

    run_id: UUID
    as_of: date
    total_before: Money
    total_now: Money
    differing: int
    same: int
    differences: list[Difference]


def compare_with_last(session: TenantSession, scope: Scope, specs: Iterable[InvoiceSpec]) -> Comparison | None:
    """What a dry run would make beside what the newest run of the same scope made; None when there was none."""
    last = _last_run(session, scope)
    if last is None:
        return None
    made = select(Invoice.payer_id, func.sum(Invoice.total_minor)).group_by(Invoice.payer_id)
    rows = session.execute(made.where(Invoice.billing_run_id == last.id, Invoice.state != "void")).all()
    before = {payer_id: int(minor) for payer_id, minor in rows}
    now: dict[UUID, int] = {}
    for spec in specs:
        now[spec.customer.id] = now.get(spec.customer.id, 0) + spec.totals.total.amount_minor
    changed = [payer_id for payer_id in {**before, **now} if before.get(payer_id) != now.get(payer_id)]
    changed.sort(key=lambda payer_id: (-abs(now.get(payer_id, 0) - before.get(payer_id, 0)), payer_id))
    currency = session.organization.currency
    return Comparison(
        run_id=last.id,
        as_of=last.as_of,
        total_before=Money(sum(before.values()), currency),
        total_now=Money(sum(now.values()), currency),
        differing=len(changed),
        same=len({**before, **now}) - len(changed),
        differences=_named(session, changed[:NAMED], before, now),
    )


def _last_run(session: TenantSession, scope: Scope) -> BillingRun | None:
    statement = select(BillingRun).where(
        BillingRun.location_id.is_not_distinct_from(scope.location_id),
        BillingRun.payer_id.is_not_distinct_from(scope.payer_id),
        BillingRun.counts["invoices"].as_integer() > 0,
    )
    return session.scalars(statement.order_by(BillingRun.id.desc()).limit(1)).first()


def _named(
    session: TenantSession, payer_ids: list[UUID], before: Mapping[UUID, int], now: Mapping[UUID, int]
) -> list[Difference]:
    customers = {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(payer_ids)))}
    found = []
    for payer_id in payer_ids:
        customer = customers[payer_id]
        found.append(
            Difference(
                customer_name=customer.name,
                member_id=payer_id if customer.kind == "member" else None,
                company_id=payer_id if customer.kind == "company" else None,
                before=_money(session, before.get(payer_id)),
                now=_money(session, now.get(payer_id)),
            )
        )
    return found


def _money(session: TenantSession, minor: int | None) -> Money | None:
    return None if minor is None else Money(minor, session.organization.currency)
