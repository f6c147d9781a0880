"""Invoices per second of a monthly billing run, beside plain COPY of the same rows in the same database.

Each customer has one membership and two fees: three lines per invoice. Issued means: number, lines, totals, canonical
document, hash chain and outbox row, committed. Each size has a database of its own, and its run a process, so that the
peak memory is the run's. CPU time is that of this process and of its PostgreSQL sessions (read from /proc, where the
server is on the same Linux machine); on a busy machine it tells more than the clock on the wall.

    python bench/billing_run.py [--sizes 1000 10000 100000] [--batch N] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import os
import platform
import pstats
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event, make_url, text

from common.db import Database
from common.db.database import make_engine
from common.db.migrate import create_database, drop_databases, upgrade_database
from common.ids import new_id
from common.tenancy import store_organization
from invoicing.models import BillingRun
from invoicing.service import SERVICE
from invoicing.services.billing.runs import BATCH, start_run, work_on_run
from invoicing.services.settings import billing_settings

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AS_OF = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
RUN_AT = datetime(2027, 2, 28, 23, 0, tzinfo=UTC)
PLANS = [(new_id(), name, price) for name, price in (("Flex desk", 30000), ("Fixed desk", 42000), ("Office", 119000))]
COPIED = {"invoice": "id", "invoice_line": "id", "chained_document": "position", "outbox": "seq"}


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of CPU: in this process and in its PostgreSQL sessions (0 where it cannot be read)."""

    wall: float
    python: float
    postgres: float


@dataclass(frozen=True, slots=True)
class Result:
    """One size: the run, its ceiling, the peak memory in MB and the statements per batch of customers."""

    size: int
    run: Spent
    ceiling: Spent
    peak: float
    statements: float


def organization(database: Database) -> UUID:
    """An organisation in Berlin at 19 % tax."""
    organization_id = new_id()
    row = {
        "id": organization_id,
        "slug": f"bench-{organization_id.hex[-8:]}",
        "name": "Harbour Works",
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "mode": "rehearsal",
        "clock_now": NOW,
        "version": 1,
        "clock_version": 1,
    }
    with database.system_session() as session:
        store_organization(session, row)
        session.commit()
    with database.session(organization_id) as session:
        billing_settings(session).tax_percent = Decimal(19)
        session.commit()
    return organization_id


