"""Server time of every page of the three portals, with 10,000 members and 100,000 bookings present.

The standalone suite runs as a process of its own; one organisation is filled, and then the links of the Admin Portal,
of the Member Portal and of the storefront are followed, one page of each kind, each asked several times in a row. The
time is the whole way: request, portal, gateway, services, database, page. Beside it stands the processor time that the
suite and its PostgreSQL took for it, which other work on the machine does not change much.

    python bench/portal.py [--members 10000] [--bookings 100000] [--times 7]
"""

from __future__ import annotations

import argparse
import contextlib
import http.cookiejar
import json
import os
import platform
import re
import secrets
import statistics
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# This file has a service's name, and Python looks beside the script first.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT / "bench"]
sys.path.append(str(ROOT / "tests/support"))

from footings import data_folder, standalone  # noqa: E402 - see above
from sqlalchemy import create_engine, text  # noqa: E402 - see above

from common.ids import decode_id  # noqa: E402 - see above
from standalone.postgres import database_url, embedded_server  # noqa: E402 - see above

PASSWORD = "correct-horse-battery"
ROOMS, AIM_MS, AIM_CALLS, PAGES = 20, 100, 5, 400
_ID = re.compile(r"\b([a-z]{3})_[0-9a-f]{32}\b|\b\d{4}-\d\d-\d\d\b|(?<=notification-templates/)[a-z-]+/[a-z]{2}$")
# Links, and the parts that come after a page.
_LINK = re.compile(r'(?:href|data-part)="(/[^"#]*)')
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_CALLS = re.compile(r'desc="(\d+) calls')
# Files, and pages that change something or leave.
_SKIPPED = re.compile(r"/static/|/sign-out|\.(pdf|xml|csv|ics)\b|/pdf|/xml|download|/docs|/v1/")


