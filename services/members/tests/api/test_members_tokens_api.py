"""Signing in and out by every grant, through the app on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from common.auth import Principal, read_token
from common.clock import SystemClock
from common.db.plumbing import outbox_table
from common.ids import decode_id
from common.testing.plugin import ApiClient
from members.models import ApiKey, EntryToken, RefreshToken, SignIn
from members.services import sign_in as sign_in_service
from members.services.secrecy import token_hash

SignedUp = Callable[..., tuple[ApiClient, dict[str, Any]]]
PASSWORD = "correct horse battery staple"
EMAIL = "owner@harbour.example"


def sign_in(visitor: ApiClient, slug: str, password: str = PASSWORD, email: str = EMAIL, **values: Any) -> Any:
    """POST /v1/tokens with a password."""
    body = {"email": email, "password": password, "organization": slug, **values}
    return visitor.post("/v1/tokens", body, headers={"X-Forwarded-For": "192.0.2.1"})


def refresh(visitor: ApiClient, token: str) -> Any:
    """POST /v1/tokens with a refresh token."""
    return visitor.post("/v1/tokens", {"grant": "refresh", "refresh_token": token})


def mailed_token(app: Any, kind: str) -> str:
    """The token of the newest mail of a kind."""
    table = outbox_table
    with app.extensions["database"].system_session() as session:
        body = session.scalars(select(table.c.body).where(table.c.type == kind).order_by(table.c.seq.desc())).first()
    return str(json.loads(body or b"")["token"])


def principal(app: Any, answer: Any) -> Principal:
    """Whom an answer's access token is about."""
    return Principal.from_claims(read_token(answer.json["access_token"], app.extensions["signing_keys"]))


def test_a_password_signs_in_whatever_the_case_of_the_address(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    _, made = signed_up()
    slug = made["organization"]["slug"]
    answer = sign_in(visitor, slug, email="Owner@Harbour.example")
    assert answer.status_code == 200, answer.json
    assert principal(members_app, answer).role == "owner"
    assert answer.json["refresh_token"].startswith("rt_")


def test_wrong_password_unknown_address_and_unknown_organisation_are_refused_alike(
    visitor: ApiClient, signed_up: SignedUp
) -> None:
    _, made = signed_up()
    slug = made["organization"]["slug"]
    refusals = [
        sign_in(visitor, slug, "wrong password"),
        sign_in(visitor, slug, email="nobody@harbour.example"),
        sign_in(visitor, "no-such-harbour"),
    ]
    assert {(r.status_code, r.json["code"], r.json["detail"]) for r in refusals} == {
        (401, "sign_in_refused", "organisation, e-mail address or password is wrong")
    }


def test_too_many_wrong_passwords_are_throttled_even_in_parallel(members_app: Any, signed_up: SignedUp) -> None:
    _, made = signed_up()
    slug = made["organization"]["slug"]

    def attempt(number: int) -> Any:
        return sign_in(ApiClient(members_app.test_client(), None), slug, f"wrong password {number}")

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(answer.status_code for answer in pool.map(attempt, range(8)))
    assert codes == [401] * 5 + [429] * 3
    blocked = sign_in(ApiClient(members_app.test_client(), None), slug)
    assert (blocked.status_code, blocked.json["code"]) == (429, "too_many_attempts")
    assert 0 < int(blocked.headers["Retry-After"]) <= 900


def test_a_good_sign_in_clears_the_account(visitor: ApiClient, signed_up: SignedUp) -> None:
    _, made = signed_up()
    slug = made["organization"]["slug"]
    for _ in range(3):
        assert [sign_in(visitor, slug, "wrong password").status_code for _ in range(4)] == [401] * 4
        assert sign_in(visitor, slug).status_code == 200


def test_a_refresh_token_works_once_and_its_reuse_ends_the_whole_sign_in(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    _, made = signed_up()
    first = made["refresh_token"]
    second = refresh(visitor, first)
    assert second.status_code == 200, second.json
    assert principal(members_app, second).role == "owner"
    third = refresh(visitor, second.json["refresh_token"]).json["refresh_token"]
    reuse = refresh(visitor, first)
    assert (reuse.status_code, reuse.json["code"]) == (401, "refresh_token_reused")
    assert refresh(visitor, third).json["code"] == "refresh_token_invalid"
    other_device = sign_in(visitor, made["organization"]["slug"])
    assert refresh(visitor, other_device.json["refresh_token"]).status_code == 200


def test_parallel_refreshes_of_one_token_share_one_successor(members_app: Any, signed_up: SignedUp) -> None:
    _, made = signed_up()

    def attempt(_number: int) -> Any:
        return refresh(ApiClient(members_app.test_client(), None), made["refresh_token"])

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(attempt, range(5)))
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json["refresh_token"] for answer in answers}
    later = refresh(ApiClient(members_app.test_client(), None), successor)
    assert later.status_code == 200
    assert later.json["refresh_token"] not in {successor, made["refresh_token"]}


