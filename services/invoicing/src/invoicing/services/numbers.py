"""Numbers and the chain of issued documents; both are locked until the issuing transaction ends (DOC-2, DOC-3)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.ids import new_id
from invoicing.domain.hashing import GENESIS, chain_hash
from invoicing.domain.numbering import NumberTemplate
from invoicing.models import ChainedDocument, ChainHead, CreditNote, Invoice, NumberSeries
from invoicing.services.billing.bulk import insert_rows


def take_numbers(
    session: TenantSession, kind: str, template: NumberTemplate, wanted: Sequence[tuple[date, str | None]]
) -> list[str]:
    """The next numbers of the series, one for each (issue date, location code), in this order and without gaps."""
    keys = {place: template.series_key(*place) for place in set(wanted)}
    counts = Counter(keys[place] for place in wanted)
    # In the order of the keys, so that two transactions never wait for each other.
    last = {key: _take(session, kind, key, counts[key]) for key in sorted(counts)}
    numbers = {key: count(last[key] - counts[key] + 1) for key in counts}
    render = {place: template.renderer(*place) for place in keys}
    return [render[place](next(numbers[keys[place]])) for place in wanted]


def _take(session: TenantSession, kind: str, series_key: str, wanted: int) -> int:
    statement = insert(NumberSeries).values(
        id=new_id(),
        organization_id=session.organization_id,
        kind=kind,
        series_key=series_key,
        last_number=wanted,
    )
    statement = statement.on_conflict_do_update(
        index_elements=["organization_id", "kind", "series_key"],
        set_={"last_number": NumberSeries.last_number + statement.excluded.last_number},
    )
    last: int = session.execute(statement.returning(NumberSeries.last_number)).scalar_one()
    return last


def continue_series(session: TenantSession, kind: str, template: NumberTemplate) -> None:
    """Let a new template count on after the numbers that look like its own: another one may have given them before.

    ``INV-2027-{number}`` and then ``INV-{year}-{number}`` would else begin with a number that is taken.
    """
    mine = NumberSeries.organization_id == session.organization_id
    # Who is issuing at the moment comes first, and is seen below.
    session.scalars(select(NumberSeries.id).where(mine, NumberSeries.kind == kind).with_for_update()).all()
    for series_key, last in _numbers_given(session, kind, template).items():
        statement = insert(NumberSeries).values(
            id=new_id(),
            organization_id=session.organization_id,
            kind=kind,
            series_key=series_key,
            last_number=last,
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["organization_id", "kind", "series_key"],
                set_={"last_number": func.greatest(NumberSeries.last_number, statement.excluded.last_number)},
            )
        )


def _numbers_given(session: TenantSession, kind: str, template: NumberTemplate) -> dict[str, int]:
    """The highest number of each series among the documents whose numbers the template could have made."""
    column: Any = Invoice.number if kind == "invoice" else CreditNote.number
    table: Any = Invoice if kind == "invoice" else CreditNote
    alike = column.regexp_match(template.pattern)
    numbers = select(column).where(table.organization_id == session.organization_id, alike)
    highest: dict[str, int] = {}
    for text in session.scalars(numbers):
        found = re.match(template.pattern, text)
        if found is not None:
            parts = dict(zip(template.places, found.groups(), strict=True))
            key = template.key_of(parts)
            highest[key] = max(highest.get(key, 0), int(parts["number"]))
    return highest


def chain_documents(session: TenantSession, kind: str, documents: Sequence[tuple[UUID, bytes]]) -> None:
    """Append issued documents (id, canonical bytes) to the organisation's chain, in this order."""
    position, previous = _lock_head(session)
    rows: list[dict[str, Any]] = []
    for document_id, canonical in documents:
        digest = chain_hash(previous, canonical)
        position += 1
        rows.append(
            {
                "id": document_id,
                "organization_id": session.organization_id,
                "position": position,
                "kind": kind,
                "canonical": canonical,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    insert_rows(session, ChainedDocument.__table__, rows)  # type: ignore[arg-type]
    session.execute(
        update(ChainHead)
        .where(ChainHead.organization_id == session.organization_id)
        .values(position=position, hash=previous)
        .execution_options(synchronize_session=False)
    )


def _lock_head(session: TenantSession) -> tuple[int, str]:
    first = {"id": new_id(), "organization_id": session.organization_id, "position": 0, "hash": GENESIS}
    session.execute(insert(ChainHead).values(**first).on_conflict_do_nothing())
    statement = select(ChainHead.position, ChainHead.hash).where(ChainHead.organization_id == session.organization_id)
    row = session.execute(statement.with_for_update()).one()
    return row.position, row.hash
