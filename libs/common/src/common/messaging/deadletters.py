"""Messages given up, kept in the consumer's own database until somebody replays or drops them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.db.database import Database
from common.db.plumbing import dead_letter_table as letters
from common.errors import ConflictError, NotFoundError
from common.messaging.message import Envelope
from common.messaging.metrics import DEAD_LETTERS
from common.messaging.resending import resend

if TYPE_CHECKING:
    from common.messaging.consumer import Consumer, Outcome

__all__ = ["DeadLetter", "bury", "count", "drop", "envelope_of", "list", "replay", "resend", "show"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message given up: whose, why, after how many attempts, and what became of it."""

    id: UUID
    consumer: str
    message_id: UUID
    type: str
    organization_id: UUID | None
    envelope: dict[str, Any]
    body: bytes
    error: str
    attempts: int
    died_at: datetime
    replayed_at: datetime | None
    dropped_at: datetime | None


def bury(database: Database, consumer: str, envelope: Envelope, error: str) -> UUID:
    """Write a dead letter in a transaction of its own; returns its id.

    The id follows from consumer and message, so that a message that dies again reopens its letter.
    """
    fields = msgspec.to_builtins(envelope, builtin_types=(bytes,))
    body = fields.pop("body")
    row = {
        "id": uuid5(envelope.message_id, consumer),
        "consumer": consumer,
        "message_id": envelope.message_id,
        "type": envelope.type,
        "organization_id": envelope.organization_id,
        "envelope": fields,
        "body": body,
        "error": error,
        "attempts": envelope.attempt + 1,
        "died_at": database.clock.now(),
    }
    again = {key: row[key] for key in ("envelope", "error", "attempts", "died_at")}
    statement = insert(letters).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=[letters.c.id], set_={**again, "replayed_at": None, "dropped_at": None}
    )
    with database.system_session() as session:
        session.execute(statement)
        session.commit()
    DEAD_LETTERS.labels(consumer, envelope.type).inc()
    return uuid5(envelope.message_id, consumer)


def show(database: Database, letter_id: UUID) -> DeadLetter:
    """One dead letter; raises NotFoundError."""
    with database.system_session() as session:
        row = session.execute(select(letters).where(letters.c.id == letter_id)).one_or_none()
    if row is None:
        raise NotFoundError("dead_letter_not_found", f"there is no dead letter {letter_id}")
    return _letter(row)


def count(database: Database) -> int:
    """How many dead letters wait for somebody."""
    with database.system_session() as session:
        return session.scalar(select(func.count()).select_from(letters).where(_open())) or 0


def replay(database: Database, consumer: Consumer, letter_id: UUID) -> Outcome:
    """Handle a dead letter again, in place and with its own message id; success closes it.

    Returns the outcome: a failure leaves the letter open with the new error. Raises ConflictError for a closed letter.
    """
    letter = show(database, letter_id)
    if letter.replayed_at or letter.dropped_at:
        raise ConflictError("dead_letter_closed", "this dead letter has been replayed or dropped already")
    outcome = consumer.attempt(envelope_of(letter))
    if outcome.settled:
        _close(database, letter_id, replayed_at=database.clock.now())
    else:
        _close(database, letter_id, error=outcome.error, attempts=letter.attempts + 1)
    return outcome


def drop(database: Database, letter_id: UUID) -> None:
    """Give a dead letter up for good; raises NotFoundError."""
    show(database, letter_id)
    _close(database, letter_id, dropped_at=database.clock.now())


def envelope_of(letter: DeadLetter) -> Envelope:
    """The envelope that died, ready for a first attempt."""
    fields = {**letter.envelope, "body": letter.body, "attempt": 0}
    return msgspec.convert(fields, Envelope, builtin_types=(bytes,), strict=False)


def _close(database: Database, letter_id: UUID, **values: Any) -> None:
    with database.system_session() as session:
        session.execute(update(letters).where(letters.c.id == letter_id).values(**values))
        session.commit()


def _open() -> Any:
    return letters.c.replayed_at.is_(None) & letters.c.dropped_at.is_(None)


def _letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(**row._mapping)


def list(database: Database, *, closed: bool = False, limit: int = 100) -> Sequence[DeadLetter]:  # noqa: A001 - the command's name
    """Dead letters, newest first; only the open ones unless ``closed``."""
    statement = select(letters).order_by(letters.c.died_at.desc()).limit(limit)
    with database.system_session() as session:
        rows = session.execute(statement if closed else statement.where(_open())).all()
    return [_letter(row) for row in rows]
