"""Nothing on sale is ever deleted: it is archived, keeps its history, and can be restored."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from common.db import TenantSession
from common.errors import ConflictError


class Archivable(Protocol):
    """A row that can be put away."""

    archived_at: datetime | None


def refuse_archived(row: Archivable) -> None:
    """Raise ConflictError ``archived``: what is put away is restored before it is changed."""
    if row.archived_at is not None:
        raise ConflictError("archived", "this is archived; restore it first")


def set_archived(session: TenantSession, row: Archivable, *, archived: bool) -> bool:
    """Archive or restore a locked row; tells whether that changed anything."""
    if (row.archived_at is not None) == archived:
        return False
    row.archived_at = session.now() if archived else None
    return True
