"""CSV import: how long ten thousand members take, dry and real, over HTTP in-process on real PostgreSQL.

python bench/members_import.py [--rows 10000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import make_url, text

from common.db import Database
from common.db.migrate import create_database, drop_databases, upgrade_database
from common.http import create_service_app
from members.config import MembersSettings
from members.service import SERVICE

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@contextmanager
def members_app() -> Iterator[Any]:
    """The members service on a database of its own, dropped afterwards."""
    name = f"bench_members_{secrets.token_hex(4)}"
    create_database(SERVER, name)
    url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    upgrade_database(url, SERVICE.migrations)
    database = Database(url)
    settings = MembersSettings(database_url=url, internal_token="bench", secret="bench")
    SERVICE.prepare(database, settings)
    try:
        yield create_service_app(SERVICE, settings, database)
    finally:
        database.dispose()
        drop_databases(SERVER, name)


def sign_up(client: Any) -> str:
    """A fresh organisation; returns its owner's token."""
    body = {
        "name": "Harbour Works",
        "slug": f"bench-{secrets.token_hex(4)}",
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "owner": {"name": "Example Owner", "email": "owner@harbour.example", "password": secrets.token_hex(8)},
    }
    return str(client.post("/v1/organizations", json=body).json["access_token"])


def csv_file(rows: int) -> bytes:
    """A file as an operator would export it; every hundredth row is faulty."""
    lines = ["name,email,phone,billing_day,billing_street,billing_city,billing_postal_code,billing_country"]
    for number in range(rows):
        email = "nobody" if number % 100 == 99 else f"member{number}@example.com"
        lines.append(f"Member {number},{email},+49 40 {number},1,Kai {number},Hamburg,20457,DE")
    return "\n".join(lines).encode()


def measure(client: Any, file: bytes, query: str) -> float:
    """Seconds that one import took."""
    headers = {"Authorization": f"Bearer {sign_up(client)}", "Content-Type": "text/csv"}
    started = time.perf_counter()
    answer = client.post(f"/v1/members/import{query}", data=file, headers=headers)
    seconds = time.perf_counter() - started
    report = answer.json
    assert answer.status_code == 200, report
    assert report["failed"] == report["rows"] // 100, report["errors"][:3]
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    file = csv_file(options.rows)
    with members_app() as app:
        client = app.test_client()
        with app.extensions["database"].system_session() as session:
            version = session.scalar(text("SHOW server_version"))
        print(f"rig: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(f"PostgreSQL {version}")
        print(f"file: {options.rows} rows, {len(file) / 1024:.0f} KiB, 1 % faulty; median of {options.rounds} rounds")
        for name, query in (("dry run", "?dry_run=true"), ("import", "")):
            seconds = statistics.median(measure(client, file, query) for _ in range(options.rounds))
            print(f"{name:8} {seconds:6.2f} s  {options.rows / seconds:8.0f} rows/s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory of the process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
