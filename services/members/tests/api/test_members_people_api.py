"""Members, companies and who may see and change what, through the app on a real database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from common.db.plumbing import outbox_table
from common.ids import new_id
from common.testing.plugin import ApiClient, add_organization
from members.services.locations import keep_location

EXAMPLE = {"name": "Example Member", "email": "member@example.com"}


@pytest.fixture
def organization_id(members_app: Any) -> UUID:
    """A fresh organisation."""
    return add_organization(members_app.extensions["database"])


@pytest.fixture
def owner(members_app: Any, organization_id: UUID, sign_in: Callable[..., ApiClient]) -> ApiClient:
    """Its owner."""
    return sign_in(members_app, organization_id)


@pytest.fixture
def location_id(members_app: Any, organization_id: UUID) -> str:
    """A location whose copy has arrived."""
    location = new_id()
    with members_app.extensions["database"].session(organization_id) as session:
        keep_location(session, location, name="Dock 1", archived=False, version=1)
        session.commit()
    return f"loc_{location.hex}"


def announced(app: Any, organization_id: UUID, kind: str) -> list[dict[str, Any]]:
    """Bodies of an organisation's messages of a type."""
    table = outbox_table
    statement = select(table.c.body).where(table.c.organization_id == organization_id, table.c.type == kind)
    with app.extensions["database"].system_session() as session:
        return [json.loads(body) for body in session.scalars(statement.order_by(table.c.seq))]


def as_member(app: Any, sign_in: Any, organization_id: UUID, member: dict[str, Any], **claims: Any) -> ApiClient:
    """The client of a member."""
    company = member.get("company_id")
    return sign_in(  # type: ignore[no-any-return]
        app,
        organization_id,
        "member",
        sub=member["id"],
        member=str(UUID(hex=member["id"][4:])),
        company=str(UUID(hex=company[4:])) if company else None,
        **claims,
    )


def test_a_member_is_created_changed_archived_and_announced(
    members_app: Any, organization_id: UUID, owner: ApiClient, location_id: str
) -> None:
    billing = {"address": {"city": "Hamburg"}, "vat_number": "DE 136 695 976", "tax_percent": "19.00"}
    made = owner.post("/v1/members", {**EXAMPLE, "location_id": location_id, "billing": billing, "billing_day": 31})
    assert made.status_code == 201, made.json
    assert made.json["id"].startswith("mem_")
    assert made.json["billing"] == {"address": {"city": "Hamburg"}, "vat_number": "DE136695976", "tax_percent": "19.00"}
    assert (made.json["auto_collect"], made.json["status"], made.json["location_id"]) == (True, "active", location_id)
    path = f"/v1/members/{made.json['id']}"
    change = {"billing": {"vat_number": None, "email": "bills@example.com"}, "auto_collect": False}
    changed = owner.patch(path, change, headers={"If-Match": made.headers["ETag"]})
    assert changed.status_code == 200, changed.json
    assert set(changed.json["billing"]) == {"address", "tax_percent", "email"}
    assert owner.patch(path, {"name": "x"}, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert owner.delete(path).status_code == 204
    assert owner.get("/v1/members").json["items"] == []
    assert owner.get(path).json["status"] == "archived"
    messages = announced(members_app, organization_id, "member-changed")
    assert [(m["version"], m["status"], m["auto_collect"]) for m in messages] == [
        (1, "active", True),
        (2, "active", False),
        (3, "archived", False),
    ]
    assert messages[0]["billing"]["tax_percent"] == "19.00"


def test_parallel_taxes_of_a_customer_are_announced_with_their_sum_and_end_with_another_tax(
    members_app: Any, organization_id: UUID, owner: ApiClient
) -> None:
    """TAX-1, TAX-2."""
    taxes = [{"name": "GST", "percent": "5", "category": "S"}, {"name": "QST", "percent": "9.975", "category": "S"}]
    made = owner.post("/v1/members", {**EXAMPLE, "billing": {"taxes": taxes}}).json
    assert made["billing"] == {"taxes": taxes, "tax_percent": "14.975"}
    path = f"/v1/members/{made['id']}"
    same = owner.patch(path, {"billing": {"tax_percent": "14.975", "purchase_order": "PO 1"}}).json
    assert same["billing"] == {"taxes": taxes, "tax_percent": "14.975", "purchase_order": "PO 1"}
    assert owner.patch(path, {"billing": {"tax_percent": "7"}}).json["billing"]["tax_percent"] == "7"
    told = [message["billing"] for message in announced(members_app, organization_id, "member-changed")]
    assert [(each["taxes"], each["tax_percent"]) for each in told] == [(taxes, "14.975"), (taxes, "14.975"), ([], "7")]
    both = owner.patch(path, {"billing": {"taxes": taxes, "tax_percent": "7"}})
    assert (both.status_code, both.json["errors"][0]["pointer"]) == (422, "/billing/taxes")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": ""}, "invalid", "/name"),
        ({"email": "nobody"}, "invalid", "/email"),
        ({"billing_day": 32}, "invalid", "/billing_day"),
        ({"billing_day": "1"}, "invalid", "/billing_day"),
        ({"nickname": "x"}, "invalid", "/nickname"),
        ({"billing": {"iban": "x"}}, "invalid", "/billing/iban"),
        ({"billing": {"vat_number": "DE136695975"}}, "vat_number_invalid", "/billing/vat_number"),
        ({"billing": {"tax_percent": "101"}}, "invalid", "/billing/tax_percent"),
        ({"billing": {"taxes": [{"percent": "5"}] * 2}}, "parallel_taxes_unnamed", "/billing/taxes"),
        ({"location_id": "loc_" + "0" * 32}, "unknown_location", "/location_id"),
        ({"company_id": "com_" + "0" * 32}, "unknown_company", "/company_id"),
        ({"company_id": "mem_" + "0" * 32}, "invalid", "/company_id"),
        ({"status": "erased"}, "invalid", "/status"),
    ],
)
def test_bad_input_about_members_is_refused(owner: ApiClient, change: dict[str, Any], code: str, pointer: str) -> None:
    """TAX-3 for the VAT number."""
    refused = owner.post("/v1/members", {**EXAMPLE, **change})
    assert (refused.status_code, refused.json["code"]) == (422, code), refused.json
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert owner.get("/v1/members").json["items"] == []


