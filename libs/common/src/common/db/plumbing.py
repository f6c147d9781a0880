"""Tables that every service's database has besides its own: messages, idempotency, organisation copies, audit.

They are Core tables: `common` reads and writes them, services never map them.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from common.db.mapping import NAMING_CONVENTION

if TYPE_CHECKING:
    from alembic.operations import Operations

plumbing_metadata = MetaData(naming_convention=NAMING_CONVENTION)
_instant = DateTime(timezone=True)

outbox_table = Table(
    "outbox",
    plumbing_metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("routing_key", Text, nullable=False),
    Column("organization_id", Uuid),
    Column("aggregate_id", Uuid),
    Column("aggregate_version", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("causation_id", Uuid),
    Column("created_at", _instant, nullable=False),
    Column("published_at", _instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", _instant),
    Column("last_error", Text),
)
Index("ix_outbox_unpublished", outbox_table.c.seq, postgresql_where=outbox_table.c.published_at.is_(None))
Index(
    "ix_outbox_put_off",
    outbox_table.c.aggregate_id,
    outbox_table.c.seq,
    postgresql_where=outbox_table.c.published_at.is_(None) & outbox_table.c.next_attempt_at.is_not(None),
)
Index("ix_outbox_causation_id", outbox_table.c.causation_id)
Index("ix_outbox_organization_id_seq", outbox_table.c.organization_id, outbox_table.c.seq)

inbox_table = Table(
    "inbox",
    plumbing_metadata,
    Column("consumer", Text, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("organization_id", Uuid),
    Column("handled_at", _instant, nullable=False),
    PrimaryKeyConstraint("consumer", "message_id"),
)
Index("ix_inbox_handled_at", inbox_table.c.handled_at)

dead_letter_table = Table(
    "dead_letter",
    plumbing_metadata,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("organization_id", Uuid),
    Column("envelope", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("died_at", _instant, nullable=False),
    Column("replayed_at", _instant),
    Column("dropped_at", _instant),
)

idempotency_table = Table(
    "idempotency_key",
    plumbing_metadata,
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("created_at", _instant, nullable=False),
    PrimaryKeyConstraint("scope", "key"),
)
Index("ix_idempotency_key_created_at", idempotency_table.c.created_at)

organization_table = Table(
    "organization",
    plumbing_metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("country", CHAR(2), nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("timezone", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="en"),
    Column("mode", Text, nullable=False),
    Column("profile", JSONB, nullable=False, server_default="{}"),
    Column("clock_now", _instant),
    Column("version", BigInteger, nullable=False),
    Column("clock_version", BigInteger, nullable=False, server_default="0"),
)

signing_key_table = Table(
    "signing_key",
    plumbing_metadata,
    Column("kid", Text, primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("not_after", _instant),
)

audit_table = Table(
    "audit_log",
    plumbing_metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("at", _instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_role", Text),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("trace_id", Text),
)
Index("ix_audit_log_organization_id_at", audit_table.c.organization_id, audit_table.c.at)


def install_plumbing(op: Operations, version: int = 1) -> None:
    """Create (version 1) or move on (later versions) the plumbing tables; called from a service's Alembic revision."""
    op.execute(files("common.db").joinpath(f"plumbing_v{version}.sql").read_text())
    if version == 1:
        protect_table(op, "audit_log")


_TENANT = "current_setting('deskledger.organization', true)"


def protect_table(op: Operations, table: str) -> None:
    """Put row-level security on a tenant table: rows of the session's organisation only, or all for ``*``.

    The settings stand in sub-selects so that PostgreSQL reads them once per statement and not once per row.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} USING ("
        f"organization_id = (SELECT nullif(nullif({_TENANT}, '*'), '')::uuid) OR (SELECT {_TENANT}) = '*')"
    )
