"""What the checklist and the storefront's checkout ask of members."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from common.auth import Principal, read_token
from common.testing.plugin import INTERNAL_TOKEN, ApiClient

SignedUp = Callable[..., tuple[ApiClient, dict[str, Any]]]


def receive(app: Any, made: dict[str, Any], **guest: Any) -> Any:
    """POST /internal/guests as the gateway does."""
    body = {"organization_id": str(UUID(hex=made["organization"]["id"][4:])), **guest}
    headers = {"Deskledger-Internal-Token": INTERNAL_TOKEN}
    return app.test_client().post("/internal/guests", json=body, headers=headers)


def test_a_new_guest_becomes_a_member_and_a_known_one_stays_as_they_are(members_app: Any, signed_up: SignedUp) -> None:
    """GH-1."""
    owner, made = signed_up()
    first = receive(members_app, made, name="Guest", email="guest@example.com")
    assert first.status_code == 200, first.json
    assert first.json["created"] is True
    assert first.headers["Deskledger-Messages"].endswith("members.member-changed.v1")
    again = receive(members_app, made, name="Somebody Else", email="GUEST@example.com")
    assert (again.json["created"], again.json["member_id"]) == (False, first.json["member_id"])
    assert owner.get(f"/v1/members/{first.json['member_id']}").json["name"] == "Guest"
    caller = Principal.from_claims(read_token(again.json["access_token"], members_app.extensions["signing_keys"]))
    assert (caller.role, caller.subject) == ("member", first.json["member_id"])


def test_parallel_checkouts_of_one_guest_make_one_member(members_app: Any, signed_up: SignedUp) -> None:
    """GH-1."""
    _, made = signed_up()

    def attempt(number: int) -> Any:
        return receive(members_app, made, name=f"Guest {number}", email="guest@example.com").json

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(attempt, range(5)))
    assert [answer["created"] for answer in answers].count(True) == 1
    assert len({answer["member_id"] for answer in answers}) == 1


def test_guests_are_received_for_the_gateway_only(members_app: Any, signed_up: SignedUp) -> None:
    _, made = signed_up()
    assert members_app.test_client().post("/internal/guests", json={}).status_code == 404
    assert receive(members_app, made, name="Guest", email="nobody").status_code == 422
    unknown = f"loc_{'0' * 32}"
    refused = receive(members_app, made, name="Guest", email="g@example.com", location_id=unknown)
    assert refused.json["code"] == "unknown_location"


def test_the_checklist_names_whoever_no_bill_can_be_mailed_to(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    codes = [problem["code"] for problem in owner.get("/v1/setup/members").json["problems"]]
    assert codes == ["no_seller_address", "no_seller_tax_number", "no_member"]
    owner.patch("/v1/organization", {"address": {"city": "Hamburg"}, "vat_number": "DE136695976"})
    silent = owner.post("/v1/members", {"name": "Silent"}).json
    owner.post("/v1/members", {"name": "Billed Elsewhere", "billing": {"email": "bills@example.com"}})
    answer = owner.get("/v1/setup/members").json
    assert (answer["facts"]["members"], answer["facts"]["members_without_email"]) == (2, 1)
    [problem] = answer["problems"]
    assert (problem["code"], problem["href"]) == ("member_without_email", f"/v1/members/{silent['id']}")


def test_members_of_a_rehearsal_can_be_given_a_password(visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    member = owner.post("/v1/members", {"name": "Example", "email": "member@example.com"}).json
    password = {"password": "given for the rehearsal"}
    assert owner.post(f"/v1/members/{member['id']}/password", password).status_code == 204
    body = {"email": "member@example.com", "organization": made["organization"]["slug"], **password}
    assert visitor.post("/v1/tokens", body).status_code == 200
    live, _ = signed_up(mode="live", clock=None)
    other = live.post("/v1/members", {"name": "Example", "email": "member@example.com"}).json
    refused = live.post(f"/v1/members/{other['id']}/password", password)
    assert (refused.status_code, refused.json["code"]) == (409, "not_a_rehearsal")


def test_a_guests_checkout_goes_on_with_a_fresh_token(members_app: Any, signed_up: SignedUp) -> None:
    """GH-1: for the gateway only, and by the member's id; a company's name is on the new member's invoices."""
    owner, made = signed_up()
    guest = receive(members_app, made, name="Guest", email="guest@example.com", company="Guest Ltd").json
    assert owner.get(f"/v1/members/{guest['member_id']}").json["billing"]["name"] == "Guest Ltd"
    body = {
        "organization_id": str(UUID(hex=made["organization"]["id"][4:])),
        "member_id": str(UUID(hex=guest["member_id"][4:])),
    }
    client, headers = members_app.test_client(), {"Deskledger-Internal-Token": INTERNAL_TOKEN}
    again = client.post("/internal/guests/token", json=body, headers=headers)
    assert (again.status_code, again.json["member_id"]) == (200, guest["member_id"])
    assert client.post("/internal/guests/token", json=body).status_code == 404
    gone = client.post("/internal/guests/token", json={**body, "member_id": str(UUID(int=0))}, headers=headers)
    assert (gone.status_code, gone.json["code"]) == (404, "member_not_found")