def test_an_address_belongs_to_one_member_whatever_its_case(owner: ApiClient, members_app: Any, sign_in: Any) -> None:
    first = owner.post("/v1/members", EXAMPLE).json
    taken = owner.post("/v1/members", {**EXAMPLE, "email": "Member@Example.com"})
    assert (taken.status_code, taken.json["code"]) == (409, "email_taken")
    other = owner.post("/v1/members", {"name": "Other"}).json
    assert owner.patch(f"/v1/members/{other['id']}", {"email": EXAMPLE["email"]}).status_code == 409
    elsewhere = sign_in(members_app, add_organization(members_app.extensions["database"]))
    assert elsewhere.post("/v1/members", EXAMPLE).status_code == 201
    owner.delete(f"/v1/members/{first['id']}")
    assert owner.post("/v1/members", EXAMPLE).status_code == 201
    assert owner.patch(f"/v1/members/{first['id']}", {"status": "active"}).json["code"] == "email_taken"


def test_of_parallel_members_with_one_address_one_is_taken_in(
    members_app: Any, organization_id: UUID, sign_in: Any
) -> None:
    def attempt(_number: int) -> int:
        return int(sign_in(members_app, organization_id).post("/v1/members", EXAMPLE).status_code)

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(attempt, range(5))) == [201, 409, 409, 409, 409]


def test_members_are_searched_by_name_address_and_company(owner: ApiClient) -> None:
    company = owner.post("/v1/companies", {"name": "Quay Ltd"}).json
    owner.post("/v1/members", {"name": "Ann 100%", "email": "ann@example.com", "company_id": company["id"]})
    owner.post("/v1/members", {"name": "Bob", "email": "BOB@Example.com"})

    def names(query: str) -> list[str]:
        return [item["name"] for item in owner.get(f"/v1/members?sort=name&{query}").json["items"]]

    assert names("") == ["Ann 100%", "Bob"]
    assert names("q=example") == ["Ann 100%", "Bob"]
    assert names("q=0%25") == ["Ann 100%"]
    assert names("q=_") == []
    assert names("email=bob@example.com") == ["Bob"]
    assert names(f"company_id={company['id']}") == ["Ann 100%"]
    assert names("status=archived") == []
    assert owner.get("/v1/members?company_id=x").status_code == 422
    assert [item["name"] for item in owner.get("/v1/companies?q=quay").json["items"]] == ["Quay Ltd"]


