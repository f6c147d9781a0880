"""Migrations that move what is there: rows as the version before left them come out right."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from common.db import Database
from common.db.migrate import upgrade_database
from common.ids import new_id
from payments.service import SERVICE

_REFUND = text(
    "INSERT INTO refund (id, organization_id, payment_id, currency, amount_minor, fact, request_key, announced, asked,"
    " created_at) VALUES (:id, :organization, :payment, 'EUR', 1000, 'SUCCEEDED', :key, true, 0, :at)"
)


def older(folder: Path, *revisions: str) -> Path:
    """The service's migrations as far as these: what a version before had."""
    (folder / "versions").mkdir()
    for path in (SERVICE.migrations / "versions").glob("*.py"):
        if path.name[:4] in revisions:
            shutil.copy(path, folder / "versions")
    return folder


def refund(database: Database, organization: UUID, key: str | None) -> UUID:
    """A refund as versions 0001 and 0002 wrote it."""
    values: dict[str, Any] = {"id": new_id(), "organization": organization, "payment": new_id(), "key": key}
    with database.system_session() as session:
        session.execute(_REFUND, {**values, "at": datetime(2027, 2, 1, tzinfo=UTC)})
        session.commit()
    return values["id"]


def found(database: Database, ids: Iterable[UUID]) -> list[tuple[Any, ...]]:
    """(request id, request key) of refunds, in their order."""
    with database.system_session() as session:
        rows = session.execute(text("SELECT id, request_id, request_key FROM refund")).all()
    by_id = {row.id: (row.request_id, row.request_key) for row in rows}
    return [by_id[each] for each in ids]


def test_0003_takes_the_request_out_of_the_key_where_it_was_hidden(
    make_database: Callable[[str, Path], Database], tmp_path: Path
) -> None:
    """Of every organisation's refunds; what a client's Idempotency-Key was made into stays."""
    database = make_database("payments_0002", older(tmp_path, "0001", "0002"))
    ours, theirs, request, other = new_id(), new_id(), new_id(), new_id()
    client_key = hashlib.sha256(b"a client's key").hexdigest()
    refunds = [
        refund(database, ours, f"surplus:{request.hex}:{new_id().hex}"),
        refund(database, ours, f"surplus:{request.hex}:{new_id().hex}"),
        refund(database, theirs, f"surplus:{other.hex}:{new_id().hex}"),
        refund(database, ours, client_key),
        refund(database, ours, None),
    ]
    upgrade_database(database.url, SERVICE.migrations)
    assert found(database, refunds) == [
        (request, None),
        (request, None),
        (other, None),
        (None, client_key),
        (None, None),
    ]
