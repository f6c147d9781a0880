"""Which customers have something due, and what: a few statements for a whole batch of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, select, union

from common.db import TenantSession
from invoicing.models import Customer, Fee, Membership
from invoicing.services.billing.bulk import one_of
from invoicing.services.billing.issuing import load_rows


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about. ``due_by`` is the instant of an automatic run; a manual one goes by planned days.

    ``as_of``: the last planned day; ``location_id`` and ``payer_id`` narrow it down.
    """

    as_of: date
    due_by: datetime | None = None
    location_id: UUID | None = None
    payer_id: UUID | None = None

    def condition(self, table: Any) -> ColumnElement[bool]:
        """What of a membership or fee table is due."""
        parts = [table.c.run_at <= self.due_by if self.due_by is not None else table.c.issue_on <= self.as_of]
        if self.location_id is not None:
            parts.append(table.c.location_id == self.location_id)
        if self.payer_id is not None:
            parts.append(table.c.payer_id == self.payer_id)
        return and_(*parts)


def due_payers(session: TenantSession, scope: Scope, after: UUID | None, limit: int) -> list[UUID]:
    """The next customers, in the order of their ids, that have something due in the scope."""
    parts = []
    for table in (_membership(), _fee()):
        statement = select(table.c.payer_id).where(scope.condition(table))
        parts.append(statement if after is None else statement.where(table.c.payer_id > after))
    payers = union(*parts).subquery()
    return list(session.scalars(select(payers.c.payer_id).order_by(payers.c.payer_id).limit(limit)))


@dataclass(slots=True)
class Due:
    """A customer with their due memberships and fees."""

    customer: Any
    memberships: list[Any]
    fees: list[Any]


def load_due(session: TenantSession, scope: Scope, payer_ids: Sequence[UUID]) -> list[Due]:
    """Lock customers, in the order of their ids, and read what they have due."""
    table = Customer.__table__
    statement = select(table).where(one_of(table.c.id, payer_ids)).order_by(table.c.id).with_for_update()
    found = {row.id: Due(row, [], []) for row in load_rows(session, statement)}
    for membership in _of(session, _membership(), scope, payer_ids):
        if membership.payer_id in found:
            found[membership.payer_id].memberships.append(membership)
    for fee in _of(session, _fee(), scope, payer_ids):
        if fee.payer_id in found:
            found[fee.payer_id].fees.append(fee)
    return [due for due in found.values() if due.memberships or due.fees]


def _of(session: TenantSession, table: Table, scope: Scope, payer_ids: Sequence[UUID]) -> list[Any]:
    statement = select(table).where(one_of(table.c.payer_id, payer_ids), scope.condition(table))
    order = table.c.start_date if "start_date" in table.c else table.c.dated
    return load_rows(session, statement.order_by(order, table.c.id))


def load_unbilled(session: TenantSession, payer_id: UUID, *, lock: bool = True) -> Due:
    """One customer (locked, unless it is for a look only) with all that is not billed yet, due or not."""
    table = Customer.__table__
    statement = select(table).where(table.c.id == payer_id)
    (customer,) = load_rows(session, statement.with_for_update() if lock else statement)
    memberships = load_rows(session, _all(_membership(), payer_id, "start_date"))
    return Due(customer, memberships, load_rows(session, _all(_fee(), payer_id, "dated")))


def _all(table: Table, payer_id: UUID, order: str) -> Any:
    return (
        select(table)
        .where(table.c.payer_id == payer_id, table.c.issue_on.is_not(None))
        .order_by(table.c[order], table.c.id)
    )


def _membership() -> Table:
    return cast(Table, Membership.__table__)


def _fee() -> Table:
    return cast(Table, Fee.__table__)
