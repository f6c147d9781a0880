"""One service's database: an engine, and sessions that cannot forget whose data they handle (ARCHITECTURE 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.orm.unitofwork import UOWTransaction

from common.clock import Clock, SystemClock
from common.db.mapping import TenantMixin
from common.db.statements import (
    CONNECTION,
    Rows,
    Statement,
    begin,
    commit,
    forget_prepared,
    is_silent,
    roll_back,
    run,
    run_together,
)
from common.errors import UnavailableError

EVERY_ORGANIZATION = "*"
_AHEAD = "database.ahead"
_FIRST = "database.first"
_ANSWERED = "database.answered"


@dataclass(frozen=True, slots=True)
class Organization:
    """A service's copy of an organisation: what it is called, its money and zone, and its clock."""

    id: UUID
    slug: str
    name: str
    country: str
    currency: str
    timezone: str
    language: str
    mode: str
    profile: dict[str, Any]
    clock_now: datetime | None
    version: int
    clock_version: int


# The columns in the order of the fields.
_ORGANIZATION = f"SELECT {', '.join(Organization.__slots__)} FROM organization WHERE id = $1"  # noqa: S608 - constants


class TenantSession(Session):
    """A session of one organisation, or of all of them for workers (``organization_id`` None).

    Bound to an organisation it adds the filter to every ORM query, stamps every insert, and tells PostgreSQL whose
    rows the transaction may see (row-level security). Rollback is the default; commit is explicit.
    """

    organization_id: UUID | None = None
    clock: Clock
    _organization: Organization | None = None

    def bind_organization(self, organization_id: UUID | None) -> None:
        """Switch to another organisation (None: all). Objects already loaded are let go."""
        self.expunge_all()
        self.organization_id = organization_id
        self._organization = None
        if self.in_transaction():
            self.execute(text("SELECT set_config('deskledger.organization', :org, true)"), {"org": self._setting})

    @property
    def _setting(self) -> str:
        return str(self.organization_id) if self.organization_id else EVERY_ORGANIZATION

    def ask_ahead(self, statements: Sequence[Statement], judge: Callable[[list[Rows]], None]) -> None:
        """Let statements go ahead of the transaction's first ones, whatever they will be, in the same round trip.

        ``judge`` gets the rows of each and may raise, before anything else of the transaction is done.
        """
        self.info[_AHEAD] = (statements, judge)

    @property
    def is_asking_ahead(self) -> bool:
        """Whether what was to go ahead has not gone yet, because the transaction has not begun."""
        return _AHEAD in self.info

    def start(self, *statements: Statement) -> list[Rows]:
        """Run statements (as `common.db.statements.run`) in the round trip that begins the transaction.

        The organisation comes along. In a transaction that has begun before they go by themselves.
        """
        first = [*statements]
        knows = self._organization is not None and CONNECTION in self.info
        if self.organization_id is not None and not knows:
            first.append((_ORGANIZATION, (self.organization_id,)))
        self.info[_FIRST] = first
        connection = self.info.get(CONNECTION) or self.connection()
        self.info.pop(_FIRST, None)
        found: list[Rows] | None = self.info.pop(_ANSWERED, None)
        if found is None:
            found = run_together(connection, first)
        if len(found) > len(statements):
            rows = found.pop()
            self._organization = Organization(*rows[0]) if rows else None
        return found

    def forget_organization(self) -> None:
        """Read the organisation anew when it is next asked for: this transaction has changed it."""
        self._organization = None

    @property
    def organization(self) -> Organization:
        """The organisation this session is bound to; raises UnavailableError while its copy has not arrived here."""
        if self._organization is None:
            rows = run(self, _ORGANIZATION, (self.organization_id,))
            if not rows:
                raise UnavailableError(
                    "organization_not_here_yet", "this organisation is still being set up; try again in a moment"
                )
            self._organization = Organization(*rows[0])
        return self._organization

    def now(self) -> datetime:
        """The organisation's business time: a rehearsal organisation's own clock, else the real time."""
        return self.organization.clock_now or self.clock.now()


@event.listens_for(TenantSession, "after_begin")
def _announce_organization(session: TenantSession, _transaction: SessionTransaction, connection: Any) -> None:
    ahead, judge = session.info.pop(_AHEAD, ((), None))
    first = session.info.pop(_FIRST, None)
    answered = begin(connection, session._setting, [*ahead, *(first or ())])
    session.info[CONNECTION] = connection
    session._organization = None
    if judge is not None:
        judge(run_together(connection, ahead) if answered is None else answered[: len(ahead)])
    if first is not None and answered is not None:
        session.info[_ANSWERED] = answered[len(ahead) :]


