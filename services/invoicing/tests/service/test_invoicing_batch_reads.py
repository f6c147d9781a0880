"""How a run reads what a batch of customers has due: by plans that suit small tables, too."""

from __future__ import annotations

from typing import Any

import pytest
from billing_crowd import crowd
from sqlalchemy.dialects import postgresql

from common.ids import new_id
from invoicing.models import Customer, Fee, Membership
from invoicing.services.billing.bulk import one_of
from invoicing.services.billing.loading import CustomerRow, FeeRow, MembershipRow, load, rows_of

KINDS: list[tuple[Any, Any, str]] = [
    (CustomerRow, Customer, "id"),
    (MembershipRow, Membership, "payer_id"),
    (FeeRow, Fee, "payer_id"),
]


def explained(session: Any, statement: Any) -> str:
    """The plan where no index is used, as for a table of a few pages."""
    connection = session.connection()
    for way in ("indexscan", "bitmapscan", "indexonlyscan"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    sql = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}"))


@pytest.mark.parametrize(("kind", "model", "column"), KINDS)
def test_the_ids_of_a_batch_are_not_read_again_for_each_row(house: Any, kind: Any, model: Any, column: str) -> None:
    """A thousand ids times a thousand rows made a run over a thousand customers five times as long."""
    crowd(house, 3)
    with house.database.session(house.organization_id) as session:
        wanted = [house.member, new_id()]
        statement = rows_of(session, kind).where(one_of(model.__table__.c[column], wanted))
        found = load(session, kind, statement)
        assert {getattr(row, column) for row in found} == {house.member}
        plan = explained(session, statement)
    filters = [line for line in plan.splitlines() if "Filter:" in line]
    assert "Seq Scan" in plan
    assert not [line for line in filters if str(house.member) in line], plan
