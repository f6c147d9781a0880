"""A house full of people for some months: companies and members who join, book, move, cancel, buy and change plans.

What happens is drawn from a seed. All of it goes through the gateway, so that the accounts can be drawn up afterwards
from nothing but what the API shows (`accounts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from client import GatewayClient
from story import ALL_ON, DAYS, euro, sign_up

START = datetime(2027, 2, 1, 8, tzinfo=UTC)
LAST_DAY = date(2027, 3, 31)
# Until here something happens. In the weeks after it all that is owed gets invoiced and charged.
SETTLED = datetime(2027, 5, 20, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """A member, and the company they work for."""

    id: str
    company: str | None


@dataclass
class BusyHouse:
    """The organisation, what can be had there, who is there, and what they did."""

    api: GatewayClient
    chance: Random
    location: str
    rooms: list[str]
    plans: dict[str, str]
    companies: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    memberships: list[str] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)
    bookings: dict[str, datetime] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    now: datetime = START

    def attempt(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Send something that may be refused, and count why; anything but a clear refusal is an error."""
        answer = self.api.send(method, path, body)
        if answer.status in {200, 201}:
            found: dict[str, Any] = answer.json
            return found
        assert answer.status in {409, 422}, (method, path, body, answer.status, answer.body)
        code = answer.json["code"]
        self.refused[code] = self.refused.get(code, 0) + 1
        return None