@event.listens_for(TenantSession, "after_transaction_create")
@event.listens_for(TenantSession, "after_transaction_end")
def _forget_connection(session: TenantSession, _transaction: SessionTransaction) -> None:
    # A savepoint is not made before the session is asked for its connection.
    session.info.pop(CONNECTION, None)


@event.listens_for(TenantSession, "do_orm_execute")
def _filter_by_organization(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, TenantSession) or session.organization_id is None:
        return
    if (state.is_select or state.is_update or state.is_delete) and not state.is_column_load:
        organization_id = session.organization_id
        state.statement = state.statement.options(
            with_loader_criteria(TenantMixin, lambda cls: cls.organization_id == organization_id, include_aliases=True)
        )


@event.listens_for(TenantSession, "do_orm_execute")
def _read_anew_what_is_locked(state: ORMExecuteState) -> None:
    """A row that the session has read before its lock stands there as it was then, unless it is read anew.

    Not where changes are kept back from the database: they would be lost.
    """
    locks = state.is_select and getattr(state.statement, "_for_update_arg", None) is not None
    if locks and state.session.autoflush:
        state.update_execution_options(populate_existing=True)


@event.listens_for(TenantSession, "before_flush")
def _stamp_organization(session: TenantSession, _context: UOWTransaction, _instances: Any) -> None:
    for row in session.new:
        if isinstance(row, TenantMixin):
            stamp(session, row)


def stamp(session: TenantSession, row: TenantMixin) -> None:
    """Make a new row one of the session's organisation; raises PermissionError for a row of another one."""
    if row.organization_id is None:
        row.organization_id = session.organization_id
    elif session.organization_id not in (None, row.organization_id):
        raise PermissionError("a row of another organisation cannot be written in this session")


def make_engine(url: str, *, pool_size: int = 10, role: str | None = None) -> Engine:
    """An engine for PostgreSQL through psycopg; with ``role`` every connection takes that role on."""
    parsed = make_url(url)
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        # Errors quote their statement; its parameters hold what people sent us.
        hide_parameters=True,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 5},
    )
    _leave_out_dead_connections(engine)
    event.listen(engine, "commit", commit)
    event.listen(engine, "rollback", roll_back)
    event.listen(engine, "rollback_savepoint", lambda connection, *_: forget_prepared(connection))
    if role:
        _take_role(engine, role)
    return engine


def _leave_out_dead_connections(engine: Engine) -> None:
    """Use no connection that the server has closed while it lay in the pool (a restart), nor its contemporaries.

    A server says goodbye, and so does the kernel of one that was killed: then there is something to read where a
    resting connection is silent. Looking costs microseconds, where asking the server costs a round trip.
    """

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _record: Any, _pooled: Any) -> None:
        if not is_silent(connection):
            raise InvalidatePoolError


def _take_role(engine: Engine, role: str) -> None:
    @event.listens_for(engine, "connect")
    def set_role(connection: Any, _record: Any) -> None:
        autocommit, connection.autocommit = connection.autocommit, True
        connection.execute(f'SET ROLE "{role}"')
        connection.autocommit = autocommit


def service_role(url: str) -> str:
    """Name of the role that a service takes on in its database: neither superuser nor owner of the tables."""
    return f"{make_url(url).database}_service"


class Database:
    """A service's database. ``session(organization)`` for one organisation, ``system_session()`` across all."""

    def __init__(self, url: str, *, clock: Clock | None = None, pool_size: int = 10, role: str | None = None) -> None:
        self.url = url
        self.clock = clock or SystemClock()
        self.engine = make_engine(url, pool_size=pool_size, role=role if role is not None else service_role(url))

    def open_session(self, organization_id: UUID | None) -> TenantSession:
        """A session that the caller must close; None sees every organisation."""
        session = TenantSession(self.engine, expire_on_commit=False)
        session.organization_id = organization_id
        session.clock = self.clock
        return session

    @contextmanager
    def session(self, organization_id: UUID) -> Iterator[TenantSession]:
        """A session of one organisation; what is not committed explicitly is rolled back."""
        with self.open_session(organization_id) as session:
            yield session

    @contextmanager
    def system_session(self) -> Iterator[TenantSession]:
        """A session across organisations, for workers and administration only."""
        with self.open_session(None) as session:
            yield session

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()
