"""Staff users, their rights, and the audit log, through the app on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db.plumbing import outbox_table
from common.testing.plugin import ApiClient

SignedUp = Callable[..., tuple[ApiClient, dict[str, Any]]]
HOST = {"name": "Example Host", "email": "host@harbour.example", "role": "front_desk"}


def invitation(app: Any, organization: dict[str, Any]) -> str:
    """The token of an organisation's newest invitation."""
    table = outbox_table
    wanted = (table.c.organization_id == UUID(hex=organization["id"][4:])) & (table.c.type == "user-invited")
    with app.extensions["database"].system_session() as session:
        body = session.scalars(select(table.c.body).where(wanted).order_by(table.c.seq.desc())).first()
    return str(json.loads(body or b"")["token"])


def joined(app: Any, visitor: ApiClient, owner: ApiClient, made: dict[str, Any], **values: Any) -> Any:
    """Invite a user who accepts; returns (client, user, tokens)."""
    user = owner.post("/v1/users", {**HOST, **values})
    assert user.status_code == 201, user.json
    body = {"token": invitation(app, made["organization"]), "password": "a host's long password"}
    tokens = visitor.post("/v1/invitations/acceptance", body).json
    return ApiClient(app.test_client(), tokens["access_token"]), user.json, tokens


def test_a_user_is_invited_joins_and_is_deactivated(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    host, user, tokens = joined(members_app, visitor, owner, made)
    assert user["status"] == "invited"
    assert host.get("/v1/me").json["role"] == "front_desk"
    assert owner.get(f"/v1/users/{user['id']}").json["status"] == "active"
    assert host.get("/v1/users").status_code == 403
    assert owner.delete(f"/v1/users/{user['id']}").status_code == 204
    refused = visitor.post("/v1/tokens", {"grant": "refresh", "refresh_token": tokens["refresh_token"]})
    assert refused.status_code == 401
    assert host.get("/v1/me").status_code == 401
    assert [item["email"] for item in owner.get("/v1/users").json["items"]] == ["owner@harbour.example"]
    assert owner.get("/v1/users?status=deactivated").json["items"][0]["id"] == user["id"]


def test_a_new_invitation_ends_the_earlier_one(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    user = owner.post("/v1/users", HOST).json
    first = invitation(members_app, made["organization"])
    assert owner.post(f"/v1/users/{user['id']}/invitation").status_code == 202
    assert visitor.post("/v1/tokens", {"grant": "link", "token": first}).status_code == 401
    second = invitation(members_app, made["organization"])
    assert visitor.post("/v1/tokens", {"grant": "link", "token": second}).status_code == 200
    assert owner.post(f"/v1/users/{user['id']}/invitation").json["code"] == "cannot_be_invited"


def test_an_invitation_to_an_old_address_no_longer_opens(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    owner, made = signed_up()
    user = owner.post("/v1/users", HOST).json
    token = invitation(members_app, made["organization"])
    assert owner.patch(f"/v1/users/{user['id']}", {"email": "right@harbour.example"}).status_code == 200
    assert visitor.post("/v1/tokens", {"grant": "link", "token": token}).status_code == 401


def test_the_last_owner_stays(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    path = f"/v1/users/{owner.get('/v1/me').json['subject']}"
    for answer in (
        owner.delete(path),
        owner.patch(path, {"role": "admin"}),
        owner.patch(path, {"status": "deactivated"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "last_owner")


def test_two_owners_who_demote_each_other_leave_one(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    second, user, _ = joined(members_app, visitor, owner, made, role="owner")
    first_id = owner.get("/v1/me").json["subject"]

    def demote(client: ApiClient, user_id: str) -> int:
        return int(client.patch(f"/v1/users/{user_id}", {"role": "accountant"}).status_code)

    with ThreadPoolExecutor(2) as pool:
        codes = [pool.submit(demote, owner, user["id"]), pool.submit(demote, second, first_id)]
        assert sorted(code.result() for code in codes) == [200, 409]


def test_admins_leave_owners_alone(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    admin, user, _ = joined(members_app, visitor, owner, made, role="admin")
    owner_path = f"/v1/users/{owner.get('/v1/me').json['subject']}"
    assert admin.patch(owner_path, {"name": "x"}).status_code == 403
    assert admin.delete(owner_path).status_code == 403
    assert admin.post("/v1/users", {**HOST, "email": "new@harbour.example", "role": "owner"}).status_code == 403
    assert admin.patch(f"/v1/users/{user['id']}", {"role": "owner"}).status_code == 403


def test_addresses_of_users_are_unique_and_rights_end_sign_ins(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    owner, made = signed_up()
    _, user, tokens = joined(members_app, visitor, owner, made)
    taken = owner.post("/v1/users", {**HOST, "email": "HOST@harbour.example"})
    assert (taken.status_code, taken.json["code"]) == (409, "email_taken")
    assert owner.patch(f"/v1/users/{user['id']}", {"role": "accountant"}).status_code == 200
    refused = visitor.post("/v1/tokens", {"grant": "refresh", "refresh_token": tokens["refresh_token"]})
    assert refused.status_code == 401


def test_users_of_another_organisation_are_not_found(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    stranger, _ = signed_up()
    path = f"/v1/users/{owner.get('/v1/me').json['subject']}"
    assert stranger.get(path).status_code == 404
    assert stranger.patch(path, {"name": "x"}).status_code == 404
    assert stranger.delete(path).status_code == 404


def test_the_audit_log_tells_who_changed_what_from_where(
    signed_up: SignedUp, audit_log: Callable[..., list[dict[str, Any]]]
) -> None:
    owner, made = signed_up()
    owner.patch("/v1/organization", {"name": "Harbour"}, headers={"X-Forwarded-For": "192.0.2.7"})
    me = owner.get("/v1/me").json["subject"]
    organization_id = UUID(hex=made["organization"]["id"][4:])
    items = audit_log(organization_id)
    assert [item["action"] for item in items] == ["organization.changed", "organization.created"]
    assert (items[0]["actor"], items[0]["actor_role"], items[0]["address"]) == (me, "owner", "192.0.2.7")
    assert (items[0]["subject"], items[0]["changes"]) == (made["organization"]["id"], {"name": "Harbour"})
    assert items[1]["actor"] == me
    assert audit_log(organization_id, action="organization.created") == items[1:]
    _, other = signed_up()
    assert len(audit_log(UUID(hex=other["organization"]["id"][4:]))) == 1
