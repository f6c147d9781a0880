"""Invoices per second of a monthly billing run, beside plain COPY of the same rows in the same database.

Each customer has one membership and two fees: three lines per invoice. Issued means: number, lines, totals, canonical
document, hash chain and outbox row, committed.

    python bench/billing_run.py [--sizes 1000 10000 100000] [--batch 500] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import resource
import secrets
import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import make_url, text

from common.db import Database
from common.db.migrate import create_database, drop_database, upgrade_database
from common.ids import new_id
from common.tenancy import store_organization
from invoicing.models import BillingRun
from invoicing.service import SERVICE
from invoicing.services.billing.runs import start_run, work_on_run
from invoicing.services.settings import billing_settings

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
AS_OF = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
COPIED = ("invoice", "invoice_line", "chained_document", "outbox")


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
        billing_settings(session).tax_percent = 19
        session.commit()
    return organization_id


CUSTOMERS = """
INSERT INTO customer (id, organization_id, version, kind, name, email, billing, auto_collect, reminders,
    is_billing_person, status, bookings_blocked, standing_version)
SELECT gen_random_uuid(), :org, 1, 'member', 'Member ' || n, 'member' || n || '@example.com',
    '{"address": {"street": "Kai 1", "city": "Hamburg"}}', true, true, false, 'active', false, 0
FROM generate_series(1, :size) n
"""
MEMBERSHIPS = """
INSERT INTO membership (id, organization_id, version, plan_id, plan_name, payer_id, member_id, is_personal, start_date,
    currency, price_minor, quantity, discount_percent, interval, interval_count, anchor_date, prorate, trial_days,
    minimum_term_months, notice_days, credits_hours, credits_carry_over_cap, passes, resource_discount_percent, pauses,
    billed_until, earliest_issue, issue_on, run_at, created_at)
SELECT gen_random_uuid(), :org, 1, gen_random_uuid(), 'Flex desk', id, id, false, '2027-02-01',
    'EUR', 30000, 1, 0, 'month', 1, '2027-02-01', true, 0, 0, 0, 0, 0, 0, 0, '[]',
    '2027-03-01', '2027-02-01', '2027-03-01', '2027-02-28T23:00Z', '2027-02-01T00:00Z'
FROM customer WHERE organization_id = :org
"""
FEES = """
INSERT INTO fee (id, organization_id, version, payer_id, member_id, is_personal, source, part, name, details, currency,
    price_minor, quantity, discount_percent, discount_minor, dated, created_on, bill_in_advance, is_refundable, status,
    issue_on, run_at, created_at)
SELECT gen_random_uuid(), :org, 1, id, id, false, 'manual', 0, 'Blue Room, three hours', '[]', 'EUR',
    1500, 3, 0, 0, '2027-02-15', '2027-02-15', false, false, 'unbilled', '2027-03-01', '2027-02-28T23:00Z',
    '2027-02-15T00:00Z'
FROM customer, generate_series(1, 2) WHERE organization_id = :org
"""


def furnish(database: Database, organization_id: UUID, size: int) -> None:
    """Customers with a membership and two fees each, as if March were to be billed."""
    with database.system_session() as session:
        for statement in (CUSTOMERS, MEMBERSHIPS, FEES):
            session.execute(text(statement), {"org": organization_id, "size": size})
        session.commit()
    analyze(database)


def analyze(database: Database) -> None:
    """Fresh statistics, as autovacuum would have made them by the end of a month."""
    with superuser(database).connect() as connection:
        connection.execute(text("ANALYZE"))


def superuser(database: Database) -> Any:
    """An engine of the owner in autocommit: COPY is not for roles under row-level security."""
    from common.db.database import make_engine

    return make_engine(database.url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")


def bill(database: Database, organization_id: UUID, batch: int) -> float:
    """Seconds that a run over everything took."""
    with database.session(organization_id) as session:
        run = start_run(session, as_of=AS_OF)
        session.commit()
    started = time.perf_counter()
    work_on_run(database, organization_id, run.id, batch=batch)
    seconds = time.perf_counter() - started
    with database.session(organization_id) as session:
        done = session.get_one(BillingRun, run.id)
        assert done.status == "completed", (done.status, done.errors[:1])
    return seconds


def copy_ceiling(database: Database, organization_id: UUID) -> float:
    """Seconds to write the same rows by plain COPY into equal tables with the same indexes."""
    engine = superuser(database)
    seconds = 0.0
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for table in COPIED:
            order = "seq" if table == "outbox" else "id"
            with driver.cursor() as cursor:
                mine = f"SELECT * FROM {table} WHERE organization_id = '{organization_id}' ORDER BY {order}"
                with cursor.copy(f"COPY ({mine}) TO STDOUT") as out:
                    data = b"".join(bytes(chunk) for chunk in out)
                copied = f"copy_of_{table}"
                cursor.execute(f"DROP TABLE IF EXISTS {copied}")
                cursor.execute(f"CREATE TABLE {copied} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)")
                started = time.perf_counter()
                with cursor.copy(f"COPY {copied} FROM STDIN") as into:
                    into.write(data)
                seconds += time.perf_counter() - started
                cursor.execute(f"DROP TABLE {copied}")
    engine.dispose()
    return seconds


def measure(size: int, batch: int, *, profile: bool) -> None:
    """One size on a database of its own; prints a line."""
    name = f"bench_billing_{secrets.token_hex(4)}"
    create_database(SERVER, name)
    url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    upgrade_database(url, SERVICE.migrations)
    database = Database(url)
    try:
        organization_id = organization(database)
        furnish(database, organization_id, size)
        profiler = cProfile.Profile()
        if profile:
            profiler.enable()
        seconds = bill(database, organization_id, batch)
        if profile:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(35)
        ceiling = copy_ceiling(database, organization_id)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size:>8} invoices  {size / seconds:>7.0f}/s  {seconds:>7.2f} s   COPY {size / ceiling:>7.0f}/s"
            f"   {seconds / ceiling:>5.1f} times COPY   peak {peak:>5.0f} MB"
        )
    finally:
        database.dispose()
        drop_database(SERVER, name)


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, batches of {options.batch}"
    )
    for size in options.sizes:
        measure(size, options.batch, profile=options.profile)


if __name__ == "__main__":
    main()