def customer(organization_id: UUID, n: int) -> dict[str, Any]:
    """A member who pays for themselves."""
    address = {"street": f"Kai {n}", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
    return {
        "id": new_id(), "organization_id": organization_id, "version": 1, "kind": "member", "name": f"Member {n}",
        "email": f"member{n}@example.com", "billing": json.dumps({"address": address}), "auto_collect": True,
        "reminders": True, "is_billing_person": False, "status": "active", "bookings_blocked": False,
        "standing_version": 0,
    }  # fmt: skip


def membership(organization_id: UUID, payer_id: UUID, n: int) -> dict[str, Any]:
    """One of three plans, begun on any day of last year and billed up to March."""
    plan_id, plan_name, price = PLANS[n % len(PLANS)]
    start = date(2026, 2, 1) + timedelta(days=n % 365)
    return {
        "id": new_id(), "organization_id": organization_id, "version": 1, "plan_id": plan_id, "plan_name": plan_name,
        "payer_id": payer_id, "member_id": payer_id, "is_personal": False, "start_date": start, "currency": "EUR",
        "price_minor": price, "quantity": 1, "discount_percent": 0, "interval": "month", "interval_count": 1,
        "anchor_date": start.replace(day=1), "prorate": True, "trial_days": 0, "minimum_term_months": 0,
        "notice_days": 0, "credits_hours": 0, "credits_carry_over_cap": 0, "passes": 0,
        "resource_discount_percent": 0, "pauses": "[]", "billed_until": AS_OF, "earliest_issue": start,
        "issue_on": AS_OF, "run_at": RUN_AT, "created_at": NOW - timedelta(days=400),
    }  # fmt: skip


def fee(organization_id: UUID, payer_id: UUID, n: int) -> dict[str, Any]:
    """A room for some hours in February."""
    dated = date(2027, 2, 1 + n % 28)
    return {
        "id": new_id(), "organization_id": organization_id, "version": 1, "payer_id": payer_id, "member_id": payer_id,
        "is_personal": False, "source": "manual", "part": 0, "name": f"Blue Room, {n % 7 + 1} hours", "details": "[]",
        "currency": "EUR", "price_minor": 1500, "quantity": n % 7 + 1, "discount_percent": 0, "discount_minor": 0,
        "dated": dated, "created_on": dated, "bill_in_advance": False, "is_refundable": False, "status": "unbilled",
        "issue_on": AS_OF, "run_at": RUN_AT, "created_at": NOW - timedelta(days=20),
    }  # fmt: skip


def furnish(database: Database, organization_id: UUID, size: int) -> None:
    """Customers with a membership and two fees each, as if March were to be billed; fees come as the month goes by."""
    customers = [customer(organization_id, n) for n in range(size)]
    payers = [each["id"] for each in customers]
    with superuser(database) as driver:
        store(driver, "customer", customers)
        store(driver, "membership", [membership(organization_id, payer, n) for n, payer in enumerate(payers)])
        for turn in (0, 1):
            store(driver, "fee", [fee(organization_id, payer, 3 * n + turn) for n, payer in enumerate(payers)])
        driver.execute("ANALYZE")  # as autovacuum would have done by the end of a month


def store(driver: Any, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows by COPY."""
    with driver.cursor().copy(f"COPY {table} ({', '.join(rows[0])}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))


@contextmanager
def superuser(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner in autocommit: COPY into tables is not for roles under row-level security."""
    engine = make_engine(database.url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        yield driver
    engine.dispose()


class Meter:
    """Clock and CPU from its making on."""

    def __init__(self, backends: Collection[int]) -> None:
        self.backends = backends
        self.began = (time.perf_counter(), time.process_time(), self._postgres())

    def _postgres(self) -> float:
        return sum(backend_cpu(pid) for pid in self.backends)

    def read(self) -> Spent:
        """What was spent so far."""
        wall, python, postgres = self.began
        return Spent(time.perf_counter() - wall, time.process_time() - python, self._postgres() - postgres)


def backend_cpu(pid: int) -> float:
    """Seconds of CPU that a PostgreSQL session used; 0 when it is on another machine."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bill(database: Database, organization_id: UUID, batch: int) -> tuple[Spent, float]:
    """What a run over everything took, and its statements per batch."""
    backends: set[int] = set()
    event.listen(database.engine, "connect", lambda driver, _: backends.add(driver.info.backend_pid))
    with database.session(organization_id) as session:
        run = start_run(session, as_of=AS_OF)
        session.commit()
    statements = count_statements(database)
    batches: list[int] = []
    meter = Meter(backends)
    work_on_run(database, organization_id, run.id, batch=batch, progress=lambda _: batches.append(len(statements)))
    spent = meter.read()
    with database.session(organization_id) as session:
        done = session.get_one(BillingRun, run.id)
        assert done.status == "completed", (done.status, done.errors[:1])
    return spent, (batches[-2] if len(batches) > 1 else batches[0]) / max(len(batches) - 1, 1)


def count_statements(database: Database) -> list[str]:
    """A list that grows with each statement."""
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    original = psycopg.Cursor.copy

    def copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(statement)
        return original(self, statement, *args, **kwargs)

    psycopg.Cursor.copy = copy  # type: ignore[method-assign]
    return statements


def copy_ceiling(database: Database) -> Spent:
    """What it takes to write the same rows by plain COPY into equal tables with the same indexes."""
    with superuser(database) as driver:
        spent = [copy_again(driver, table, order) for table, order in COPIED.items()]
    return Spent(*(sum(getattr(each, name) for each in spent) for name in Spent.__slots__))


def copy_again(driver: psycopg.Connection[Any], table: str, order: str) -> Spent:
    """Write all rows of a table once more, into a copy of it."""
    like = "INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE INCLUDING COMPRESSION"
    with tempfile.TemporaryFile() as file, driver.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY {order}) TO STDOUT") as out:
            for chunk in out:
                file.write(chunk)
        file.seek(0)
        cursor.execute(f"CREATE TABLE copied (LIKE {table} {like})")
        meter = Meter([driver.info.backend_pid])
        with cursor.copy("COPY copied FROM STDIN") as into:
            while chunk := file.read(1 << 18):
                into.write(chunk)
        spent = meter.read()
        cursor.execute("DROP TABLE copied")
    return spent


def measure(size: int, batch: int, profile: bool) -> Result:
    """One size on a database of its own."""
    name = f"bench_billing_{secrets.token_hex(4)}"
    create_database(SERVER, name)
    url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    upgrade_database(url, SERVICE.migrations)
    database = Database(url)
    try:
        organization_id = organization(database)
        # A process counts as its own what its parent held when it was started: the rows are made in one, too.
        apart(furnish_alone, url, organization_id, size)
        run, statements, peak = apart(bill_alone, url, organization_id, batch, profile)
        return Result(size, run, copy_ceiling(database), peak, statements)
    finally:
        database.dispose()
        drop_databases(SERVER, name)


def apart(work: Callable[..., Any], *args: Any) -> Any:
    """What a function returns in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, args)


def furnish_alone(url: str, organization_id: UUID, size: int) -> None:
    """In a process of its own: the customers with what they have due."""
    database = Database(url)
    furnish(database, organization_id, size)
    database.dispose()


def bill_alone(url: str, organization_id: UUID, batch: int, profile: bool) -> tuple[Spent, float, float]:
    """In a process of its own: what the run took, its statements per batch, and the peak memory in MB."""
    database = Database(url)
    with profiled(profile):
        run, statements = bill(database, organization_id, batch)
    database.dispose()
    return run, statements, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def profiled(wanted: bool) -> Iterator[None]:
    """Print where the time of Python goes."""
    profiler = cProfile.Profile()
    if wanted:
        profiler.enable()
    yield
    if wanted:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def show(result: Result) -> None:
    """The line of a size."""
    size, run, ceiling = result.size, result.run, result.ceiling
    cpu, copied = run.python + run.postgres, ceiling.python + ceiling.postgres
    print(
        f"{size:>8,} invoices {size / run.wall:>7,.0f}/s {run.wall:>7.2f} s | COPY {size / ceiling.wall:>7,.0f}/s"
        f" {run.wall / ceiling.wall:>5.1f} x | CPU per invoice: Python {per_invoice(run.python, size)} + PostgreSQL"
        f" {per_invoice(run.postgres, size)} us, COPY {per_invoice(copied, size)} us {cpu / copied:>5.1f} x"
        f" | peak {result.peak:>4.0f} MB | {result.statements:.1f} statements a batch",
        flush=True,
    )


def per_invoice(seconds: float, size: int) -> str:
    """Microseconds."""
    return f"{seconds / size * 1e6:.0f}"


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, PostgreSQL {server()}")
    print(f"batches of {options.batch} customers, one membership and two fees each: three lines an invoice")
    results = []
    for size in options.sizes:
        results.append(measure(size, options.batch, options.profile))
        show(results[-1])
    times = ", ".join(f"{each.size:,}: {each.run.wall / each.size * 1e6:.0f} us" for each in results)
    print(f"linear: time per invoice at {times}; busy machine: load {os.getloadavg()[0]:.1f}")


def server() -> str:
    """Version and durability of the server."""
    names = ("server_version", "fsync", "synchronous_commit")
    engine = make_engine(SERVER, pool_size=1)
    with engine.connect() as connection:
        version, fsync, commit = [str(connection.execute(text(f"SHOW {name}")).scalar()) for name in names]
    engine.dispose()
    return f"{version.split()[0]} (fsync {fsync}, synchronous_commit {commit})"


if __name__ == "__main__":
    main()
