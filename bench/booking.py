"""Bookings per second through gunicorn, beside a bare Flask view doing one INSERT under the same exclusion constraint
and beside bare INSERTs by pgbench; and the availability of 500 resources over 31 days with 50,000 bookings.

Both servers stand side by side on one machine and one PostgreSQL and are asked in turns, so that a busy machine is busy
for all; what is said about a pair comes from the rounds' own ratios. Spread: 500 rooms, every request another slot.
Contended: one room, every client after the same slots. Beside the rates stands the processor time of a request, in the
web processes and in PostgreSQL's: it says the same on a busy machine as on a quiet one.

    python bench/booking.py [--seconds 5] [--clients 16] [--rounds 3] [--bookings 50000]
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

# This file has the service's name, and Python looks beside the script first.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from booking.models import Customer, Location, Resource, ResourceRate  # noqa: E402 - see above
from booking.service import SERVICE  # noqa: E402 - see above
from common.db import Database  # noqa: E402 - see above
from common.db.migrate import create_database, drop_databases, upgrade_database  # noqa: E402 - see above
from common.ids import new_id  # noqa: E402 - see above
from common.testing.plugin import add_organization, make_token  # noqa: E402 - see above

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
START = datetime(2030, 1, 7, tzinfo=UTC)
SLOT = timedelta(minutes=30)
ROOMS = 500
BARE_TABLE = """
CREATE TABLE bare (id uuid PRIMARY KEY, units int8range NOT NULL, during tstzrange NOT NULL,
                   EXCLUDE USING gist (units WITH &&, during WITH &&))
"""


def bare_app() -> Any:
    """A view that does one INSERT; everybody's first draft of a booking service."""
    import psycopg
    from flask import Flask, request

    app, local = Flask("bare"), threading.local()

    @app.post("/v1/bookings")
    def book() -> Any:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        body = request.get_json()
        try:
            local.connection.execute(
                "INSERT INTO bare VALUES (%s, int8range(%s, %s, '[]'), tstzrange(%s, %s))",
                (new_id(), body["room"], body["room"], body["start"], body["end"]),
            )
        except psycopg.errors.ExclusionViolation:
            return {"code": "slot_taken"}, 409
        return {"status": "confirmed"}, 201

    return app


@dataclass
class Measured:
    """Answers of one run by status, how long each took, and the processor time that they cost."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    web_cpu: float = 0.0
    database_cpu: float = 0.0

    def add(self, other: Measured) -> None:
        """Put another run of the same kind beside this one."""
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.latencies += other.latencies
        self.web_cpu += other.web_cpu
        self.database_cpu += other.database_cpu

    @property
    def answers(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    @property
    def booked(self) -> float:
        """Bookings made per second."""
        return self.statuses[201] / self.seconds

    def line(self) -> str:
        """One line of the report."""
        cuts = statistics.quantiles(self.latencies, n=100)
        statuses = " ".join(f"{status}:{count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.rate:6.0f} /s   p50 {cuts[49] * 1000:6.1f} ms   p99 {cuts[98] * 1000:6.1f} ms   "
            f"CPU per request: web {self.web_cpu / self.answers * 1000:5.2f} ms, "
            f"database {self.database_cpu / self.answers * 1000:5.2f} ms   {statuses}"
        )


@dataclass(frozen=True)
class Target:
    """A running server: where it listens, and the processes that answer."""

    port: int
    process_id: int

    def web_cpu(self) -> float:
        """Seconds of processor time, user and system, of the server and its workers so far."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children").read_text().split()
        return sum(_cpu_seconds(int(each)) for each in (self.process_id, *children))


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def database_cpu(opened: Database) -> float:
    """Seconds of processor time of PostgreSQL's processes for this database; 0 when they run on another machine."""
    with opened.system_session() as session:
        mine = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return sum(_cpu_seconds(each) for each in session.scalars(mine) if Path(f"/proc/{each}/stat").exists())


def measure(
    port: int, clients: int, seconds: float, bodies: Callable[[int, int], dict[str, Any]], token: str
) -> Measured:
    """Post bookings from so many clients for a while; ``bodies`` makes the n-th body of each client."""
    result, lock, stop = Measured(), threading.Lock(), time.monotonic() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        mine = Measured()
        for count in itertools.count(number):
            began = time.monotonic()
            if began >= stop:
                break
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": secrets.token_hex(8),
            }
            connection.request("POST", "/v1/bookings", json.dumps(bodies(number, count)), headers)
            response = connection.getresponse()
            response.read()
            mine.statuses[response.status] += 1
            mine.latencies.append(time.monotonic() - began)
        with lock:
            result.add(mine)

    began = time.monotonic()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.monotonic() - began
    return result


