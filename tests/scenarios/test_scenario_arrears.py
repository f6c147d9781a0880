"""An invoice that nobody pays, on the rehearsal's clock: reminders, blocked bookings, a late fee, the end; and payment
at once ends it all (PAY-8)."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import unquote

import pytest
from client import GatewayClient
from footings import Footing
from story import House, euro, furnish, notifications

pytestmark = pytest.mark.timeout(240)
# Issued and sent on 1 Feb, due on 8 Feb.
MANUAL = {"automatic_generation": False, "automatic_sending": True, "automatic_collection": False}
POLICY = {"late_fee": euro(1500), "late_fee_grace_days": 7, "end_memberships_after_days": 30}


@pytest.fixture
def house(footing: Footing) -> House:
    """An organisation that collects by hand, with strict rules."""
    found = furnish(GatewayClient(footing.origin), settings=MANUAL | POLICY)
    body = {"plan_id": found.plan, "member_id": found.member, "location_id": found.location}
    found.api.post("/v1/memberships", body | {"start_date": "2027-02-01"})
    return found


def owe(house: House) -> dict[str, Any]:
    lines = [{"description": "Desk", "quantity": "1", "unit_price": euro(10000)}]
    made = house.api.post("/v1/invoices", {"member_id": house.member, "lines": lines, "issue": True})
    assert made["due_date"] == "2027-02-08"
    return dict(made)


@pytest.fixture
def member(house: House) -> GatewayClient:
    """The member, signed in by the link that a rehearsal shows its owner."""
    asked = {"email": "member@example.com", "organization": house.organization["slug"]}
    house.api.post("/v1/sign-in-links", asked, status=202)
    path = f"/v1/notifications?member_id={house.member}&template=sign-in-link"
    deadline = time.monotonic() + 30
    while not (mails := house.api.get(path)["items"]):
        assert time.monotonic() < deadline, "the link did not come"
        time.sleep(0.1)
    (token,) = re.findall(r"token=(\S+)", mails[0]["body"])
    made = GatewayClient(house.api.origin).post("/v1/tokens", {"grant": "link", "token": unquote(token)}, status=200)
    return house.api.signed_in(made["access_token"])


def book(member: GatewayClient, house: House, day: str) -> Any:
    """Staff may overrule a block: the member asks."""
    body = {"resource_id": house.resource, "member_id": house.member, "payment": "on_invoice"}
    times = {"start": f"{day}T09:00:00+01:00", "end": f"{day}T10:00:00+01:00"}
    return member.send("POST", "/v1/bookings", body | times)


def told(house: House) -> list[str]:
    """The dunning mails, oldest first."""
    ladder = {"invoice-due", "invoice-overdue", "bookings-blocked", "membership-ending"}
    return [mail["template"] for mail in notifications(house) if mail["template"] in ladder]


def last_day(house: House) -> str | None:
    (membership,) = house.api.get(f"/v1/memberships?member_id={house.member}")["items"]
    day: str | None = membership["end_date"]
    return day


def test_the_ladder_runs_to_its_end_and_payment_leaves_it_at_once(house: House, member: GatewayClient) -> None:
    invoice = owe(house)
    house.api.advance("2027-02-08T12:00:00Z")
    assert told(house) == ["invoice-due", "invoice-due"]
    house.api.advance("2027-02-16T12:00:00Z")
    assert told(house)[2:] == ["invoice-overdue", "invoice-overdue"]
    fees = house.api.get(f"/v1/fees?member_id={house.member}")["items"]
    assert [(fee["source"], fee["price"]) for fee in fees] == [("late_fee", euro(1500))]
    assert book(member, house, "2027-03-01").status == 201
    house.api.advance("2027-02-22T12:00:00Z")
    assert sorted(told(house)[4:]) == ["bookings-blocked", "invoice-overdue"]
    refused = book(member, house, "2027-03-02")
    assert (refused.status, refused.json["violations"]) == (422, ["bookings_blocked"])
    assert last_day(house) is None
    house.api.advance("2027-03-10T12:00:00Z")
    assert last_day(house) == "2027-03-10"
    assert told(house)[-1] == "membership-ending"
    paid = {"method": "cash", "amount": invoice["total"], "date": "2027-03-10"}
    house.api.post(f"/v1/invoices/{invoice['id']}/payments", paid)
    house.api.advance("2027-03-10T12:01:00Z")
    assert book(member, house, "2027-03-15").status == 201
    count = len(told(house))
    house.api.advance("2027-04-01T12:00:00Z")
    assert len(told(house)) == count


def test_a_member_who_opted_out_hears_nothing_and_may_go_on_booking(house: House, member: GatewayClient) -> None:
    house.api.patch(f"/v1/members/{house.member}", {"reminders": False})
    owe(house)
    house.api.advance("2027-03-10T12:00:00Z")
    assert told(house) == []
    assert house.api.get(f"/v1/fees?member_id={house.member}")["items"] == []
    assert last_day(house) is None
    assert book(member, house, "2027-03-15").status == 201


def test_a_booking_is_reminded_of_a_day_before_by_the_organisations_clock(house: House, member: GatewayClient) -> None:
    assert book(member, house, "2027-02-15").status == 201
    house.api.advance("2027-02-14T07:59:00Z")
    assert "booking-reminder" not in {mail["template"] for mail in notifications(house)}
    house.api.advance("2027-02-15T12:00:00Z")
    (reminder,) = [mail for mail in notifications(house) if mail["template"] == "booking-reminder"]
    assert reminder["sent_at"] == "2027-02-14T08:00:00Z"
    assert reminder["to"] == "member@example.com"