class Visitor:
    """Somebody with a browser: keeps cookies, follows redirects."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, path: str) -> tuple[int, str, Any]:
        """Status, page and headers."""
        try:
            with self._opener.open(self.origin + path, timeout=60) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode(errors="replace"), refusal.headers

    def submit(self, path: str, **values: str) -> str:
        """Fill in the form of a page; what its fields hold already goes with it."""
        _, page, _ = self.get(path)
        inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in re.findall(r"<input[^>]*>", page)]
        hidden = {each["name"]: unescape(each.get("value", "")) for each in inputs if each.get("type") == "hidden"}
        body = urllib.parse.urlencode({**hidden, **values}).encode()
        with self._opener.open(self.origin + path, body, timeout=60) as answer:
            return str(answer.url)


class Client:
    """The API as the organisation's owner."""

    def __init__(self, origin: str) -> None:
        self.origin, self._token = origin, ""
        self._credentials: dict[str, str] = {}

    def post(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        """The answer's JSON; anything but a success ends the benchmark."""
        return self.send(path, json.dumps(body).encode(), "application/json", method)

    def send(self, path: str, content: bytes | None, kind: str, method: str = "POST") -> Any:
        """As `post`, for any content."""
        headers = {"Content-Type": kind, "Idempotency-Key": secrets.token_hex(8)}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.origin + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            if refusal.code == 401 and self._credentials and path != "/v1/tokens":
                self._sign_in()
                return self.send(path, content, kind, method)
            raise SystemExit(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from refusal

    def get(self, path: str) -> Any:
        """Read."""
        return self.send(path, None, "application/json", "GET")

    def sign_up(self, slug: str) -> None:
        """A rehearsal organisation whose clock stands where bookings lie on both sides."""
        self._credentials = {"organization": slug, "email": f"owner@{slug}.example", "password": PASSWORD}
        owner = {"name": "Example Owner", "email": f"owner@{slug}.example", "password": PASSWORD}
        body = {"name": "Harbour Works", "slug": slug, "country": "DE", "currency": "EUR", "mode": "rehearsal"}
        self.post("/v1/organizations", {**body, "timezone": "Europe/Berlin", "owner": owner})
        self._sign_in()

    def _sign_in(self) -> None:
        self._token = ""
        self._token = self.post("/v1/tokens", self._credentials)["access_token"]

    def settle(self) -> None:
        """Wait until every service has every message."""
        now = self.get("/v1/organization/clock")["now"]
        while not self.post("/v1/organization/clock/advance", {"to": now})["settled"]:
            time.sleep(0.2)


class Processor:
    """The processor time of the suite's process and of its PostgreSQL server, with all their children."""

    def __init__(self, suite: int, folder: Path) -> None:
        self._roots = {suite, *(int(file.read_text().split()[0]) for file in folder.rglob("postmaster.pid"))}

    def milliseconds(self) -> float:
        """Used so far; children that have ended are counted in their parents."""
        fields = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields[int(stat.parent.name)] = stat.read_text().rpartition(")")[2].split()
        ticks = sum(sum(map(int, found[11:15])) for pid, found in fields.items() if self._is_ours(pid, fields))
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def _is_ours(self, pid: int, fields: dict[int, list[str]]) -> bool:
        while pid in fields:
            if pid in self._roots:
                return True
            pid = int(fields[pid][1])
        return False


@dataclass(frozen=True)
class Space:
    """The filled organisation."""

    slug: str
    origin: str
    member_id: str


def furnish(client: Client, folder: Path, options: argparse.Namespace) -> Space:
    """One location with rooms, plans, members, memberships, invoices and bookings."""
    slug = f"harbour-{secrets.token_hex(3)}"
    client.sign_up(slug)
    hours = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    location = {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "opening_hours": hours}
    location_id = client.post("/v1/locations", location)["id"]
    room = {"type": "meeting_room", "location_id": location_id, "capacity": 1, "visibility": "public"}
    rooms = [client.post("/v1/resources", {"name": f"Room {n + 1:02}", **room})["id"] for n in range(ROOMS)]
    hour = {"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}}
    client.post("/v1/resource-rates", {"name": "Rooms", "resource_ids": rooms, "prices": [hour]})
    plan = {"name": "Flex desk", "kind": "recurring", "price": {"amount_minor": 30000, "currency": "EUR"}}
    plan_id = client.post("/v1/plans", {**plan, "interval": "month", "interval_count": 1, "prorate": True})["id"]
    client.post("/v1/storefront-settings", {"published": True, "headline": "Work by the water"}, "PATCH")
    _take_in(client, slug, options.members)
    client.settle()
    members = [row["id"] for row in client.get("/v1/members?limit=200")["items"]]
    today = datetime.now(UTC).date()
    start = {"plan_id": plan_id, "location_id": location_id, "start_date": today.replace(day=1).isoformat()}
    for member_id in members:
        client.post("/v1/memberships", {**start, "member_id": member_id})
    client.post("/v1/billing-runs", {"as_of": today.isoformat()})
    client.settle()
    booked = {"resource_id": rooms[0], "member_id": members[0], **_tomorrow()}
    first = client.post("/v1/bookings", booked)
    _multiply(folder, decode_id("bkg", first["id"]), options.bookings)
    return Space(slug, client.origin, members[0])


def _take_in(client: Client, slug: str, count: int) -> None:
    """Members by CSV, as an operator who moves in would."""
    rows = "".join(f"Member {n:05},member{n}@{slug}.example\n" for n in range(count))
    made = client.send("/v1/members/import", ("name,email\n" + rows).encode(), "text/csv")
    print(f"imported: {made.get('created', made)}")


def _tomorrow() -> dict[str, str]:
    day = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return {"start": day.isoformat(), "end": (day + timedelta(hours=1)).isoformat()}


# Copies of one real booking, over all rooms and members: five a day and room, three quarters of them over.
_COPIES = text("""
WITH room AS (SELECT id, name, number, row_number() OVER (ORDER BY number) - 1 AS place FROM resource),
person AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM customer WHERE kind = 'member'),
size AS (SELECT (SELECT count(*) FROM room) AS rooms, (SELECT count(*) FROM person) AS people),
slot AS (
  SELECT gen_random_uuid() AS id, room.id AS room_id, room.name, room.number, person.id AS member_id,
    date_trunc('day', now()) + (n / (5 * rooms) - (:count * 3 / 4) / (5 * rooms)) * interval '1 day'
      + interval '5 hours' + (n / rooms % 5) * interval '2 hours' AS at
  FROM size, generate_series(0, :count - 1) n
  JOIN room ON room.place = n % (SELECT rooms FROM size)
  JOIN person ON person.place = (n * 7) % (SELECT people FROM size)),
made AS (
  INSERT INTO booking
  SELECT (jsonb_populate_record(pattern, jsonb_build_object(
    'id', slot.id, 'resource_id', slot.room_id, 'resource_name', slot.name, 'member_id', slot.member_id,
    'starts_at', slot.at, 'ends_at', slot.at + interval '90 minutes', 'due_at', NULL,
    'status', CASE WHEN slot.at < now() THEN 'completed' ELSE 'confirmed' END))).*
  FROM slot, booking pattern WHERE pattern.id = :id RETURNING id)
INSERT INTO occupancy (booking_id, units, during)
SELECT slot.id, int8range(number * 1048576 + 1, number * 1048576 + 1, '[]'),
  tstzrange(at, at + interval '90 minutes')
FROM slot ON CONFLICT DO NOTHING
""")


def _multiply(folder: Path, booking_id: Any, count: int) -> None:
    with embedded_server(folder / "postgres") as server:
        engine = create_engine(database_url(server, "deskledger_booking"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(_COPIES, {"id": booking_id, "count": count})
            connection.execute(text("ANALYZE"))
        engine.dispose()


def sign_in_owner(space: Space) -> Visitor:
    """The owner, by password."""
    visitor = Visitor(space.origin)
    email = f"owner@{space.slug}.example"
    url = visitor.submit("/sign-in", organization=space.slug, email=email, password=PASSWORD)
    if "/sign-in" in url:
        raise SystemExit("the owner cannot sign in")
    return visitor


def sign_in_member(space: Space, client: Client) -> Visitor:
    """A member, by the invitation that they are mailed; a rehearsal keeps its mails in the app."""
    client.post(f"/v1/members/{space.member_id}/invitation", {})
    for _ in range(100):
        for row in client.get(f"/v1/notifications?member_id={space.member_id}")["items"]:
            mail = json.dumps(client.get(f"/v1/notifications/{row['id']}"))
            if found := re.search(r"/invitation\?[\w=&.~%-]+", unescape(mail)):
                visitor = Visitor(space.origin)
                visitor.submit(found[0], password=PASSWORD)
                return visitor
        time.sleep(0.1)
    raise SystemExit("the member is not invited")


@dataclass(frozen=True)
class Timing:
    """One kind of page: milliseconds and calls of the API."""

    kind: str
    status: int
    times: list[float]
    calls: int
    size: int
    processor: float

    @property
    def median(self) -> float:
        """Of all repetitions."""
        return statistics.median(self.times)

    def line(self) -> str:
        """One line of the report."""
        slow = "  slow" if self.median > AIM_MS else ""
        many = "  many calls" if self.calls > AIM_CALLS else ""
        odd = f"  status {self.status}" if self.status != 200 else ""
        numbers = f"{self.median:7.1f} ms  max {max(self.times):7.1f}  processor {self.processor:6.1f} ms"
        return f"{self.kind:<58}{numbers}  {self.calls:3} calls  {self.size / 1000:6.1f} kB{slow}{many}{odd}"


def walk(visitor: Visitor, processor: Processor, start: str, within: str, times: int) -> list[Timing]:
    """Follow the links from a page; one page of each kind, measured after one visit that fills the caches."""
    waiting, seen, measured = deque([start]), {_kind(start)}, list[Timing]()
    while waiting and len(measured) < PAGES:
        path = waiting.popleft()
        status, page, headers = visitor.get(path)
        taken, used = [], processor.milliseconds()
        for _ in range(times):
            began = time.perf_counter()
            visitor.get(path)
            taken.append((time.perf_counter() - began) * 1000)
        calls = _CALLS.search(headers.get("Server-Timing", ""))
        used = (processor.milliseconds() - used) / times
        measured.append(Timing(_kind(path), status, taken, int(calls[1]) if calls else 0, len(page), used))
        for link in map(unescape, _LINK.findall(page)):
            if link.startswith(within) and not _SKIPPED.search(link) and _kind(link) not in seen:
                seen.add(_kind(link))
                waiting.append(link)
    return measured


def _kind(path: str) -> str:
    """A path without what is one of many: ids and dates, and the values of the query."""
    place, _, query = path.partition("?")
    names = sorted(part.partition("=")[0] for part in query.split("&") if part)
    return _ID.sub(lambda found: f"{{{found[1] or '…'}}}", place) + (f"?{'&'.join(names)}" if names else "")


def report(title: str, timings: list[Timing]) -> None:
    """Slowest first, and the sum of it."""
    print(f"\n{title}: {len(timings)} kinds of pages")
    for timing in sorted(timings, key=lambda each: -each.median):
        print("  " + timing.line())
    medians = [timing.median for timing in timings]
    within = sum(median <= AIM_MS for median in medians)
    print(f"  {within} of {len(medians)} within {AIM_MS} ms; median page {statistics.median(medians):.1f} ms")


def main() -> None:
    """Fill a suite, walk through its pages, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    with data_folder() as folder, standalone(folder) as footing:
        began = time.perf_counter()
        client = Client(footing.origin)
        space = furnish(client, folder, options)
        print(f"filled in {time.perf_counter() - began:.0f} s: {options.members} members, {options.bookings} bookings")
        owner, processor = sign_in_owner(space), Processor(footing.process.pid, folder)
        report("Admin Portal", walk(owner, processor, "/admin", "/admin", options.times))
        home = f"/portal/{space.slug}"
        report("Member Portal", walk(sign_in_member(space, client), processor, home, home, options.times))
        shop = f"/hub/{space.slug}"
        report("Growth Hub", walk(Visitor(space.origin), processor, shop, shop, options.times))


if __name__ == "__main__":
    main()
