"""Refundable deposits: a ledger of what is held, returned, applied and forfeited.

A deposit is held while its invoice is paid: it goes with a credit note, a refund or a chargeback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

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
    """Bring the ledgers of the deposits on invoices in step with them, by a few statements for all: held is what was
    paid for and not credited since. While an invoice is not paid, or not any more, nothing of it is held."""
    columns = (
        InvoiceLine.id, InvoiceLine.invoice_id, InvoiceLine.membership_id, InvoiceLine.description,
        InvoiceLine.currency, InvoiceLine.total_minor, InvoiceLine.credited_net_minor, Invoice.payer_id, Invoice.state,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(one_of(InvoiceLine.invoice_id, invoice_ids), InvoiceLine.is_refundable, InvoiceLine.total_minor > 0)  # type: ignore[arg-type]
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    )
    lines = session.execute(statement).all()
    known = _deposits_of(session, [line.id for line in lines])
    gone = _released(session, known.values())
    moved = [_balance(session, line, known.get(line.id), gone) for line in lines]
    _tell(session, [deposit for deposit in moved if deposit is not None])


def _deposits_of(session: TenantSession, line_ids: Sequence[UUID]) -> dict[UUID, Deposit]:
    """The ledgers that are open, by their invoice lines."""
    if not line_ids:
        return {}
    statement = select(Deposit).where(one_of(Deposit.invoice_line_id, line_ids))  # type: ignore[arg-type]
    fresh = session.scalars(statement.execution_options(populate_existing=True))
    return {deposit.invoice_line_id: deposit for deposit in fresh}


def _released(session: TenantSession, deposits: Iterable[Deposit]) -> dict[UUID, int]:
    """How much of deposits was returned, applied or forfeited by somebody's decision, by their ids."""
    ids = [deposit.id for deposit in deposits]
    if not ids:
        return {}
    went = DepositEntry.kind.in_(ENDS)
    statement = select(DepositEntry.deposit_id, -func.sum(DepositEntry.amount_minor)).group_by(DepositEntry.deposit_id)
    found = session.execute(statement.where(DepositEntry.deposit_id.in_(ids), went))
    return {deposit_id: int(minor) for deposit_id, minor in found}


def _balance(session: TenantSession, line: Any, deposit: Deposit | None, released: dict[UUID, int]) -> Deposit | None:
    """Open or correct the ledger of one line; None when it is right as it is."""
    is_paid = line.state == "paid"
    wanted = line.total_minor - line.credited_net_minor if is_paid else 0
    if deposit is not None:
        wanted = max(wanted - released.get(deposit.id, 0), 0)
    elif wanted:
        deposit = _deposit(line, session.now())
        session.add(deposit)
    if deposit is None or deposit.held_minor == wanted:
        return None
    kind = "held" if wanted > deposit.held_minor else "credited" if is_paid else "unpaid"
    _move(session, deposit, kind, wanted - deposit.held_minor, None)
    return deposit


def creditable_deposits(session: TenantSession, invoice: Invoice) -> dict[UUID, int]:
    """What may still be credited of the deposits on an invoice, by their lines: nobody gets back by a credit note what
    was returned, applied or forfeited."""
    lines = {line.id: line for line in invoice.lines if line.is_refundable}
    known = _deposits_of(session, list(lines))
    released = _released(session, known.values())
    return {
        line_id: lines[line_id].total_minor - lines[line_id].credited_net_minor - released.get(deposit.id, 0)
        for line_id, deposit in known.items()
    }


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


# What a deposit is called once nothing of it is held, where the movement has another name.
_STATES = {"credited": "returned"}


def _move(session: TenantSession, deposit: Deposit, kind: str, change_minor: int, note: str | None) -> None:
    deposit.held_minor += change_minor
    deposit.state = "held" if deposit.held_minor else _STATES.get(kind, kind)
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
        deposit = session.scalars(statement.with_for_update()).one()
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