def test_members_see_and_change_only_their_own(
    members_app: Any, organization_id: UUID, owner: ApiClient, sign_in: Any
) -> None:
    """ACC-1: foreign ids are 404."""
    own = owner.post("/v1/members", EXAMPLE).json
    other = owner.post("/v1/members", {"name": "Other"}).json
    member = as_member(members_app, sign_in, organization_id, own)
    assert [item["id"] for item in member.get("/v1/members").json["items"]] == [own["id"]]
    assert member.get(f"/v1/members/{other['id']}").status_code == 404
    assert member.patch(f"/v1/members/{other['id']}", {"name": "x"}).status_code == 404
    path = f"/v1/members/{own['id']}"
    assert member.patch(path, {"phone": "1", "billing": {"name": "Me"}}).status_code == 200
    refused = member.patch(path, {"auto_collect": False, "billing": {"tax_percent": "0"}})
    assert (refused.status_code, refused.json["code"]) == (403, "field_not_allowed")
    assert [e["pointer"] for e in refused.json["errors"]] == ["/auto_collect", "/billing/tax_percent"]
    assert member.get(path).json["auto_collect"] is True
    assert member.delete(path).status_code == 403
    assert member.post("/v1/members", {"name": "x"}).status_code == 403


def test_contact_persons_see_their_people_and_edit_their_company(
    members_app: Any, organization_id: UUID, owner: ApiClient, sign_in: Any
) -> None:
    """ACC-1."""
    company = owner.post("/v1/companies", {"name": "Quay Ltd"}).json
    foreign = owner.post("/v1/companies", {"name": "Other Ltd"}).json
    one = owner.post("/v1/members", {**EXAMPLE, "company_id": company["id"], "is_contact_person": True}).json
    two = owner.post("/v1/members", {"name": "Colleague", "company_id": company["id"]}).json
    contact = as_member(members_app, sign_in, organization_id, one, contact_person=True)
    plain = as_member(members_app, sign_in, organization_id, two)
    assert {item["id"] for item in contact.get("/v1/members").json["items"]} == {one["id"], two["id"]}
    assert contact.patch(f"/v1/members/{two['id']}", {"name": "x"}).json["code"] == "not_your_own"
    path = f"/v1/companies/{company['id']}"
    assert contact.patch(path, {"billing": {"purchase_order": "PO 7"}}).status_code == 200
    assert contact.patch(path, {"billing_day": 3}).json["code"] == "field_not_allowed"
    assert contact.get(f"/v1/companies/{foreign['id']}").status_code == 404
    assert contact.patch(f"/v1/companies/{foreign['id']}", {"name": "x"}).status_code == 404
    assert plain.get(path).json["billing"] == {"purchase_order": "PO 7"}
    assert plain.patch(path, {"name": "x"}).json["code"] == "not_contact_person"
    assert contact.get(f"/v1/members/{two['id']}/export").status_code == 404


def test_staff_with_a_location_scope_see_those_locations_and_none(
    members_app: Any, organization_id: UUID, owner: ApiClient, location_id: str, sign_in: Any
) -> None:
    there = owner.post("/v1/members", {"name": "There", "location_id": location_id}).json
    owner.post("/v1/members", {"name": "Anywhere"})
    elsewhere = sign_in(members_app, organization_id, "front_desk", locations=[str(new_id())])
    assert [item["name"] for item in elsewhere.get("/v1/members").json["items"]] == ["Anywhere"]
    assert elsewhere.get(f"/v1/members/{there['id']}").status_code == 404
    refused = elsewhere.post("/v1/members", {"name": "New", "location_id": location_id})
    assert (refused.status_code, refused.json["code"]) == (403, "location_not_in_scope")


def test_another_organisations_people_are_not_found(members_app: Any, owner: ApiClient, sign_in: Any) -> None:
    member = owner.post("/v1/members", EXAMPLE).json
    company = owner.post("/v1/companies", {"name": "Quay Ltd"}).json
    stranger = sign_in(members_app, add_organization(members_app.extensions["database"]))
    for path in (f"/v1/members/{member['id']}", f"/v1/companies/{company['id']}"):
        assert stranger.get(path).status_code == 404
        assert stranger.patch(path, {"name": "x"}).status_code == 404
        assert stranger.delete(path).status_code == 404
    assert stranger.post(f"/v1/members/{member['id']}/erasure").status_code == 404
    assert stranger.post(f"/v1/members/{member['id']}/invitation").status_code == 404
    assert stranger.post("/v1/members", {"name": "x", "company_id": company["id"]}).json["code"] == "unknown_company"


