"""Issuing: numbers, immutable content, chain, account credit, rows and messages of many invoices in one go.

A constant number of statements, whatever the number of invoices. The customers must be locked by the caller. What needs
no number is prepared first, before the number series is locked: a run prepares one batch while it stores another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.clock import start_of_day
from common.db import TenantSession
from common.errors import InvalidError
from common.ids import new_id
from common.messaging import Message, outbox
from common.money import Money
from contracts.invoicing import InvoicePaid
from invoicing.domain.allocation import OpenItem, allocate_oldest_first
from invoicing.domain.document_states import check_not_locked
from invoicing.messages.publishes import again
from invoicing.models import AccountCredit, CreditAllocation, Fee, Invoice, InvoiceLine, Membership
from invoicing.services.billing.bulk import Staged, insert_rows, one_of, stage_rows, update_rows
from invoicing.services.billing.content import invoice_content
from invoicing.services.billing.context import BillingContext
from invoicing.services.billing.loading import MembershipRow, load, rows_of
from invoicing.services.billing.rows import (
    Row,
    invoice_issued,
    invoice_row,
    line_rows,
    seller_snapshot,
)
from invoicing.services.billing.specs import InvoiceSpec, LineSpec
from invoicing.services.canonical import canonical_bytes
from invoicing.services.deposits import hold_deposits
from invoicing.services.dunning_days import DunningPlanner
from invoicing.services.numbers import chain_documents, take_numbers
from invoicing.services.plan_purchases import give_what_was_paid

_start_of_day = lru_cache(maxsize=1024)(start_of_day)
# Tests put a function here that raises at a named step, to show that a kill at any of them loses nothing.
fault_points: list[Callable[[str], None]] = []


def reach(step: str) -> None:
    """Pass a step at which a process may be killed."""
    for fault in fault_points:
        fault(step)


def issue_invoices(
    session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec], *, run_id: UUID | None = None
) -> list[Row]:
    """Issue invoices, in the order of their dates; returns their rows. Their sources are billed with them (BIL-6).

    Raises InvalidError for one without lines or with a negative total, ConflictError for a locked date.
    """
    return issue_prepared(session, context, prepare_invoices(session, context, specs, run_id=run_id))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Invoices that lack nothing but their numbers and what follows from these."""

    specs: Sequence[InvoiceSpec]
    invoices: list[Row]
    lines: list[list[Row]]
    staged_lines: Staged
    uses: _CreditUses


def prepare_invoices(
    session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec], *, run_id: UUID | None = None
) -> Prepared:
    """Work out invoices, in the transaction that will issue them. Raises as `issue_invoices`."""
    specs = sorted(specs, key=lambda spec: spec.issue_date)
    for spec in specs:
        _check(context, spec)
    uses = _CreditUses.load(session, specs)
    invoices = [invoice_row(context, spec, uses.apply(spec), run_id) for spec in specs]
    for invoice, allocations in zip(invoices, uses.by_spec, strict=True):
        uses.name_invoice(invoice["id"], allocations)
    planner = DunningPlanner(context.settings, context.now)
    for spec, invoice in zip(specs, invoices, strict=True):
        invoice["reminded"], invoice["dunning_at"] = planner.plan(spec.customer, invoice)
    lines = [line_rows(spec, invoice) for spec, invoice in zip(specs, invoices, strict=True)]
    reach("planned")
    staged = stage_rows(session, InvoiceLine.__table__, [line for group in lines for line in group])  # type: ignore[arg-type]
    return Prepared(specs, invoices, lines, staged, uses)


def issue_prepared(session: TenantSession, context: BillingContext, prepared: Prepared) -> list[Row]:
    """Number prepared invoices, store them with what settles their sources, and tell of them; returns their rows."""
    if not prepared.specs:
        return []
    invoices = prepared.invoices
    _number(session, context, invoices)
    reach("numbered")
    _store(session, context, prepared)
    prepared.uses.store(session, context)
    reach("stored")
    settle_sources(session, context, prepared.specs, invoices)
    reach("sources settled")
    _announce(session, context, prepared)
    _give_for_settled(session, prepared.specs, invoices)
    reach("announced")
    return invoices


def _check(context: BillingContext, spec: InvoiceSpec) -> None:
    if not spec.lines:
        raise InvalidError("no_lines", "there is nothing to invoice")
    check_not_locked(spec.issue_date, context.settings.lock_date)
    _ = spec.totals


def _number(session: TenantSession, context: BillingContext, invoices: Sequence[Row]) -> None:
    wanted = [(invoice["issue_date"], context.code(invoice["location_id"])) for invoice in invoices]
    numbers = take_numbers(session, "invoice", context.template("invoice"), wanted)
    for invoice, number in zip(invoices, numbers, strict=True):
        invoice["number"] = number


def _store(session: TenantSession, context: BillingContext, prepared: Prepared) -> None:
    insert_rows(session, Invoice.__table__, prepared.invoices)  # type: ignore[arg-type]
    prepared.staged_lines.insert(session)
    reach("inserted")
    places = {spec.location_id for spec in prepared.specs}
    sellers = {place: canonical_bytes(seller_snapshot(context, place)) for place in places}
    documents = [
        (invoice["id"], invoice_content(sellers[invoice["location_id"]], invoice, group))
        for invoice, group in zip(prepared.invoices, prepared.lines, strict=True)
    ]
    chain_documents(session, "invoice", documents)


