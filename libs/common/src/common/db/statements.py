"""Statements of every request, sent by libpq itself: the layers above it cost more than these statements do.

They belong to the session's transaction like all others, fail with SQLAlchemy's exceptions, and show up in spans: one
for each round trip.
"""

from __future__ import annotations

import itertools
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from common.db.round_trips import Call, send_together
from common.telemetry.spans import statement_span

Rows = list[tuple[Any, ...]]
Statement = tuple[str, Sequence[Any]]
Driver = psycopg.Connection[tuple[Any, ...]]
# Where a session keeps the connection of its running transaction: asking it takes longer than asking PostgreSQL.
CONNECTION = "statements.connection"
_KNOWN = "statements.known"
_LAST = "statements.last"
_RINGING = "statements.ringing"
_NUMBERS = itertools.count()
_ANNOUNCE = "SELECT set_config('deskledger.organization', $1, true)"
_BEGIN, _COMMIT = ("BEGIN", ()), ("COMMIT", ())
_COMMAND_OK, _TUPLES_OK = ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK
# Values go as texts, for PostgreSQL says of what type they are; bytes are the same either way.
_FORMATS = [PyFormat.TEXT] * 100


def run(session: Session, statement: str, parameters: Sequence[Any] = ()) -> Rows:
    """Run a statement with parameters ``$1, $2, …`` in the session's transaction; returns its rows.

    It is prepared once for each connection, so write the types that PostgreSQL cannot see (``$1::uuid[]``). What the
    session has not flushed yet is not seen. Raises SQLAlchemy's exceptions, without the parameters.
    """
    connection: Connection = session.info.get(CONNECTION) or session.connection()
    channel = _channel(connection)
    with translated(connection, statement), statement_span(statement):
        name, values, formats = channel.call(statement, parameters)
        return channel.rows_of(channel.pgconn.exec_prepared(name, values, formats))


def run_together(connection: Connection, statements: Sequence[Statement]) -> list[Rows]:
    """Run statements in one round trip; returns the rows of each. None is run after one that fails.

    Raises SQLAlchemy's exceptions, without the parameters.
    """
    channel = _channel(connection)
    text = "; ".join([statement for statement, _ in statements])
    with translated(connection, text), statement_span(text):
        calls = [channel.call(statement, parameters) for statement, parameters in statements]
        return [channel.rows_of(result) for result in send_together(channel.pgconn, calls)]


def write_last(session: Session, statements: Sequence[Statement], ring: str | None = None) -> None:
    """Run statements right before the commit that is under way, in its round trip.

    ``ring`` is a channel on which listeners are notified after the commit, in a transaction of its own: notifying in
    the same one would make all commits of a database wait for each other.
    """
    info = (session.info.get(CONNECTION) or session.connection()).info
    info.setdefault(_LAST, []).extend(statements)
    if ring is not None:
        info.setdefault(_RINGING, {})[ring] = True


class _Channel:
    """What is known of a connection: its prepared statements by their texts, and how values become texts and back."""

    def __init__(self, driver: Driver) -> None:
        self.pgconn = driver.pgconn
        self.prepared: dict[str, bytes] = {}
        self._adapting = Transformer(driver)

    def call(self, statement: str, parameters: Sequence[Any]) -> Call:
        """A statement, prepared when it is new, with its parameters as libpq wants them."""
        name = self.prepared.get(statement) or self._prepare(statement)
        values: Any = self._adapting.dump_sequence(parameters, _FORMATS[: len(parameters)])
        return name, values, self._adapting.formats

    def rows_of(self, result: PGresult) -> Rows:
        """The rows of a result; raises psycopg's exceptions."""
        if result.status == _TUPLES_OK:
            self._adapting.set_pgresult(result)
            return self._adapting.load_rows(0, result.ntuples, tuple)
        if result.status != _COMMAND_OK:
            raise _failure(result)
        return []

    def _prepare(self, statement: str) -> bytes:
        name = f"deskledger_{next(_NUMBERS)}".encode()
        self.rows_of(self.pgconn.prepare(name, statement.encode()))
        self.prepared[statement] = name
        return name


def _channel(connection: Connection) -> _Channel:
    info = connection.info
    known: _Channel | None = info.get(_KNOWN)
    if known is None:
        known = info[_KNOWN] = _Channel(driver_of(connection))
    return known


def _failure(result: PGresult) -> psycopg.Error:
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError(result.get_error_message())  # libpq's own: the connection is lost
    return error_from_result(result)


def begin(connection: Connection, setting: str, first: Sequence[Statement] = ()) -> list[Rows] | None:
    """Begin a transaction, say whose rows it may see (``setting`` is an id or ``*``) and run its first statements.

    All in one round trip. Returns the rows of the first statements, or None inside of a running transaction (a
    savepoint), where nothing is to be done. psycopg deallocates all prepared statements now and then, those of others
    too: then nobody knows ours any more, and everything is prepared anew.
    """
    driver = driver_of(connection)
    if driver.pgconn.transaction_status != TransactionStatus.IDLE:
        return None
    _forget_unwritten(connection)
    statements = [_BEGIN, (_ANNOUNCE, (setting,)), *first]
    try:
        return run_together(connection, statements)[2:]
    except DBAPIError as error:
        if not isinstance(error.orig, InvalidSqlStatementName):
            raise
    forget_prepared(connection)
    roll_back(connection)
    return run_together(connection, statements)[2:]


def commit(connection: Connection) -> None:
    """Commit, with what is written last and with the bells, in one round trip; psycopg then finds nothing to commit."""
    if driver_of(connection).pgconn.transaction_status != TransactionStatus.INTRANS:
        return
    info = connection.info
    last, ringing = info.pop(_LAST, ()), info.pop(_RINGING, ())
    try:
        run_together(connection, [*last, _COMMIT, *((f"NOTIFY {channel}", ()) for channel in ringing)])
    except BaseException:
        # SQLAlchemy takes a commit that failed for the transaction's end, and hands the connection to the next one.
        roll_back(connection)
        raise


def roll_back(connection: Connection) -> None:
    """Roll back before psycopg does: it would then deallocate all prepared statements."""
    if connection.invalidated:
        return
    _forget_unwritten(connection)
    driver = driver_of(connection)
    if driver.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        driver.pgconn.exec_(b"ROLLBACK")


def _forget_unwritten(connection: Connection) -> None:
    connection.info.pop(_LAST, None)
    connection.info.pop(_RINGING, None)


def forget_prepared(connection: Connection) -> None:
    """Prepare everything anew: psycopg is about to deallocate all prepared statements inside of a transaction."""
    connection.info.pop(_KNOWN, None)


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
