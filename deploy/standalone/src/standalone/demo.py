"""A demo organisation with some life in it, made through the public API like any client's.

Every step has an idempotency key of its own: an interrupted load is finished by the next start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from werkzeug.test import Client


@dataclass(frozen=True)
class DemoLogins:
    """With which the demo organisation is entered."""

    organization: str = "harbour-demo"
    owner: str = "owner@harbour.example"
    member: str = "ada@harbour.example"
    password: str = "harbour-demo-2027"  # noqa: S105 - shown on the screen at every start


DEMO_LOGINS = DemoLogins()
_HOURS = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_MEMBERS = (
    ("Ada Lindqvist", "ada@harbour.example", "sandbox_ok"),
    ("Bruno Carvalho", "bruno@harbour.example", "sandbox_ok"),
    ("Chidi Okafor", "chidi@harbour.example", "sandbox_pending"),
    ("Dana Novak", "dana@harbour.example", "sandbox_insufficient_funds"),
    ("Emil Sorensen", "emil@harbour.example", "sandbox_ok"),
    ("Farah Haddad", "farah@harbour.example", None),
)
_MARKER = "demo-loaded"


def _money(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


class DemoApi:
    """A client of the suite's own door that makes each step once."""

    def __init__(self, wsgi: Any) -> None:
        self._client = Client(wsgi)
        self._token: str | None = None

    def sign_up(self, body: dict[str, Any]) -> None:
        """Create the organisation, or sign in when an earlier start created it."""
        answer = self._client.post("/v1/organizations", json=body, headers={"Idempotency-Key": "demo-sign-up"})
        if answer.status_code in {409, 422}:
            # An earlier start got at least this far: the slug is taken, or the key was used in another month.
            owner = body["owner"]
            credentials = {"email": owner["email"], "password": owner["password"], "organization": body["slug"]}
            answer = self._client.post("/v1/tokens", json=credentials)
        self._token = self._checked(answer)["access_token"]

    def send(self, method: str, path: str, body: dict[str, Any], step: str) -> dict[str, Any]:
        """Send one step; raises RuntimeError with the problem when it is refused."""
        headers = {"Authorization": f"Bearer {self._token}"}
        if method == "POST":
            headers["Idempotency-Key"] = f"demo-{step}"
        return self._checked(self._client.open(path, method=method, json=body, headers=headers))

    def post(self, path: str, body: dict[str, Any], step: str) -> dict[str, Any]:
        """POST one step."""
        return self.send("POST", path, body, step)

    @staticmethod
    def _checked(answer: Any) -> dict[str, Any]:
        if answer.status_code >= 300:
            raise RuntimeError(f"the demo could not be loaded: {answer.status_code} {answer.get_data(as_text=True)}")
        body: dict[str, Any] = answer.json if answer.data else {}
        return body


def load_demo(wsgi: Any, data: Path, console: Console) -> None:
    """Load the demo organisation unless an earlier start has done it."""
    marker = data / _MARKER
    if marker.exists():
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("loading the demo organisation …")
        build_demo(DemoApi(wsgi), lambda text: progress.update(task, description=text))
    marker.touch()


def build_demo(api: DemoApi, tell: Any) -> None:
    """Make the demo: a house with rooms and rates, members with plans and bookings, and two months of billing."""
    today = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
    start = (today - timedelta(days=62)).replace(day=1)
    _organization(api, start)
    tell("locations, rooms and rates …")
    location = _location(api)
    rooms = _resources(api, location)
    plans = _plans(api)
    tell("members, memberships and bookings …")
    members = _members(api, location)
    _memberships(api, members, plans, location, start)
    _bookings(api, members, rooms, start)
    tell("two months of invoices and payments, on the rehearsal clock …")
    _advance(api, start, today)
    _coming_week(api, members, rooms, today)


def _organization(api: DemoApi, start: datetime) -> None:
    owner = {"name": "Olivia Harbour", "email": DEMO_LOGINS.owner, "password": DEMO_LOGINS.password}
    api.sign_up(
        {
            "name": "Harbour Works",
            "slug": DEMO_LOGINS.organization,
            "country": "DE",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "mode": "rehearsal",
            "clock": start.isoformat(),
            "owner": owner,
        }
    )
    profile = {
        "address": {"line1": "Quay 1", "postal_code": "20457", "city": "Hamburg"},
        "vat_number": "DE136695976",
        "email": "hello@harbour.example",
        "brand_colour": "#0b6e4f",
    }
    api.send("PATCH", "/v1/organization", profile, "profile")
    shop = {"published": True, "headline": "Work by the water", "brand_color": "#0b6e4f"}
    api.send("PATCH", "/v1/storefront-settings", shop, "storefront")
    switches = {"automatic_generation": True, "automatic_sending": True, "automatic_collection": True, "pay_now": True}
    api.send("PATCH", "/v1/settings/billing", {**switches, "payment_terms_days": 7, "tax_percent": "19"}, "settings")