def test_a_company_with_members_is_not_archived_even_when_one_just_joins(
    members_app: Any, organization_id: UUID, owner: ApiClient, sign_in: Any
) -> None:
    for _ in range(5):
        company = owner.post("/v1/companies", {"name": "Quay Ltd"}).json
        start = threading.Barrier(2)

        def join(company_id: str = company["id"], start: threading.Barrier = start) -> int:
            start.wait()
            answer = sign_in(members_app, organization_id).post("/v1/members", {"name": "J", "company_id": company_id})
            return int(answer.status_code)

        def archive(company_id: str = company["id"], start: threading.Barrier = start) -> int:
            start.wait()
            return int(sign_in(members_app, organization_id).delete(f"/v1/companies/{company_id}").status_code)

        with ThreadPoolExecutor(2) as pool:
            joined, archived = pool.submit(join), pool.submit(archive)
            assert (joined.result(), archived.result()) in {(201, 409), (422, 204)}


def test_an_archived_member_does_not_come_back_to_an_archived_company(owner: ApiClient) -> None:
    company = owner.post("/v1/companies", {"name": "Quay Ltd"}).json["id"]
    path = f"/v1/members/{owner.post('/v1/members', {'name': 'Ann', 'company_id': company}).json['id']}"
    assert owner.delete(path).status_code == 204
    assert owner.delete(f"/v1/companies/{company}").status_code == 204
    refused = owner.patch(path, {"status": "active"})
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_company")
    assert owner.patch(path, {"status": "active", "company_id": None}).status_code == 200


def test_a_member_is_invited_chooses_a_password_and_signs_in(
    members_app: Any, visitor: ApiClient, signed_up: Callable[..., Any]
) -> None:
    owner, made = signed_up()
    member = owner.post("/v1/members", EXAMPLE).json
    assert owner.post(f"/v1/members/{member['id']}/invitation").status_code == 202
    [mail] = announced(members_app, UUID(hex=made["organization"]["id"][4:]), "user-invited")
    assert (mail["email"], mail["role"]) == (EXAMPLE["email"], "member")
    body = {"token": mail["token"], "password": "my own long password"}
    accepted = visitor.post("/v1/invitations/acceptance", body)
    assert accepted.status_code == 200, accepted.json
    assert visitor.post("/v1/invitations/acceptance", body).status_code == 401
    credentials = {"email": EXAMPLE["email"], "password": body["password"]}
    token = visitor.post("/v1/tokens", {**credentials, "organization": made["organization"]["slug"]})
    me = ApiClient(members_app.test_client(), token.json["access_token"]).get("/v1/me").json
    assert (me["role"], me["member_id"], me["subject"]) == ("member", member["id"], member["id"])
    owner.delete(f"/v1/members/{member['id']}")
    refused = visitor.post("/v1/tokens", {"grant": "refresh", "refresh_token": token.json["refresh_token"]})
    assert refused.status_code == 401
    assert visitor.post("/v1/tokens", {**credentials, "organization": made["organization"]["slug"]}).status_code == 401


def test_a_member_without_an_address_is_not_invited(owner: ApiClient) -> None:
    member = owner.post("/v1/members", {"name": "Nobody"}).json
    assert owner.post(f"/v1/members/{member['id']}/invitation").json["code"] == "cannot_be_invited"


def test_erasure_forgets_the_person_and_keeps_the_record(
    members_app: Any, organization_id: UUID, owner: ApiClient, audit_log: Callable[..., list[dict[str, Any]]]
) -> None:
    member = owner.post("/v1/members", {**EXAMPLE, "billing": {"name": "Example Member"}}).json
    path = f"/v1/members/{member['id']}"
    exported = owner.get(f"{path}/export")
    assert exported.status_code == 200, exported.json
    assert exported.json["member"]["email"] == EXAMPLE["email"]
    assert exported.json["changes"][0]["action"] == "member.created"
    erased = owner.post(f"{path}/erasure")
    assert erased.status_code == 200, erased.json
    assert (erased.json["name"], erased.json["email"], erased.json["status"]) == ("Erased member", None, "erased")
    assert owner.post(f"{path}/erasure").json["version"] == erased.json["version"]
    assert owner.patch(path, {"name": "Back"}).json["code"] == "member_erased"
    assert announced(members_app, organization_id, "member-changed")[-1]["status"] == "erased"
    assert announced(members_app, organization_id, "member-changed")[-1]["email"] is None
    log = audit_log(organization_id, subject=member["id"])
    again = "POST /v1/members/{member_id}/erasure"
    assert [entry["action"] for entry in log] == [again, "member.erased", "member.exported", "member.created"]
    assert EXAMPLE["email"] not in json.dumps(log)
    assert owner.post("/v1/members", EXAMPLE).status_code == 201
