"""Staff of some locations: what belongs to others is not there for them (ACC-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from payments_house import House

from common.ids import encode_id, new_id
from common.testing.plugin import ApiClient
from contracts.catalog import LocationChanged


@dataclass
class Town:
    """Two locations with a member, a method and a gateway each, and who works where."""

    house: House
    here: UUID
    there: UUID
    sign_in: Callable[..., ApiClient]

    def user(self, role: str) -> ApiClient:
        """Somebody who works here alone."""
        return self.sign_in(self.house.app, self.house.id, role, locations=[str(self.here)])

    def member(self, location: UUID) -> str:
        """A member of a location."""
        return self.house.add_member(location_id=location)

    def gateway(self, location: UUID) -> str:
        """A sandbox of a location."""
        body = {"provider": "sandbox", "location_id": encode_id("loc", location)}
        made = self.house.owner.post("/v1/payment-gateways", body)
        assert made.status_code == 201, made.json
        return str(made.json["id"])


@pytest.fixture
def town(house: House, sign_in: Any) -> Town:
    """The two locations."""
    here, there = new_id(), new_id()
    for place in (here, there):
        name = f"Dock {place.hex[-4:]}"
        house.tell(LocationChanged(location_id=place, display_name=name, timezone="Europe/Berlin", version=1))
    return Town(house, here, there, sign_in)


def test_acc_1_methods_of_other_locations_customers_are_not_there(town: Town) -> None:
    desk, body = town.user("front_desk"), {"token": "sandbox_ok"}
    ids = []
    for place in (town.here, town.there, None):
        member = town.house.add_member(location_id=place)
        ids.append(town.house.owner.post("/v1/payment-methods/setup", {**body, "member_id": member}).json["id"])
    near, far, nowhere = ids
    assert {row["id"] for row in desk.get("/v1/payment-methods").json["items"]} == {near, nowhere}
    for method, status in ((near, 200), (nowhere, 200), (far, 404)):
        assert desk.get(f"/v1/payment-methods/{method}").status_code == status
        assert desk.patch(f"/v1/payment-methods/{method}", {"is_default": True}).status_code == status
    assert desk.delete(f"/v1/payment-methods/{far}").status_code == 404
    stranger = {**body, "member_id": town.member(town.there)}
    assert desk.post("/v1/payment-methods/setup", stranger).status_code == 404
    assert desk.post("/v1/payment-methods/setup", {**body, "member_id": town.member(town.here)}).status_code == 201


def test_acc_1_gateways_of_other_locations_cannot_be_touched(town: Town) -> None:
    admin, near, far = town.user("admin"), town.gateway(town.here), town.gateway(town.there)
    seen = {row["id"]: row["location_id"] for row in admin.get("/v1/payment-gateways").json["items"]}
    (everywhere,) = (gateway for gateway, place in seen.items() if place is None)
    assert set(seen) == {near, everywhere}
    assert admin.get(f"/v1/payment-gateways/{far}").status_code == 404
    for gateway, status in ((far, 404), (everywhere, 403)):
        assert admin.patch(f"/v1/payment-gateways/{gateway}", {"methods": ["card"]}).status_code == status
        assert admin.delete(f"/v1/payment-gateways/{gateway}").status_code == status
    assert admin.post(f"/v1/payment-gateways/{far}/test-charge", {}).status_code == 404
    refused = admin.patch(f"/v1/payment-gateways/{near}", {"location_id": None})
    assert (refused.status_code, refused.json["code"]) == (403, "location_not_in_scope")
    assert admin.post("/v1/payment-gateways", {"provider": "sandbox"}).status_code == 403
    assert admin.delete(f"/v1/payment-gateways/{near}").status_code == 204


def test_acc_1_reports_of_money_count_the_own_locations(town: Town) -> None:
    books, house, gateway = town.user("accountant"), town.house, town.gateway(town.here)
    for place, minor in ((town.here, 1000), (town.there, 200)):
        invoice = house.issue(minor, due="2027-02-19", location_id=place)
        assert house.owner.post(f"/v1/invoices/{invoice}/payments", {"method": "cash"}).status_code == 201
    period = "from=2027-02-01&to=2027-02-28"
    (line,) = books.get(f"/v1/reports/payments?{period}").json["gateways"]
    assert line["collected"]["amount_minor"] == 1000
    assert books.get(f"/v1/reports/payouts?{period}").status_code == 403
    assert books.get(f"/v1/reports/payouts?{period}&gateway_id={gateway}").status_code == 200
    assert books.get("/v1/payouts").json["items"] == []
