"""Which customers have something due, and what: a few statements for a whole batch of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, union

from common.db import TenantSession
from invoicing.models import Customer, Fee, Membership
from invoicing.services.billing.bulk import one_of
from invoicing.services.billing.loading import CustomerRow, FeeRow, MembershipRow, load, rows_of

_CUSTOMER: Any = Customer.__table__
_MEMBERSHIP: Any = Membership.__table__
_FEE: Any = Fee.__table__


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
        # What has an instant has a planned day too, and the index is of what has a day.
        parts = (
            [table.c.issue_on.is_not(None), table.c.run_at <= self.due_by]
            if self.due_by is not None
            else [table.c.issue_on <= self.as_of]
        )
        if self.location_id is not None:
            parts.append(table.c.location_id == self.location_id)
        if self.payer_id is not None:
            parts.append(table.c.payer_id == self.payer_id)
        return and_(*parts)


def due_payers(session: TenantSession, scope: Scope, after: UUID | None, limit: int) -> list[UUID]:
    """The next customers, in the order of their ids, that have something due in the scope."""
    parts = [_due_payers(session, table, scope, after, limit) for table in (_MEMBERSHIP, _FEE)]
    payers = union(*parts).subquery()
    return list(session.scalars(select(payers.c.payer_id).order_by(payers.c.payer_id).limit(limit)))


def _due_payers(session: TenantSession, table: Any, scope: Scope, after: UUID | None, limit: int) -> Any:
    """Read along the index of what is to be billed, no further than a batch: a run takes the time of one such walk."""
    statement = select(table.c.payer_id).where(table.c.organization_id == session.organization_id)
    if after is not None:
        statement = statement.where(table.c.payer_id > after)
    found = statement.where(scope.condition(table)).distinct().order_by(table.c.payer_id).limit(limit)
    return select(found.subquery().c.payer_id)


@dataclass(slots=True)
class Due:
    """A customer with their due memberships and fees."""

    customer: Any
    memberships: list[Any]
    fees: list[Any]


def load_due(session: TenantSession, scope: Scope, payer_ids: Sequence[UUID]) -> list[Due]:
    """Lock customers, in the order of their ids, and read what they have due."""
    statement = rows_of(session, CustomerRow).where(one_of(_CUSTOMER.c.id, payer_ids))
    customers = load(session, CustomerRow, statement.order_by(_CUSTOMER.c.id).with_for_update())
    found = {row.id: Due(row, [], []) for row in customers}
    for membership in _due(session, MembershipRow, _MEMBERSHIP, scope, payer_ids):
        if membership.payer_id in found:
            found[membership.payer_id].memberships.append(membership)
    for fee in _due(session, FeeRow, _FEE, scope, payer_ids):
        if fee.payer_id in found:
            found[fee.payer_id].fees.append(fee)
    return [due for due in found.values() if due.memberships or due.fees]


def _due(session: TenantSession, kind: Any, table: Any, scope: Scope, payer_ids: Sequence[UUID]) -> list[Any]:
    statement = rows_of(session, kind).where(one_of(table.c.payer_id, payer_ids), scope.condition(table))
    return load(session, kind, statement.order_by(*_order(table)))


def load_unbilled(session: TenantSession, payer_id: UUID, *, lock: bool = True) -> Due:
    """One customer (locked, unless it is for a look only) with all that is not billed yet, due or not."""
    statement = rows_of(session, CustomerRow).where(_CUSTOMER.c.id == payer_id)
    (customer,) = load(session, CustomerRow, statement.with_for_update() if lock else statement)
    memberships, fees = (
        load(
            session,
            kind,
            rows_of(session, kind)
            .where(table.c.payer_id == payer_id, table.c.issue_on.is_not(None))
            .order_by(*_order(table)),
        )
        for kind, table in ((MembershipRow, _MEMBERSHIP), (FeeRow, _FEE))
    )
    return Due(customer, memberships, fees)


def _order(table: Any) -> tuple[Any, Any]:
    return (table.c.start_date if "start_date" in table.c else table.c.dated), table.c.id