def furnish_house(client: GatewayClient, seed: int) -> BusyHouse:
    """Rooms, rates, plans, two companies with staff and three people on their own, all with a card."""
    api, _ = sign_up(client)
    hours = {day: [["08:00", "18:00"]] for day in DAYS}
    place = {"name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "opening_hours": hours}
    location = api.post("/v1/locations", place)["id"]
    api.patch("/v1/settings/billing", {**ALL_ON, "payment_terms_days": 7, "tax_percent": "19"})
    house = BusyHouse(api, Random(seed), location, _rooms(api, location), _plans(api))
    house.companies = [_company(api, location, name) for name in ("Alder", "Birch")]
    employers = [house.companies[0]] * 3 + [house.companies[1]] * 2 + [None] * 3
    house.people = [_person(api, location, number, employer) for number, employer in enumerate(employers)]
    return house


def _rooms(api: GatewayClient, location: str) -> list[str]:
    steps = [{"hours_before": 48, "percent": "0"}, {"hours_before": 0, "percent": "50"}]
    bodies = (
        {"name": "Blue Room"},
        {"name": "Lighthouse", "cancellation_policy": {"no_show_percent": "100", "steps": steps}},
        {"name": "Open deck", "type": "hot_desk", "capacity": 3},
    )
    kinds = {"type": "meeting_room", "location_id": location}
    rooms = [api.post("/v1/resources", {**kinds, **body})["id"] for body in bodies]
    prices = [{"unit": "hour", "price": euro(1500)}, {"unit": "day", "price": euro(5000)}]
    api.post("/v1/resource-rates", {"name": "Rooms", "resource_ids": rooms, "prices": prices})
    return rooms


def _plans(api: GatewayClient) -> dict[str, str]:
    recurring = {"kind": "recurring", "interval": "month", "interval_count": 1, "prorate": True}
    bodies = {
        "flex": {**recurring, "price": euro(30000), "credits_hours": "3"},
        "fixed": {**recurring, "price": euro(45000), "credits_hours": "5", "resource_discount_percent": "10"},
        "team": {**recurring, "price": euro(99900), "credits_hours": "8"},
        "pass": {"kind": "one_off", "price": euro(2900), "passes": 1},
    }
    return {name: api.post("/v1/plans", {"name": name.title(), **body})["id"] for name, body in bodies.items()}


def _company(api: GatewayClient, location: str, name: str) -> str:
    body = {"name": name, "email": f"{name.lower()}@example.com", "location_id": location}
    company: str = api.post("/v1/companies", body)["id"]
    api.post("/v1/payment-methods/setup", {"company_id": company, "token": "sandbox_ok"})
    return company


def _person(api: GatewayClient, location: str, number: int, company: str | None) -> Person:
    body = {"name": f"Person {number}", "email": f"person{number}@example.com", "location_id": location}
    member = api.post("/v1/members", {**body, "company_id": company})["id"]
    token = "sandbox_insufficient_funds" if number == 7 else "sandbox_ok"
    api.post("/v1/payment-methods/setup", {"member_id": member, "token": token})
    return Person(member, company)


def live(house: BusyHouse) -> None:
    """Everybody joins; then days pass in which things are booked, moved, cancelled, bought and changed."""
    _join(house)
    deeds = [_book] * 8 + [_move] * 2 + [_cancel] * 2 + [_buy, _change_plan, _leave, _credit]
    while house.now.date() < LAST_DAY:
        for _ in range(house.chance.randint(4, 9)):
            house.chance.choice(deeds)(house)
        _pass_time(house, house.now + timedelta(days=house.chance.randint(3, 8)))
    _pass_time(house, SETTLED)


def _pass_time(house: BusyHouse, to: datetime) -> None:
    house.now = to
    house.api.advance(to.isoformat())


def _join(house: BusyHouse) -> None:
    first = house.now.date()
    owners = [{"company_id": company, "plan_id": house.plans["team"]} for company in house.companies]
    for person in house.people:
        plan = house.plans[house.chance.choice(["flex", "fixed"])]
        # Company Birch has its team plan only; the people of Alder each have a plan that their company pays.
        if person.company != house.companies[1]:
            owners.append({"member_id": person.id, "plan_id": plan})
    for owner in owners:
        start = (first + timedelta(days=house.chance.randint(0, 20))).isoformat()
        body = {**owner, "location_id": house.location, "start_date": start}
        house.memberships.append(house.api.post("/v1/memberships", body)["id"])


def _book(house: BusyHouse) -> None:
    person, chance = house.chance.choice(house.people), house.chance
    times = _time(house)
    body = {
        "resource_id": chance.choice(house.rooms),
        "member_id": person.id,
        **times,
        "payment": "on_invoice",
        "is_personal": person.company is not None and chance.random() < 0.3,
    }
    if made := house.attempt("POST", "/v1/bookings", body):
        house.bookings[made["id"]] = datetime.fromisoformat(times["start"])


def _time(house: BusyHouse) -> dict[str, str]:
    day = house.now.date() + timedelta(days=house.chance.randint(0, 30))
    start = datetime(day.year, day.month, day.day, house.chance.randint(9, 14), tzinfo=UTC)
    return {"start": start.isoformat(), "end": (start + timedelta(hours=house.chance.randint(1, 6))).isoformat()}


def _move(house: BusyHouse) -> None:
    booking, times = _one_to_come(house), _time(house)
    if booking and house.attempt("PATCH", f"/v1/bookings/{booking}", times):
        house.bookings[booking] = datetime.fromisoformat(times["start"])


def _cancel(house: BusyHouse) -> None:
    if booking := _one_to_come(house):
        house.attempt("POST", f"/v1/bookings/{booking}/cancellation", {})


def _one_to_come(house: BusyHouse) -> str | None:
    """A booking that has not begun; it may be a cancelled one."""
    found = [booking for booking, start in house.bookings.items() if start > house.now]
    return house.chance.choice(found) if found else None


def _credit(house: BusyHouse) -> None:
    """Part of a membership's line is given back, to the card or for the next invoice."""
    invoices = [one for one in house.api.get("/v1/invoices?limit=200")["items"] if one["state"] in {"open", "paid"}]
    if not invoices:
        return
    invoice = house.api.get(f"/v1/invoices/{house.chance.choice(invoices)['id']}")
    for line in invoice["lines"]:
        if line["kind"] == "membership":
            amount = euro(house.chance.randint(1, line["total"]["amount_minor"]))
            body = {"lines": [{"invoice_line_id": line["id"], "amount": amount}], "refund": house.chance.random() < 0.5}
            house.attempt("POST", f"/v1/invoices/{invoice['id']}/credit-notes", body)


def _buy(house: BusyHouse) -> None:
    body = {"plan_id": house.plans["pass"], "member_id": house.chance.choice(house.people).id}
    house.attempt("POST", "/v1/fees", {**body, "quantity": str(house.chance.randint(1, 3))})


def _change_plan(house: BusyHouse) -> None:
    path = f"/v1/memberships/{house.chance.choice(house.memberships)}/plan-change"
    timing = house.chance.choice(["now", "period_end"])
    changed = house.attempt("POST", path, {"plan_id": house.plans["fixed"], "timing": timing})
    if changed:
        house.memberships.append(changed["membership"]["id"])


def _leave(house: BusyHouse) -> None:
    """Nobody changes their mind: who stays longer after all has days given back and charged again."""
    membership = house.chance.choice(house.memberships)
    day = house.now.date() + timedelta(days=house.chance.randint(1, 40))
    if membership not in house.leaving:
        house.leaving.add(membership)
        house.attempt("POST", f"/v1/memberships/{membership}/end", {"end_date": day.isoformat()})
