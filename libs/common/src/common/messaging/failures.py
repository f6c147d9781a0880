"""Which failures pass with time, and which will be the same on every attempt."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from common.errors import DomainError, TransientError, UnavailableError

# An IntegrityError is a lost race or a row that is not here yet: the next attempt sees the winner's row.
_TRANSIENT = (
    TransientError,
    UnavailableError,
    OperationalError,
    InterfaceError,
    IntegrityError,
    PoolTimeoutError,
    StaleDataError,
    OSError,
)


class DatabaseDownError(TransientError):
    """The consumer's own database does not answer: wait for it, and count no attempt against any message."""


class UnknownVersionError(DomainError):
    """A message of a newer major version than this consumer knows."""


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may succeed; other refusals (`DomainError`) and bugs are permanent."""
    return isinstance(error, _TRANSIENT) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def lost_connection(error: BaseException) -> bool:
    """Whether the error says that the database's connection broke or could not be made."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None)
        return isinstance(error.orig, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P")))
    return False


def describe(error: BaseException) -> str:
    """Class and message on one line, short enough for a column and free of statement parameters."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {cause}".replace("\n", " ").replace("\0", "")[:500]
