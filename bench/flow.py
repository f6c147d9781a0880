"""Booking to receipt: from ``POST /v1/bookings`` with payment now to the receipt that its member reads.

The whole suite runs as it does on servers: a web and a worker process for every service, PostgreSQL, RabbitMQ. A
booking is held and announced, invoiced, charged to the member's card (the sandbox's), paid, and receipted: four
services, four messages in a row, each through an outbox, the broker and an inbox. Bookings are posted at a steady rate
whether or not the earlier ones are through. A receipt counts when another connection sees it, so after its commit.

A rate is held when every booking is accepted, receipted and confirmed in the end, 99 of 100 receipts come within three
seconds, and the backlog (bookings posted and not receipted yet) does not grow: in the last third of the run it is on
average no more than a quarter above the middle third's, give or take what is posted in a quarter of a second.

    python bench/flow.py [--rate 20] [--seconds 15] [--members 50] [--most 160]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT / "bench"]
sys.path.append(str(ROOT / "tests/support"))

import kombu  # noqa: E402 - see above
import psycopg  # noqa: E402 - see above
from client import GatewayClient  # noqa: E402 - see above
from footings import data_folder, servers  # noqa: E402 - see above
from sqlalchemy import make_url  # noqa: E402 - see above
from story import euro, sign_up  # noqa: E402 - see above

from common.ids import decode_id  # noqa: E402 - see above

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
AMQP = os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")
FIRST, SLOT = datetime(2027, 3, 1, tzinfo=UTC), timedelta(minutes=30)
ROOMS, CLIENTS = 20, 32
LIMIT_SECONDS, WAIT_SECONDS, LOOK_SECONDS = 3.0, 60.0, 0.02
WARM_UP_RATE, WARM_UP_SECONDS = 10, 8.0
_RECEIPTS = """
SELECT booking_id FROM notification WHERE organization_id = %s AND template = 'receipt' AND booking_id = ANY(%s)
"""
_UNCONFIRMED = "SELECT count(*) FROM booking WHERE organization_id = %s AND id = ANY(%s) AND status <> 'confirmed'"


@dataclass
class House:
    """An organisation whose members pay at once, and how many of its slots are taken."""

    api: GatewayClient
    organization_id: Any
    rooms: list[str]
    members: list[str]
    booked: int = 0

    def next_booking(self) -> dict[str, Any]:
        """The next free half hour, for the next member."""
        number = self.booked
        self.booked += 1
        start = FIRST + number // ROOMS * SLOT
        return {
            "resource_id": self.rooms[number % ROOMS],
            "member_id": self.members[number % len(self.members)],
            "start": start.isoformat(),
            "end": (start + SLOT).isoformat(),
            "payment": "now",
        }


def furnish(origin: str, members: int) -> House:
    """A rehearsal organisation with rooms, a rate, and members with a card."""
    api, organization = sign_up(GatewayClient(origin))
    location = api.post("/v1/locations", {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin"})["id"]
    rooms = [
        api.post("/v1/resources", {"name": f"Room {n}", "type": "meeting_room", "location_id": location})["id"]
        for n in range(ROOMS)
    ]
    prices = [{"unit": "hour", "price": euro(1500)}]
    api.post("/v1/resource-rates", {"name": "Rooms", "resource_types": ["meeting_room"], "prices": prices})
    people = [_member(api, location, number) for number in range(members)]
    return House(api, decode_id("org", organization["id"]), rooms, people)


def _member(api: GatewayClient, location: str, number: int) -> str:
    body = {"name": f"Member {number}", "email": f"member{number}@example.com", "location_id": location}
    member: str = api.post("/v1/members", body)["id"]
    api.post("/v1/payment-methods/setup", {"member_id": member, "token": "sandbox_ok"})
    return member


@dataclass(frozen=True)
class Databases:
    """Where receipts and bookings are looked for."""

    notifications: str
    booking: str


@dataclass
class Run:
    """One steady rate: when each booking was due to be posted, and how long its receipt took; seconds."""

    rate: float
    seconds: float
    began: float = 0.0
    posted: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    unconfirmed: int = 0
    ended: float = 0.0
    drained: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether the suite kept up."""
        is_complete = not self.refused and not self.unconfirmed and len(self.took) == len(self.posted)
        return is_complete and self.quantile(99) <= LIMIT_SECONDS and not self.grows

    @property
    def grows(self) -> bool:
        """Whether bookings come in faster than they get through."""
        return self.backlog(2) > 1.25 * self.backlog(1) + self.rate / 4

    def backlog(self, third: int) -> float:
        """Bookings that were due and not receipted, on average over a third (0 to 2) of the run."""
        start = self.began + third * self.seconds / 3
        return statistics.fmean(self._waiting_at(start + part * self.seconds / 60) for part in range(20))

    def _waiting_at(self, instant: float) -> int:
        return sum(due <= instant < due + self.took.get(booking, WAIT_SECONDS) for booking, due in self.posted.items())

    def quantile(self, percent: int) -> float:
        """Seconds that so many per cent of the receipts took at most."""
        times = sorted(self.took.values())
        return times[min(len(times) * percent // 100, len(times) - 1)] if times else float("inf")

    def line(self) -> str:
        """One line of the report."""
        middle = statistics.median(self.took.values()) if self.took else float("inf")
        return (
            f"{self.rate:6.1f} /s   p50 {middle * 1000:6.0f} ms   p99 {self.quantile(99) * 1000:6.0f} ms   "
            f"{len(self.took)} of {len(self.posted)} receipted, the last {self.drained:.1f} s after the last post   "
            f"backlog {self.backlog(1):.1f}, then {self.backlog(2):.1f}   load {os.getloadavg()[0]:.1f}   "
            f"{'held' if self.is_held else f'NOT HELD: {self._why()}'}"
        )

    def _why(self) -> str:
        faults = {
            "receipts are missing": len(self.took) < len(self.posted),
            f"{self.refused} refused": bool(self.refused),
            f"{self.unconfirmed} not confirmed": bool(self.unconfirmed),
            "too slow": self.quantile(99) > LIMIT_SECONDS,
            "the backlog grows": self.grows,
        }
        return ", ".join(fault for fault, is_so in faults.items() if is_so)


@contextmanager
def watching(database_url: str, house: House, run: Run) -> Iterator[None]:
    """Look for receipts all the while, and note when each is first seen."""
    stop = threading.Event()

    def look() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.wait(LOOK_SECONDS):
                _note_receipts(connection, house, run)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _note_receipts(connection: psycopg.Connection[Any], house: House, run: Run) -> None:
    waiting = {decode_id("bkg", booking): booking for booking in list(run.posted) if booking not in run.took}
    if not waiting:
        return
    rows = connection.execute(_RECEIPTS, (house.organization_id, list(waiting))).fetchall()
    now = time.monotonic()
    for (booking_id,) in rows:
        run.took[waiting[booking_id]] = now - run.posted[waiting[booking_id]]


def measure(databases: Databases, house: House, rate: float, seconds: float) -> Run:
    """Book at a steady rate, then wait until all is receipted and confirmed, a minute at most."""
    run = Run(rate, seconds)
    with watching(databases.notifications, house, run), ThreadPoolExecutor(CLIENTS) as pool:
        run.began = time.monotonic() + 0.2
        for number in range(round(rate * seconds)):
            due = run.began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(_book, house, house.next_booking(), due, run)
        pool.shutdown()
        run.ended = time.monotonic()
        _drain(run)
    _settle(databases.booking, house, run)
    return run


def _book(house: House, body: dict[str, Any], due: float, run: Run) -> None:
    answer = house.api.send("POST", "/v1/bookings", body)
    if answer.status == 201:
        run.posted[answer.json["id"]] = due
    else:
        run.refused += 1
        print(f"  refused: {answer.status} {answer.body[:200]!r}")


def _drain(run: Run) -> None:
    while len(run.took) < len(run.posted) and time.monotonic() - run.ended < WAIT_SECONDS:
        time.sleep(LOOK_SECONDS)
    run.drained = time.monotonic() - run.ended


def _settle(database_url: str, house: House, run: Run) -> None:
    """The slots are held until the payment is known to booking, too: what stays so is a fault."""
    wanted = [decode_id("bkg", booking) for booking in run.posted]
    with psycopg.connect(database_url, autocommit=True) as connection:
        while time.monotonic() - run.ended < WAIT_SECONDS:
            (run.unconfirmed,) = connection.execute(_UNCONFIRMED, (house.organization_id, wanted)).fetchone() or (0,)
            if not run.unconfirmed:
                return
            time.sleep(10 * LOOK_SECONDS)


def climb(databases: Databases, house: House, arguments: argparse.Namespace) -> None:
    """Measure at the rate asked for; then at half as much again until one is not held, or half until one is."""
    measure(databases, house, WARM_UP_RATE, WARM_UP_SECONDS)  # connections open, statements are prepared
    held, rate = 0.0, float(arguments.rate)
    while 1 <= rate <= arguments.most:
        run = measure(databases, house, rate, arguments.seconds)
        print(run.line(), flush=True)
        if run.is_held:
            held = rate
        if rate < arguments.rate if run.is_held else rate > arguments.rate:
            break
        rate = round(rate * 1.5) if run.is_held else rate / 2
    print(f"highest rate held: {held:.1f} bookings a second")


def print_rig(database_url: str, arguments: argparse.Namespace) -> None:
    """What it runs on."""
    with psycopg.connect(database_url) as connection, kombu.Connection(AMQP) as broker:
        (postgres,) = connection.execute("SHOW server_version").fetchone() or ("?",)
        broker.connect()
        rabbit = broker.connection.server_properties["version"]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    print(
        f"PostgreSQL {postgres}, RabbitMQ {rabbit}; a worker and {arguments.web_workers} web processes for each service"
    )
    print(f"one organisation, {arguments.members} members with a card, {ROOMS} rooms, {arguments.seconds:.0f} s a rate")


def main() -> None:
    """Start the suite, measure, stop it, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20, help="bookings a second to begin with")
    parser.add_argument("--seconds", type=float, default=15, help="for each rate")
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--web-workers", type=int, default=2, help="web processes of each service")
    parser.add_argument("--most", type=int, default=160, help="no higher rate than this")
    arguments = parser.parse_args()
    os.environ |= {"RATE_LIMIT_PER_ADDRESS": "1000000000", "RATE_LIMIT_PER_KEY": "1000000000", "LOG_LEVEL": "WARNING"}
    with data_folder() as data, servers(data, SERVER, AMQP, web_workers=arguments.web_workers) as footing:
        house = furnish(footing.origin, arguments.members)
        databases = Databases(*(_address(footing.database_urls[name]) for name in ("notifications", "booking")))
        print_rig(databases.booking, arguments)
        climb(databases, house, arguments)


def _address(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
