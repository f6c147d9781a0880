"""Refundable deposits: a ledger of what is held, returned, applied and forfeited."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import new_id
from common.messaging import outbox
from common.money import Money
from invoicing.messages.publishes import deposit_changed
from invoicing.models import AccountCredit, Customer, Deposit, DepositEntry, Invoice
from invoicing.services.customers import lock_customer

ENDS = ("returned", "applied", "forfeited")


def hold_deposits(session: TenantSession, invoice: Invoice) -> None:
    """Open the ledger of the deposits on an invoice that was just paid; once per line."""
    for line in invoice.lines:
        if line.is_refundable and line.total_minor > 0:
            known = session.scalar(select(Deposit.id).where(Deposit.invoice_line_id == line.id))
            if known is None:
                _hold(session, invoice, line.id, line.membership_id, line.description, line.total)


def _hold(
    session: TenantSession, invoice: Invoice, line_id: UUID, membership_id: UUID | None, name: str, amount: Money
) -> None:
    deposit = Deposit(
        id=new_id(),
        payer_id=invoice.payer_id,
        invoice_id=invoice.id,
        invoice_line_id=line_id,
        membership_id=membership_id,
        name=name,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        held_minor=0,
        state="held",
        version=0,
        created_at=session.now(),
    )
    session.add(deposit)
    _move(session, deposit, "held", amount.amount_minor, None)


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
    session.flush()
    customer = session.get_one(Customer, deposit.payer_id)
    outbox.add(
        session,
        deposit_changed(deposit, customer),
        aggregate_id=deposit.id,
        aggregate_version=deposit.version,
    )


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