def settle_sources(
    session: TenantSession, context: BillingContext, specs: Sequence[InvoiceSpec], invoices: Sequence[Row]
) -> None:
    """Mark fees invoiced and move memberships' billed-until dates, with the plan of their next invoices."""
    _settle_fees(session, specs, invoices)
    billed: dict[UUID, date] = {}
    known: dict[UUID, Any] = {}
    for spec in specs:
        for line in spec.lines:
            if line.membership_id is not None and line.period is not None:
                # A one-off line alone (the first period is paused) still says that the start was billed.
                until = line.billed_until or line.period.start
                billed[line.membership_id] = max(until, billed.get(line.membership_id, until))
                known[line.membership_id] = line.membership
    if billed:
        _settle_memberships(session, context, billed, known)


def _settle_fees(session: TenantSession, specs: Iterable[InvoiceSpec], invoices: Iterable[Row]) -> None:
    rows = [
        {"id": line.fee_id, "invoice_id": invoice["id"]}
        for spec, invoice in zip(specs, invoices, strict=True)
        for line in spec.lines
        if line.fee_id is not None
    ]
    same = {"status": "invoiced", "issue_on": None, "run_at": None}
    update_rows(session, Fee.__table__, rows, same)  # type: ignore[arg-type]


def _settle_memberships(
    session: TenantSession, context: BillingContext, billed: dict[UUID, date], known: dict[UUID, Any]
) -> None:
    table: Any = Membership.__table__
    unknown = [membership_id for membership_id, row in known.items() if row is None]
    if unknown:
        statement = rows_of(session, MembershipRow).where(one_of(table.c.id, unknown))
        for row in load(session, MembershipRow, statement):
            # A draft moved it when it was kept, and its lines do not tell how far: they stop at an end.
            known[row.id], billed[row.id] = row, max(billed[row.id], row.billed_until or billed[row.id])
    rows = []
    for membership_id, until in billed.items():
        membership = known[membership_id]
        issue_on = context.charges.next_issue(membership, until)
        run_at = None if issue_on is None else _start_of_day(issue_on, context.zone(membership.location_id))
        rows.append({"id": membership_id, "billed_until": until, "issue_on": issue_on, "run_at": run_at})
    update_rows(session, table, rows)


def _announce(session: TenantSession, context: BillingContext, prepared: Prepared) -> None:
    messages: list[tuple[Message, UUID, int]] = []
    for spec, invoice, group in zip(prepared.specs, prepared.invoices, prepared.lines, strict=True):
        message = invoice_issued(invoice, group, spec.totals)
        messages.append((message, invoice["id"], 1))
        if invoice["state"] == "paid":
            messages.append((again(message, InvoicePaid, version=2, paid_at=context.now), invoice["id"], 2))
    outbox.add_many(session, messages)


def _give_for_settled(session: TenantSession, specs: Sequence[InvoiceSpec], invoices: Sequence[Row]) -> None:
    """What follows from a payment, for those that account credit (or a price of 0) settled at their issue."""
    settled = [
        (invoice["id"], [line.fee_id for line in spec.lines if line.fee_id and line.plan_id])
        for spec, invoice in zip(specs, invoices, strict=True)
        if invoice["state"] == "paid" and any(_gives(line) for line in spec.lines)
    ]
    if settled:
        hold_deposits(session, [invoice_id for invoice_id, _ in settled])
        give_what_was_paid(session, [fee_id for _, fee_ids in settled for fee_id in fee_ids])


def _gives(line: LineSpec) -> bool:
    return line.is_refundable or bool(line.fee_id and line.plan_id)


class _CreditUses:
    """Account credit of the payers, laid on their invoices oldest first (PAY-4)."""

    def __init__(self, by_payer: dict[UUID, list[Any]]) -> None:
        self.by_payer = by_payer
        self.by_spec: list[list[Row]] = []
        self.left: dict[UUID, int] = {}

    @classmethod
    def load(cls, session: TenantSession, specs: Sequence[InvoiceSpec]) -> _CreditUses:
        table = AccountCredit.__table__
        payers = {spec.customer.id for spec in specs}
        statement = select(table).where(one_of(table.c.payer_id, payers), table.c.left_minor > 0)
        by_payer: dict[UUID, list[Any]] = {}
        for row in session.connection().execute(statement.order_by(table.c.dated, table.c.id)):
            by_payer.setdefault(row.payer_id, []).append(row)
        return cls(by_payer)

    def apply(self, spec: InvoiceSpec) -> int:
        """Lay credit on an invoice; returns how much of its total."""
        allocations: list[Row] = []
        self.by_spec.append(allocations)
        credits_ = [c for c in self.by_payer.get(spec.customer.id, ()) if c.currency == spec.currency]
        # Whoever typed an address on the storefront has no right to that customer's credit (GH-1).
        if not credits_ or spec.checkout_id is not None:
            return 0
        items = [OpenItem(c.id, c.dated, Money(self.left.get(c.id, c.left_minor), c.currency)) for c in credits_]
        parts, _rest = allocate_oldest_first(spec.totals.total, items)
        for part in parts:
            before = next(item.left for item in items if item.item_id == part.item_id)
            self.left[part.item_id] = (before - part.amount).amount_minor
            allocations.append({"account_credit_id": part.item_id, "amount_minor": part.amount.amount_minor})
        return sum(part.amount.amount_minor for part in parts)

    def name_invoice(self, invoice_id: UUID, allocations: list[Row]) -> None:
        for allocation in allocations:
            allocation["invoice_id"] = invoice_id

    def store(self, session: TenantSession, context: BillingContext) -> None:
        rows = [
            {
                "id": new_id(),
                "organization_id": context.organization.id,
                "currency": context.currency,
                "created_at": context.now,
                **allocation,
            }
            for allocations in self.by_spec
            for allocation in allocations
        ]
        insert_rows(session, CreditAllocation.__table__, rows)  # type: ignore[arg-type]
        update_rows(
            session,
            AccountCredit.__table__,  # type: ignore[arg-type]
            [{"id": credit_id, "left_minor": left} for credit_id, left in self.left.items()],
        )