@contextmanager
def gunicorn(url: str, target: str) -> Iterator[Target]:
    """A server with two processes of eight threads for ``booking`` or ``bare``, as `deploy` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": url, "DESKLEDGER_INTERNAL_TOKEN": "bench", "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "booking", "web", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    if target == "bare":
        command = [sys.executable, __file__, "--serve-bare", str(port)]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Target(port, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(2)
            return
    raise SystemExit("the server does not come up")


@contextmanager
def database() -> Iterator[Database]:
    """A migrated database of our own, dropped afterwards."""
    name = f"bench_booking_{secrets.token_hex(4)}"
    create_database(SERVER, name)
    url = make_url(SERVER).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    upgrade_database(url, SERVICE.migrations)
    opened = Database(url)
    try:
        yield opened
    finally:
        opened.dispose()
        drop_databases(SERVER, name)


def furnish(opened: Database) -> tuple[str, str, list[str]]:
    """An organisation with 500 rooms, a rate and a member: (token, member, rooms)."""
    organization_id = add_organization(opened)
    location_id, member_id, rate_id = new_id(), new_id(), new_id()
    rooms = [new_id() for _ in range(ROOMS)]
    price = {"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}, "when": "any"}
    rate = {"rate_id": str(rate_id), "version": 1, "display_name": "Rooms", "prices": [price]}
    rate |= {"resource_types": ["meeting_room"]}
    common = {"organization_id": organization_id, "version": 1, "archived": False}
    with opened.session(organization_id) as session:
        session.add(Location(id=location_id, name="Dock", timezone="Europe/Berlin", state={}, **common))
        session.add(ResourceRate(id=rate_id, resource_ids=[], resource_types=["meeting_room"], state=rate, **common))
        common_person = {"organization_id": organization_id, "version": 1}
        session.add(Customer(id=member_id, kind="member", name="Member", status="active", state={}, **common_person))
        for number, room_id in enumerate(rooms):
            session.add(
                Resource(
                    id=room_id,
                    name=f"Room {number}",
                    type="meeting_room",
                    location_id=location_id,
                    capacity=1,
                    parent_ids=[],
                    visibility="members",
                    is_free=False,
                    published=True,
                    state={},
                    **common,
                )
            )
        session.commit()
    return make_token(organization_id), f"mem_{member_id.hex}", [f"res_{room.hex}" for room in rooms]


def slot(number: int) -> dict[str, str]:
    """The n-th half hour."""
    start = START + number * SLOT
    return {"start": start.isoformat(), "end": (start + SLOT).isoformat()}


Results = dict[tuple[str, str], list[Measured]]


def run_bookings(opened: Database, arguments: argparse.Namespace, token: str, member: str, rooms: list[str]) -> None:
    """Bookings through both servers in turns."""
    offsets, results = itertools.count(), Results()
    with gunicorn(opened.url, "bare") as bare, gunicorn(opened.url, "booking") as booking:
        targets = {"bare": bare, "booking": booking}
        for round_number in range(arguments.rounds + 1):
            for kind, name in itertools.product(("spread", "contended"), targets):
                body = _bodies(name, kind, next(offsets) * 20_000, member, rooms, arguments.clients)
                # The first round fills the caches of statements and documents and is not counted.
                seconds = arguments.seconds if round_number else 2.0
                measured = _one_run(opened, targets[name], arguments.clients, seconds, body, token)
                if round_number:
                    results.setdefault((kind, name), []).append(measured)
    report(results)


def _one_run(opened: Database, target: Target, clients: int, seconds: float, bodies: Any, token: str) -> Measured:
    web, database = target.web_cpu(), database_cpu(opened)
    measured = measure(target.port, clients, seconds, bodies, token)
    measured.web_cpu = target.web_cpu() - web
    measured.database_cpu = database_cpu(opened) - database
    return measured


def report(results: Results) -> None:
    """Print what was measured, and how the service stands beside the bare view."""
    for kind in ("spread", "contended"):
        for name in ("bare", "booking"):
            together = Measured()
            for each in results[kind, name]:
                together.add(each)
            print(f"{kind:10s} {name:8s} {together.line()}")
        shares = [
            ours.rate / bare.rate for bare, ours in zip(results[kind, "bare"], results[kind, "booking"], strict=True)
        ]
        each = ", ".join(f"{share:.0%}" for share in shares)
        print(f"{kind:10s} booking answers {statistics.median(shares):.0%} of the bare view's rate (rounds: {each})")


def _bodies(target: str, kind: str, offset: int, member: str, rooms: list[str], clients: int) -> Any:
    def body(client: int, count: int) -> dict[str, Any]:
        number = count - client
        if kind == "contended":
            room, when = 0, slot(offset + number)
        else:
            room, when = (number * clients + client) % ROOMS, slot(offset + (number * clients + client) // ROOMS)
        if target == "bare":
            return {"room": room, **when}
        return {"resource_id": rooms[room], "member_id": member, **when}

    return body


def double_bookings(opened: Database) -> int:
    """Pairs of bookings in one unit at one time, by the rows themselves and not by the constraint."""
    with opened.system_session() as session:
        pairs = text(
            "SELECT count(*) FROM booking a JOIN booking b ON a.resource_id = b.resource_id AND a.id < b.id "
            "AND a.unit_no = b.unit_no AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
        )
        return int(session.scalar(pairs) or 0)


def run_pgbench(opened: Database, arguments: argparse.Namespace) -> None:
    """Bare INSERTs without any Python: what the database itself gives."""
    installed = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/pgbench")))
    program = shutil.which("pgbench") or next(iter(installed), None)
    if program is None:
        print("pgbench    is not installed: left out")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(_PGBENCH)
        file.flush()
        options = {"-c": arguments.clients, "-j": 2, "-T": max(1, int(arguments.seconds)), "-f": file.name}
        command = [program, "-n", *itertools.chain.from_iterable((name, str(value)) for name, value in options.items())]
        done = subprocess.run([*command, opened.url], stdout=subprocess.PIPE, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    print(f"pgbench    INSERT   {float(line.split()[2]):6.0f} /s")


_PGBENCH = """
\\set room random(1000, 1000000)
\\set slot random(1, 1000000)
INSERT INTO bare SELECT gen_random_uuid(), int8range(:room, :room, '[]'), tstzrange(at, at + interval '30 min')
FROM (SELECT timestamptz '2040-01-01' + :slot * interval '30 min' AS at) x ON CONFLICT DO NOTHING;
"""


def run_availability(opened: Database, arguments: argparse.Namespace, token: str, rooms: list[str]) -> None:
    """Free times of all rooms over growing windows, with many bookings present."""
    with opened.system_session() as session:
        session.execute(text("DELETE FROM occupancy"))
        session.execute(text("DELETE FROM booking"))
        session.execute(_FILL, {"start": START, "count": arguments.bookings, "rooms": ROOMS})
        session.commit()
    with opened.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    with gunicorn(opened.url, "booking") as target:
        for count, days in ((50, 31), (500, 3), (500, 31)):
            seconds, size = _ask(target.port, token, rooms[:count] if count < ROOMS else [], days)
            print(f"availability {count:4d} resources {days} days   {seconds * 1000:7.0f} ms   {size / 1000:7.0f} kB")


_FILL = text("""
WITH slot AS (
  SELECT gen_random_uuid() AS id, n % :rooms AS room,
    CAST(:start AS timestamptz) + (n / :rooms) * interval '7 hours' AS at
  FROM generate_series(0, :count - 1) n
), numbered AS (SELECT r.*, row_number() OVER (ORDER BY number) - 1 AS place FROM resource r),
made AS (
  INSERT INTO booking (id, organization_id, version, number, resource_id, resource_name, location_id, timezone, unit_no,
    is_personal, status, starts_at, ends_at, currency, price_minor, price, pricing, credits_used, payment, extras,
    overridden, cancellation_policy, created_by, created_at)
  SELECT s.id, r.organization_id, 1, 1, r.id, r.name, r.location_id, 'Europe/Berlin', 1, false, 'confirmed', s.at,
    s.at + interval '2 hours', 'EUR', 0, '{}', '{}', 0, 'on_invoice', '[]', '[]', '{}', 'bench', s.at
  FROM slot s JOIN numbered r ON r.place = s.room RETURNING id)
