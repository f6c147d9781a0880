"""Refundable deposits: a ledger of what is held, returned, applied and forfeited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox
from common.money import Money
from invoicing.messages.publishes import deposit_changed
from invoicing.models import AccountCredit, Customer, Deposit, DepositEntry, Invoice, InvoiceLine
from invoicing.services.billing.bulk import one_of
from invoicing.services.customers import lock_customer

ENDS = ("returned", "applied", "forfeited")


def hold_deposits(session: TenantSession, invoice_ids: Iterable[UUID]) -> None:
    """Open the ledgers of the deposits on invoices that were just paid; once per line, by a few statements for all."""
    held = select(Deposit.id).where(Deposit.invoice_line_id == InvoiceLine.id)
    columns = (
        InvoiceLine.id, InvoiceLine.invoice_id, InvoiceLine.membership_id, InvoiceLine.description,
        InvoiceLine.currency, InvoiceLine.total_minor, Invoice.payer_id,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(one_of(InvoiceLine.invoice_id, invoice_ids), InvoiceLine.is_refundable, InvoiceLine.total_minor > 0)  # type: ignore[arg-type]
        .where(~held.exists())
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    )
    deposits = [_deposit(line, session.now()) for line in session.execute(statement).all()]
    session.add_all(deposits)
    for deposit in deposits:
        _move(session, deposit, "held", deposit.amount_minor, None)
    _tell(session, deposits)


def _deposit(line: Any, now: datetime) -> Deposit:
    return Deposit(
        id=new_id(),
        payer_id=line.payer_id,
        invoice_id=line.invoice_id,
        invoice_line_id=line.id,
        membership_id=line.membership_id,
        name=line.description,
        currency=line.currency,
        amount_minor=line.total_minor,
        held_minor=0,
        state="held",
        version=0,
        created_at=now,
    )


def _move(session: TenantSession, deposit: Deposit, kind: str, change_minor: int, note: str | None) -> None:
    deposit.held_minor += change_minor
    deposit.state = kind if not deposit.held_minor else "held"
    deposit.touch()
    session.add(
        DepositEntry(
            deposit_id=deposit.id,
            kind=kind,
            currency=deposit.currency,
            amount_minor=change_minor,
            dated=local_date(session.now(), session.organization.timezone),
            note=note,
            created_at=session.now(),
        )
    )


def _tell(session: TenantSession, deposits: Sequence[Deposit]) -> None:
    if not deposits:
        return
    session.flush()
    payers = one_of(Customer.id, {deposit.payer_id for deposit in deposits})  # type: ignore[arg-type]
    customers = {customer.id: customer for customer in session.scalars(select(Customer).where(payers))}
    messages = [(deposit_changed(each, customers[each.payer_id]), each.id, each.version) for each in deposits]
    outbox.add_many(session, messages)


def find_deposit(session: TenantSession, deposit_id: UUID, *, lock: bool = False) -> Deposit:
    """A deposit by id; ``lock`` takes its payer's lock first. Raises NotFoundError."""
    statement = select(Deposit).where(Deposit.id == deposit_id)
    deposit = session.scalars(statement).one_or_none()
    if deposit is None:
        raise NotFoundError("deposit_not_found", "there is no such deposit")
    if lock:
        lock_customer(session, deposit.payer_id)
        deposit = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one()
    return deposit


def entries_of(session: TenantSession, deposits: Sequence[Deposit]) -> dict[UUID, list[DepositEntry]]:
    """The ledgers of deposits, oldest entry first, by one statement."""
    entries: dict[UUID, list[DepositEntry]] = {deposit.id: [] for deposit in deposits}
    statement = select(DepositEntry).where(DepositEntry.deposit_id.in_(entries))
    for entry in session.scalars(statement.order_by(DepositEntry.created_at, DepositEntry.id)):
        entries[entry.deposit_id].append(entry)
    return entries


def release_deposit(
    session: TenantSession, deposit: Deposit, kind: str, amount: Money | None = None, note: str | None = None
) -> Deposit:
    """Take from a locked deposit: ``returned`` to the customer outside, ``applied`` as account credit for coming
    invoices, or ``forfeited``. Raises InvalidError or ConflictError for more than is held."""
    if kind not in ENDS:
        raise InvalidError("invalid_deposit_move", f"a deposit is {', '.join(ENDS)}")
    amount = deposit.held if amount is None else amount
    if amount.currency != deposit.currency:
        raise InvalidError("currency_mismatch", f"this deposit is in {deposit.currency}")
    if amount.amount_minor <= 0 or amount > deposit.held:
        raise ConflictError("deposit_exceeded", "no more can be taken than is held")
    _move(session, deposit, kind, -amount.amount_minor, note)
    _tell(session, [deposit])
    if kind == "applied":
        _credit(session, deposit, amount)
    return deposit


def _credit(session: TenantSession, deposit: Deposit, amount: Money) -> None:
    session.add(
        AccountCredit(
            payer_id=deposit.payer_id,
            currency=amount.currency,
            amount_minor=amount.amount_minor,
            left_minor=amount.amount_minor,
            source="deposit",
            source_id=new_id(),
            dated=local_date(session.now(), session.organization.timezone),
            created_at=session.now(),
        )
    )
    session.flush()