def _location(api: DemoApi) -> str:
    body = {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "opening_hours": _HOURS}
    return str(api.post("/v1/locations", body, "location")["id"])


def _resources(api: DemoApi, location: str) -> dict[str, str]:
    rooms = (
        ("Blue Room", "meeting_room", 1, 1500, 5000),
        ("Lighthouse", "meeting_room", 1, 2800, 14000),
        ("Quay Hall", "event_space", 1, 6000, 32000),
        ("Open deck", "hot_desk", 12, 500, 2500),
    )
    made = {}
    for name, kind, capacity, hour, day in rooms:
        body = {"name": name, "type": kind, "location_id": location, "capacity": capacity, "visibility": "public"}
        made[name] = str(api.post("/v1/resources", body, f"resource-{name}")["id"])
        prices = [{"unit": "hour", "price": _money(hour)}, {"unit": "day", "price": _money(day)}]
        rate = {"name": f"{name} rate", "resource_ids": [made[name]], "prices": prices}
        api.post("/v1/resource-rates", rate, f"rate-{name}")
    return made


def _plans(api: DemoApi) -> dict[str, str]:
    recurring = {"kind": "recurring", "interval": "month", "interval_count": 1, "prorate": True}
    bodies = (
        {"name": "Flex desk", **recurring, "price": _money(30000), "credits_hours": "2"},
        {"name": "Dedicated desk", **recurring, "price": _money(45000), "credits_hours": "4"},
        {"name": "Day pass", "kind": "one_off", "price": _money(2900), "passes": 1},
    )
    return {str(body["name"]): str(api.post("/v1/plans", body, f"plan-{body['name']}")["id"]) for body in bodies}


def _members(api: DemoApi, location: str) -> list[str]:
    made = []
    for name, email, token in _MEMBERS:
        member = api.post("/v1/members", {"name": name, "email": email, "location_id": location}, f"member-{email}")
        made.append(str(member["id"]))
        if email == DEMO_LOGINS.member:
            body = {"password": DEMO_LOGINS.password}
            api.post(f"/v1/members/{member['id']}/password", body, f"password-{email}")
        if token:
            body = {"member_id": member["id"], "token": token}
            api.post("/v1/payment-methods/setup", body, f"method-{email}")
    return made


def _memberships(api: DemoApi, members: list[str], plans: dict[str, str], location: str, start: datetime) -> None:
    for number, member in enumerate(members):
        plan = plans["Dedicated desk" if number % 3 == 2 else "Flex desk"]
        begins = (start + timedelta(days=3 * number)).date().isoformat()
        body = {"plan_id": plan, "member_id": member, "location_id": location, "start_date": begins}
        api.post("/v1/memberships", body, f"membership-{number}")


def _bookings(api: DemoApi, members: list[str], rooms: dict[str, str], start: datetime) -> None:
    names = ("Blue Room", "Lighthouse")
    for number in range(16):
        day = start + timedelta(days=7 + 4 * number)
        day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
        begins = day.replace(hour=9 + number % 4)
        body = {
            "resource_id": rooms[names[number % 2]],
            "member_id": members[number % len(members)],
            "start": begins.isoformat(),
            "end": (begins + timedelta(hours=1 + number % 3)).isoformat(),
            "payment": "on_invoice",
        }
        api.post("/v1/bookings", body, f"booking-{number}")


def _coming_week(api: DemoApi, members: list[str], rooms: dict[str, str], today: datetime) -> None:
    """Bookings of today and the days to come, so that the calendar shows something."""
    working_days = [day for day in (today + timedelta(days=n) for n in range(8)) if day.weekday() < 5]
    names = tuple(rooms)
    for number in range(14):
        begins = working_days[number % len(working_days)].replace(hour=8 + (3 * number) % 8)
        body = {
            "resource_id": rooms[names[number % 3]],
            "member_id": members[number % len(members)],
            "start": begins.isoformat(),
            "end": (begins + timedelta(hours=1 + number % 2)).isoformat(),
            "payment": "on_invoice",
        }
        api.post("/v1/bookings", body, f"coming-{number}")


def _advance(api: DemoApi, start: datetime, today: datetime) -> None:
    moment = start
    while moment < today:
        moment = min(moment + timedelta(days=7), today)
        body = {"to": moment.isoformat()}
        api.post("/v1/organization/clock/advance", body, f"advance-{moment.date()}")
