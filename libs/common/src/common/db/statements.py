"""Statements of every request, sent by libpq itself: the layers above it cost more than these statements do.

They belong to the session's transaction like all others, fail with SQLAlchemy's exceptions, and show up in spans.
"""

from __future__ import annotations

import itertools
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from common.telemetry.spans import statement_span

Statement = tuple[str, Sequence[Any]]
Driver = psycopg.Connection[tuple[Any, ...]]
# Where a session keeps the connection of its running transaction: asking it takes longer than asking PostgreSQL.
CONNECTION = "statements.connection"
_PREPARED = "statements.prepared"
_NUMBERS = itertools.count()
_PREPARE_BEGIN = b"PREPARE deskledger_begin (text) AS SELECT set_config('deskledger.organization', $1, true)"
_UNKNOWN_STATEMENT = b"26000"
_COMMAND_OK, _TUPLES_OK = ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK


def run(session: Session, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement with parameters ``$1, $2, …`` in the session's transaction; returns its rows.

    It is prepared once for each connection, so write the types that PostgreSQL cannot see (``$1::uuid[]``). What the
    session has not flushed yet is not seen. Raises SQLAlchemy's exceptions, without the parameters.
    """
    connection: Connection = session.info.get(CONNECTION) or session.connection()
    driver = driver_of(connection)
    adapting = Transformer(driver)
    with translated(connection, statement), statement_span(statement):
        name = _prepared(connection, driver, statement)
        values: Any = adapting.dump_sequence(parameters, _FORMATS[: len(parameters)])
        result = driver.pgconn.exec_prepared(name, values, adapting.formats)
        if result.status != _TUPLES_OK:
            return _nothing(result)
        adapting.set_pgresult(result)
        return adapting.load_rows(0, result.ntuples, tuple)


# Values go as texts, for PostgreSQL says of what type they are; bytes are the same either way.
_FORMATS = [PyFormat.TEXT] * 100


def _prepared(connection: Connection, driver: Driver, statement: str) -> bytes:
    """The name under which the connection knows a statement."""
    known: dict[str, bytes] = connection.info.setdefault(_PREPARED, {})
    name = known.get(statement)
    if name is None:
        name = f"deskledger_{next(_NUMBERS)}".encode()
        _nothing(driver.pgconn.prepare(name, statement.encode()))
        known[statement] = name
    return name


def _nothing(result: PGresult) -> list[tuple[Any, ...]]:
    if result.status != _COMMAND_OK:
        raise _failure(result)
    return []


def _failure(result: PGresult) -> psycopg.Error:
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError(result.get_error_message())  # libpq's own: the connection is lost
    return error_from_result(result)


def begin(connection: Connection, setting: str) -> None:
    """Begin a transaction and say whose rows it may see, in one round trip; ``setting`` is an id or ``*``.

    psycopg deallocates all prepared statements now and then, those of others too: then nobody knows ours any more.
    """
    driver = driver_of(connection)
    announcement = f"EXECUTE deskledger_begin('{setting}')"
    if driver.pgconn.transaction_status != TransactionStatus.IDLE:
        return  # a savepoint: it was said before
    with translated(connection, announcement):
        begun = driver.pgconn.exec_(f"BEGIN; {announcement}".encode())
        if begun.error_field(DiagnosticField.SQLSTATE) == _UNKNOWN_STATEMENT:
            connection.info.pop(_PREPARED, None)
            _nothing(driver.pgconn.exec_(b"ROLLBACK"))
            _nothing(driver.pgconn.exec_(_PREPARE_BEGIN))
            begun = driver.pgconn.exec_(f"BEGIN; {announcement}".encode())
        if begun.status != _TUPLES_OK:
            raise _failure(begun)


def roll_back(connection: Connection) -> None:
    """Roll back before psycopg does: it would then deallocate all prepared statements."""
    if connection.invalidated:
        return
    driver = driver_of(connection)
    if driver.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        driver.pgconn.exec_(b"ROLLBACK")


def forget_prepared(connection: Connection) -> None:
    """Prepare everything anew: psycopg is about to deallocate all prepared statements inside of a transaction."""
    connection.info.pop(_PREPARED, None)


def is_silent(driver: Driver) -> bool:
    """Whether a connection that nobody uses looks alive: open, and with nothing to read from the server.

    What has come unasked is taken for a goodbye; a changed setting of the server's may come, too, and does no harm.
    """
    if driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)


def driver_of(connection: Connection) -> Driver:
    """psycopg's connection below SQLAlchemy's."""
    return cast(Driver, connection.connection.driver_connection)


@contextmanager
def translated(connection: Connection, statement: str) -> Iterator[None]:
    """Let psycopg's errors leave as SQLAlchemy's, and a lost connection not return to the pool."""
    try:
        yield
    except psycopg.Error as error:
        is_lost = driver_of(connection).closed
        ours = DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost
        )
        if is_lost:
            connection.invalidate(error)
        raise ours from error