def test_a_refresh_token_used_longer_ago_than_a_moment_ends_the_sign_in(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    from members.models import RefreshToken
    from members.services.tokens import REPEAT_TIME

    _, made = signed_up()
    successor = refresh(visitor, made["refresh_token"]).json["refresh_token"]
    with members_app.extensions["database"].system_session() as session:
        wanted = RefreshToken.token_hash == token_hash(made["refresh_token"])
        session.execute(update(RefreshToken).where(wanted).values(used_at=SystemClock().now() - REPEAT_TIME))
        session.commit()
    assert refresh(visitor, made["refresh_token"]).json["code"] == "refresh_token_reused"
    assert refresh(visitor, successor).status_code == 401


def test_signing_out_ends_the_refresh_token(visitor: ApiClient, signed_up: SignedUp) -> None:
    _, made = signed_up()
    body = {"refresh_token": made["refresh_token"]}
    assert visitor.post("/v1/tokens/revocation", body).status_code == 204
    assert visitor.post("/v1/tokens/revocation", {"refresh_token": "unknown"}).status_code == 204
    assert refresh(visitor, made["refresh_token"]).status_code == 401


def test_an_expired_refresh_token_is_refused_and_expired_sign_ins_are_forgotten(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    from members.models import RefreshToken

    _, made = signed_up()
    with members_app.extensions["database"].system_session() as session:
        wanted = RefreshToken.token_hash == token_hash(made["refresh_token"])
        old = session.scalar(
            update(RefreshToken).where(wanted).values(expires_at=SystemClock().now()).returning(RefreshToken.sign_in_id)
        )
        session.commit()
    assert refresh(visitor, made["refresh_token"]).json["code"] == "refresh_token_invalid"
    sign_in(visitor, made["organization"]["slug"])
    with members_app.extensions["database"].system_session() as session:
        assert session.get(SignIn, old) is None


@pytest.mark.parametrize("email", [EMAIL, "nobody@harbour.example"])
def test_a_link_is_promised_to_everybody(visitor: ApiClient, signed_up: SignedUp, email: str) -> None:
    """GH-1: the answer never reveals who is known."""
    _, made = signed_up()
    body = {"email": email, "organization": made["organization"]["slug"]}
    answer = visitor.post("/v1/sign-in-links", body)
    assert (answer.status_code, answer.json) == (202, {})


def test_a_link_lets_in_once(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    _, made = signed_up()
    visitor.post("/v1/sign-in-links", {"email": EMAIL, "organization": made["organization"]["slug"]})
    body = {"grant": "link", "token": mailed_token(members_app, "sign-in-link-requested")}
    answer = visitor.post("/v1/tokens", body)
    assert answer.status_code == 200, answer.json
    assert principal(members_app, answer).role == "owner"
    again = visitor.post("/v1/tokens", body)
    assert (again.status_code, again.json["code"]) == (401, "link_invalid")


def test_a_forgotten_password_is_replaced_with_a_link(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    _, made = signed_up()
    slug = made["organization"]["slug"]
    visitor.post("/v1/sign-in-links", {"email": EMAIL, "organization": slug})
    token = mailed_token(members_app, "sign-in-link-requested")
    body = {"token": token, "password": "another long one"}
    assert visitor.post("/v1/invitations/acceptance", {**body, "password": "short"}).status_code == 422
    assert visitor.post("/v1/invitations/acceptance", body).status_code == 200
    assert sign_in(visitor, slug).status_code == 401
    assert sign_in(visitor, slug, "another long one").status_code == 200
    assert refresh(visitor, made["refresh_token"]).status_code == 401


def test_an_expired_link_is_refused(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    _, made = signed_up()
    visitor.post("/v1/sign-in-links", {"email": EMAIL, "organization": made["organization"]["slug"]})
    token = mailed_token(members_app, "sign-in-link-requested")
    with members_app.extensions["database"].system_session() as session:
        wanted = EntryToken.token_hash == token_hash(token)
        session.execute(update(EntryToken).where(wanted).values(expires_at=SystemClock().now()))
        session.commit()
    assert visitor.post("/v1/tokens", {"grant": "link", "token": token}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": EMAIL, "password": PASSWORD},
        {"grant": "magic"},
        {"grant": "refresh"},
        {"grant": "refresh", "refresh_token": "rt_x", "email": EMAIL},
        {"grant": "link", "token": ""},
        {"email": EMAIL, "password": 12, "organization": "harbour"},
    ],
)
def test_grants_take_exactly_their_fields(visitor: ApiClient, body: dict[str, Any]) -> None:
    refused = visitor.post("/v1/tokens", body)
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"


def test_changing_the_password_ends_the_other_sign_ins(visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, made = signed_up()
    wrong = owner.post("/v1/password", {"current_password": "not it", "password": "another long one"})
    assert wrong.status_code == 401
    changed = owner.post("/v1/password", {"current_password": PASSWORD, "password": "another long one"})
    assert changed.status_code == 200, changed.json
    assert refresh(visitor, made["refresh_token"]).status_code == 401
    assert refresh(visitor, changed.json["refresh_token"]).status_code == 200
    slug = made["organization"]["slug"]
    assert sign_in(visitor, slug).status_code == 401
    assert sign_in(visitor, slug, "another long one").status_code == 200


def test_an_api_key_is_shown_once_exchanged_for_its_role_and_revoked(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    owner, _ = signed_up()
    made = owner.post("/v1/api-keys", {"name": "Door system", "role": "front_desk"})
    assert made.status_code == 201, made.json
    key = made.json["key"]
    assert key.startswith("dk_")
    [listed] = owner.get("/v1/api-keys").json["items"]
    assert "key" not in listed
    assert key.startswith(listed["hint"])
    answer = visitor.post("/v1/tokens", {"grant": "api_key", "key": key})
    assert answer.status_code == 200, answer.json
    assert answer.json["refresh_token"] is None
    caller = principal(members_app, answer)
    assert (caller.role, caller.subject) == ("front_desk", made.json["id"])
    assert owner.get(f"/v1/api-keys/{made.json['id']}").json["last_used_at"]
    assert owner.delete(f"/v1/api-keys/{made.json['id']}").status_code == 204
    assert visitor.post("/v1/tokens", {"grant": "api_key", "key": key}).json["code"] == "api_key_invalid"
    assert owner.get("/v1/api-keys").json["items"] == []


def test_an_api_key_asked_for_twice_under_one_key_is_one_key(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    body, headers = {"name": "Door system", "role": "front_desk"}, {"Idempotency-Key": "door"}
    first = owner.post("/v1/api-keys", body, headers=headers).json
    assert owner.post("/v1/api-keys", body, headers=headers).json["key"] == first["key"]
    other = owner.post("/v1/api-keys", {**body, "role": "admin"}, headers=headers)
    assert other.json["code"] == "idempotency_key_reused"
    assert len(owner.get("/v1/api-keys").json["items"]) == 1


def test_api_keys_keep_to_roles_and_organisations(members_app: Any, visitor: ApiClient, signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    key = owner.post("/v1/api-keys", {"name": "Admin", "role": "admin"}).json
    token = visitor.post("/v1/tokens", {"grant": "api_key", "key": key["key"]}).json["access_token"]
    admin = ApiClient(members_app.test_client(), token)
    assert admin.post("/v1/api-keys", {"name": "More", "role": "owner"}).status_code == 403
    assert admin.post("/v1/api-keys", {"name": "More", "role": "member"}).status_code == 422
    stranger, _ = signed_up()
    assert stranger.get(f"/v1/api-keys/{key['id']}").status_code == 404
    assert stranger.delete(f"/v1/api-keys/{key['id']}").status_code == 404
    past = {"name": "Old", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"}
    assert owner.post("/v1/api-keys", past).status_code == 422


def test_a_password_changed_while_it_is_compared_no_longer_lets_in(
    visitor: ApiClient, signed_up: SignedUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, made = signed_up()
    compare = sign_in_service.password_fits
    change = {"current_password": PASSWORD, "password": "another long one"}

    def compare_slowly(password_hash: str | None, password: str) -> bool:
        monkeypatch.setattr(sign_in_service, "password_fits", compare)
        with ThreadPoolExecutor(1) as elsewhere:  # a request of its own, not one inside of this one
            assert elsewhere.submit(owner.post, "/v1/password", change).result().status_code == 200
        return compare(password_hash, password)

    monkeypatch.setattr(sign_in_service, "password_fits", compare_slowly)
    refused = sign_in(visitor, made["organization"]["slug"])
    assert (refused.status_code, refused.json["code"]) == (401, "sign_in_refused")


def test_guesses_at_the_current_password_are_throttled(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    guesses = [
        owner.post("/v1/password", {"current_password": f"guess {number}", "password": "another long one"})
        for number in range(6)
    ]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
    assert int(guesses[-1].headers["Retry-After"]) > 0
    right = owner.post("/v1/password", {"current_password": PASSWORD, "password": "another long one"})
    assert right.status_code == 429


def test_a_good_change_of_the_password_clears_the_guesses(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    right = {"current_password": PASSWORD, "password": PASSWORD}
    for _ in range(2):
        wrong = [owner.post("/v1/password", {**right, "current_password": "a guess"}) for _ in range(4)]
        assert {answer.status_code for answer in wrong} == {401}
        assert owner.post("/v1/password", right).status_code == 200


def test_expired_refresh_tokens_of_a_sign_in_that_goes_on_are_forgotten(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    _, made = signed_up()
    second = refresh(visitor, made["refresh_token"]).json["refresh_token"]
    used = token_hash(made["refresh_token"])
    with members_app.extensions["database"].system_session() as session:
        session.execute(
            update(RefreshToken).where(RefreshToken.token_hash == used).values(expires_at=SystemClock().now())
        )
        session.commit()
    assert refresh(visitor, second).status_code == 200
    with members_app.extensions["database"].system_session() as session:
        assert session.scalar(select(RefreshToken.id).where(RefreshToken.token_hash == used)) is None


def test_no_token_outlives_the_api_key_that_it_was_exchanged_for(
    members_app: Any, visitor: ApiClient, signed_up: SignedUp
) -> None:
    owner, _ = signed_up()
    ends = SystemClock().now() + timedelta(minutes=2)
    key = owner.post("/v1/api-keys", {"name": "Fair", "role": "admin", "expires_at": ends.isoformat()}).json["key"]
    answer = visitor.post("/v1/tokens", {"grant": "api_key", "key": key}).json
    claims = read_token(answer["access_token"], members_app.extensions["signing_keys"])
    assert claims["exp"] == int(ends.timestamp())
    assert 100 < answer["expires_in"] <= 120


def test_a_repeated_request_for_an_api_key_says_so_and_is_no_change(
    signed_up: SignedUp, audit_log: Callable[..., list[dict[str, Any]]]
) -> None:
    owner, made = signed_up()
    body, headers = {"name": "Door system", "role": "front_desk"}, {"Idempotency-Key": "door"}
    answers = [owner.post("/v1/api-keys", body, headers=headers) for _ in range(2)]
    assert ["Idempotent-Replayed" in answer.headers for answer in answers] == [False, True]
    entries = audit_log(decode_id("org", made["organization"]["id"]))
    assert [entry["action"] for entry in entries if entry["subject"] == answers[0].json["id"]] == ["api_key.created"]
    assert "POST /v1/api-keys" not in {entry["action"] for entry in entries}


def test_a_request_for_an_api_key_shows_it_for_a_day_and_then_makes_another(
    members_app: Any, signed_up: SignedUp
) -> None:
    owner, _ = signed_up()
    body, headers = {"name": "Door system", "role": "front_desk"}, {"Idempotency-Key": "door"}
    first = owner.post("/v1/api-keys", body, headers=headers).json
    with members_app.extensions["database"].system_session() as session:
        long_ago = SystemClock().now() - timedelta(hours=25)
        session.execute(update(ApiKey).where(ApiKey.id == decode_id("key", first["id"])).values(created_at=long_ago))
        session.commit()
    second = owner.post("/v1/api-keys", body, headers=headers).json
    assert second["key"] != first["key"]
    assert owner.post("/v1/api-keys", body, headers=headers).json["key"] == second["key"]
