"""Which invoices are to be made from which unbilled items: one way for runs, dry runs and previews (BIL-3 to BIL-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from common.clock import local_date
from common.money import Money
from invoicing.domain.grouping import GroupKey, group_key
from invoicing.domain.membership_lines import BillableLine
from invoicing.domain.totals import LineInput
from invoicing.services.billing.context import DEPOSIT_TAXES, BillingContext
from invoicing.services.billing.specs import InvoiceSpec, LineSpec
from invoicing.services.wording import say

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CutOff:
    """Up to when items are taken: planned for ``as_of`` or before; None: for today at each item's location.

    With ``together_on`` everything goes onto one invoice of that date, whatever was planned (a manual invoice of all
    unbilled items dated so far).
    """

    as_of: date | None = None
    together_on: date | None = None

    def day(self, context: BillingContext, location_id: UUID | None) -> date:
        """The last planned day that counts for an item of a location."""
        return self.as_of or local_date(context.now, context.zone(location_id))


def plan_customer(
    context: BillingContext, customer: Any, memberships: Iterable[Any], fees: Iterable[Any], cut_off: CutOff
) -> list[InvoiceSpec]:
    """The invoices of one customer, earliest first; the given rows are read only.

    Raises ConflictError when a date is locked and nothing can take its place, InvalidError for impossible terms.
    """
    invoices: dict[tuple[date, GroupKey], InvoiceSpec] = {}
    alike: dict[tuple[Any, ...], InvoiceSpec] = {}
    payer, lock_date = (customer.kind, customer.id), context.settings.lock_date

    def gather(kind: Any, planned: date, line: LineSpec) -> None:
        known = alike.get((kind, planned, line.location_id))
        if known is None:
            known = alike[kind, planned, line.location_id] = group(kind, planned, line)
        known.lines.append(line)

    def group(kind: Any, planned: date, line: LineSpec) -> InvoiceSpec:
        issue_date = cut_off.together_on or _after_lock(lock_date, planned)
        key = group_key(
            context.grouping,
            payer,
            kind,
            context.currency,
            home_location_id=customer.location_id,
            use_location_id=line.location_id,
        )
        spec = invoices.get((issue_date, key))
        if spec is None:
            location_id = key.location_id or line.location_id
            spec = InvoiceSpec(customer, issue_date, location_id, context.currency)
            invoices[issue_date, key] = spec
        return spec

    for membership in memberships:
        _gather_membership(context, customer, membership, cut_off, gather)
    for fee in fees:
        if _is_due(context, fee, cut_off):
            issue_date = fee.issue_on or fee.created_on
            gather("booking" if fee.source == "booking" else "fee", issue_date, fee_line(context, customer, fee))
    if len(invoices) < 2:  # as most customers have
        return list(invoices.values())
    return [invoices[key] for key in sorted(invoices, key=_order)]


def _order(key: tuple[date, GroupKey]) -> tuple[date, str, str]:
    issue_date, group = key
    return issue_date, group.part, str(group.location_id)


def _after_lock(lock_date: date | None, issue_date: date) -> date:
    """The planned date, or the first that is not locked (BIL-8)."""
    return issue_date if lock_date is None or issue_date > lock_date else lock_date + ONE_DAY


def _is_due(context: BillingContext, fee: Any, cut_off: CutOff) -> bool:
    if cut_off.together_on is not None:
        return bool(fee.dated <= cut_off.together_on)
    return fee.issue_on is not None and fee.issue_on <= cut_off.day(context, fee.location_id)


def _gather_membership(
    context: BillingContext,
    customer: Any,
    membership: Any,
    cut_off: CutOff,
    gather: Callable[[Any, date, LineSpec], None],
) -> None:
    if membership.end_date is not None and membership.end_date < membership.start_date:
        return
    last_day = cut_off.together_on or cut_off.day(context, membership.location_id)
    for line in context.charges.lines(membership, last_day):
        gather(line.kind, line.issue_date, membership_line(context, customer, membership, line))


def membership_line(context: BillingContext, customer: Any, membership: Any, line: BillableLine) -> LineSpec:
    """A line of a membership as it goes onto the invoice."""
    refundable = line.kind == "deposit"
    taxes = DEPOSIT_TAXES if refundable else context.taxes(customer, membership, membership.location_id)
    description = membership.plan_name
    if line.kind != "membership":
        description = say(customer.billing_language or context.organization.language, line.kind, membership.plan_name)
    return LineSpec(
        line.kind,
        description,
        LineInput(
            line.unit_price,
            line.quantity,
            line.discount_percent,
            taxes=taxes,
            prices_include_tax=not refundable and context.includes_tax(membership),
            amount=line.amount,
        ),
        explain=line.explain,
        membership_id=membership.id,
        plan_id=membership.plan_id,
        location_id=membership.location_id,
        revenue_account=membership.revenue_account,
        period=line.period,
        used_days=line.used_days,
        full_days=line.full_days,
        billed_until=line.billed_until,
        is_refundable=refundable,
        membership=membership,
    )


def fee_line(context: BillingContext, customer: Any, fee: Any) -> LineSpec:
    """A fee as it goes onto the invoice."""
    refundable = fee.is_refundable
    currency = fee.currency
    return LineSpec(
        "deposit" if refundable else fee.source,
        fee.name,
        LineInput(
            Money(fee.price_minor, currency),
            fee.quantity,
            fee.discount_percent,
            discount_amount=Money(fee.discount_minor, currency) if fee.discount_minor else None,
            taxes=DEPOSIT_TAXES if refundable else context.taxes(customer, fee, fee.location_id),
            prices_include_tax=not refundable and context.includes_tax(fee),
            amount=None if fee.amount_minor is None else Money(fee.amount_minor, currency),
        ),
        details=fee.details,
        fee_id=fee.id,
        booking_id=fee.source_id if fee.source in ("booking", "cancellation") else None,
        plan_id=fee.plan_id,
        location_id=fee.location_id,
        revenue_account=fee.revenue_account,
        period=None,
        is_refundable=refundable,
    )