INSERT INTO occupancy (booking_id, units, during)
SELECT s.id, int8range(r.number * 1048576 + 1, r.number * 1048576 + 1, '[]'),
  tstzrange(s.at, s.at + interval '2 hours')
FROM slot s JOIN numbered r ON r.place = s.room
""")


def _ask(port: int, token: str, rooms: list[str], days: int) -> tuple[float, int]:
    query = "&".join(f"resource_id={room}" for room in rooms)
    end = (START + timedelta(days=days)).isoformat().replace("+00:00", "Z")
    path = f"/v1/availability?{query}&from={START.isoformat().replace('+00:00', 'Z')}&to={end}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for _ in range(5):
        began = time.monotonic()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        times.append(time.monotonic() - began)
        if response.status != 200:
            raise SystemExit(body.decode())
    return statistics.median(times), len(body)


def main() -> None:
    """Run everything and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bookings", type=int, default=50_000)
    parser.add_argument("--serve-bare", type=int)
    arguments = parser.parse_args()
    if arguments.serve_bare:
        from common.cli import serve

        serve(bare_app, bind=f"127.0.0.1:{arguments.serve_bare}", workers=2, threads=8)
        return
    with database() as opened:
        token, member, rooms = furnish(opened)
        with opened.engine.connect() as connection:
            version = connection.execute(text("SHOW server_version")).scalar()
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"Python {platform.python_version()}, PostgreSQL {version}, {arguments.clients} clients")
        _bare_table(opened)
        run_bookings(opened, arguments, token, member, rooms)
        run_pgbench(opened, arguments)
        print(f"double bookings: {double_bookings(opened)}")
        run_availability(opened, arguments, token, rooms)


def _bare_table(opened: Database) -> None:
    import psycopg

    with psycopg.connect(opened.url, autocommit=True) as connection:
        connection.execute(BARE_TABLE)  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
