"""What crosses the door, and what does not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Response
from werkzeug.test import EnvironBuilder, run_wsgi_app

from common.testing.plugin import INTERNAL_TOKEN, make_token

PROBLEM = "application/problem+json"


def test_a_request_arrives_as_it_was_sent(world: Any, gateway: Any) -> None:
    answer = gateway().post("/v1/members?a=1&a=%C3%A9", {"name": "É"}, headers={"Idempotency-Key": "k1"})
    got = answer.get_json()
    assert (got["service"], got["method"], got["query"]) == ("members", "POST", "a=1&a=%C3%A9")
    assert got["body"] == '{"name": "\\u00c9"}'
    assert got["headers"]["idempotency-key"] == "k1"
    assert got["headers"]["content-type"] == "application/json"
    assert got["headers"]["authorization"].startswith("Bearer ")


def test_odd_characters_in_a_path_reach_the_service_unchanged(world: Any, gateway: Any) -> None:
    assert gateway().get("/v1/members/caf%C3%A9%20%3F%25").get_json()["path"] == "/v1/members/café ?%"


def test_headers_of_one_connection_and_forged_ones_are_dropped(world: Any, gateway: Any) -> None:
    forged = {
        "Connection": "close, X-Private",
        "X-Private": "1",
        "Keep-Alive": "5",
        "Te": "trailers",
        "Upgrade": "h2c",
        "Proxy-Authorization": "x",
        "Forwarded": "for=1.1.1.1",
        "X-Forwarded-Host": "evil.example",
        "Deskledger-Internal-Token": INTERNAL_TOKEN,
        "X-Public": "2",
    }
    got = gateway().get("/v1/members", headers=forged).get_json()["headers"]
    assert got["x-public"] == "2"
    gone = {"x-private", "keep-alive", "te", "upgrade", "proxy-authorization", "forwarded", "deskledger-internal-token"}
    assert not gone & set(got)
    assert got["x-forwarded-host"] == "localhost"


def test_every_answer_has_a_request_id_and_one_trace(world: Any, gateway: Any) -> None:
    answer = gateway().get(
        "/v1/members", headers={"X-Request-Id": "mine", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    assert answer.headers["X-Request-Id"] == "mine"
    assert answer.get_json()["headers"]["x-request-id"] == "mine"
    assert answer.get_json()["headers"]["traceparent"].startswith(f"00-{'a' * 32}-")
    refused = gateway().get("/v1/nothing")
    assert refused.headers["X-Request-Id"] == refused.get_json()["trace_id"]


def test_answers_carry_security_headers_and_internal_ones_are_dropped(world: Any, gateway: Any) -> None:
    @world.services["catalog"].app.get("/v1/plans")
    def plans() -> Response:
        sent = {"Deskledger-Messages": "x:y", "Keep-Alive": "5", "ETag": '"v1"', "Set-Cookie": "a=1"}
        return Response("[]", headers=sent)

    headers = gateway().get("/v1/plans").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["ETag"] == '"v1"'
    assert "Deskledger-Messages" not in headers
    assert "Keep-Alive" not in headers
    assert "Strict-Transport-Security" not in headers
    secure = gateway().get("/v1/plans", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in secure.headers


@pytest.mark.parametrize(
    "path", ["/internal/settlement", "/v1/%2e%2e/internal/settlement", "//internal/settlement", "/x"]
)
def test_internal_paths_are_not_there(world: Any, gateway: Any, path: str) -> None:
    answer = gateway().post(path, headers={"Deskledger-Internal-Token": INTERNAL_TOKEN})
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)
    assert world.requests == [] or all("jwks" in seen["path"] for seen in world.requests)


def bad_tokens() -> dict[str, str]:
    good = make_token(uuid4())
    return {
        "no bearer": "Basic eDp5",
        "empty": "Bearer ",
        "no token": "Bearer nonsense",
        "changed": f"Bearer {good[:-4]}AAAA",
        "unsigned": "Bearer " + jwt.encode({"sub": "x"}, None, algorithm="none"),
        "expired": "Bearer " + make_token(uuid4(), exp=1),
        "other audience": "Bearer " + make_token(uuid4(), aud="other"),
    }


@pytest.mark.parametrize("header", bad_tokens().values(), ids=bad_tokens().keys())
def test_a_bad_token_is_refused_before_any_service_sees_it(world: Any, gateway: Any, header: str) -> None:
    answer = gateway(None).get("/v1/bookings", headers={"Authorization": header})
    assert (answer.status_code, answer.content_type) == (401, PROBLEM)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not [seen for seen in world.requests if seen["service"] == "booking"]


def test_without_a_token_the_service_decides(world: Any, gateway: Any) -> None:
    got = gateway(None).post("/v1/tokens").get_json()
    assert got["service"] == "members"
    assert "authorization" not in got["headers"]


def test_tokens_pass_unchecked_while_the_keys_cannot_be_had(world: Any, gateway: Any) -> None:
    world.broken.add("members")
    client = gateway()
    assert client.get("/v1/bookings").status_code == 200
    assert client.get("/v1/organization/clock").status_code == 503


def test_a_token_of_a_revoked_key_is_refused_however_often_it_comes(world: Any, gateway: Any) -> None:
    client = gateway(None)
    header = base64.urlsafe_b64encode(b'{"alg":"EdDSA","kid":"revoked"}').decode().rstrip("=")
    sent = {"Authorization": f"Bearer {header}.{make_token(uuid4()).partition('.')[2]}"}
    answers = [client.get("/v1/organization/clock", headers=sent) for _ in range(3)]
    assert [(answer.status_code, answer.get_json()["code"]) for answer in answers] == [(401, "unknown_signing_key")] * 3
    assert len([seen for seen in world.requests if "jwks" in seen["path"]]) == 1


def test_the_keys_are_asked_for_once(world: Any, gateway: Any) -> None:
    client = gateway()
    for _ in range(3):
        client.get("/v1/bookings")
    assert len([seen for seen in world.requests if "jwks" in seen["path"]]) == 1


@pytest.fixture
def key_exchange(world: Any) -> list[str]:
    """members exchanges the key dk_good; the list has every key that was tried."""
    tried: list[str] = []
    organization_id = uuid4()

    @world.services["members"].app.post("/v1/tokens")
    def exchange() -> Any:
        from flask import request

        tried.append(request.get_json()["key"])
        if tried[-1] != "dk_good":
            return {"code": "api_key_invalid"}, 401
        return {"access_token": make_token(organization_id), "expires_in": 900}

    return tried


def test_an_api_key_is_exchanged_once_and_the_service_gets_a_token(world: Any, gateway: Any, key_exchange: Any) -> None:
    client = gateway(None)
    for _ in range(3):
        answer = client.get("/v1/bookings", headers={"Authorization": "Bearer dk_good"})
        assert answer.get_json()["headers"]["authorization"].startswith("Bearer ey")
    assert key_exchange == ["dk_good"]


def test_a_wrong_api_key_is_401_and_asked_about_once(world: Any, gateway: Any, key_exchange: Any) -> None:
    client = gateway(None)
    for _ in range(3):
        answer = client.get("/v1/bookings", headers={"Authorization": "Bearer dk_bad"})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "api_key_invalid")
    assert key_exchange == ["dk_bad"]


def test_deleting_an_api_key_forgets_the_exchanged_tokens(world: Any, gateway: Any, key_exchange: Any) -> None:
    client = gateway()
    for _ in range(2):
        client.get("/v1/bookings", headers={"Authorization": "Bearer dk_good"})
        client.delete("/v1/api-keys/key_1")
    assert key_exchange == ["dk_good", "dk_good"]


def test_a_service_that_is_down_is_503_and_the_others_go_on(world: Any, gateway: Any) -> None:
    client = gateway()
    client._client.application.extensions["upstreams"]._known.pop("payments")
    answer = client.get("/v1/payments")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")
    assert answer.get_json()["service"] == "payments"
    assert client.get("/v1/invoices").status_code == 200


def test_too_large_a_body_is_413_and_not_forwarded(world: Any, gateway: Any) -> None:
    answer = gateway(max_body_bytes=1000).post("/v1/bookings", {"note": "x" * 1000})
    assert (answer.status_code, answer.content_type) == (413, PROBLEM)
    assert not [seen for seen in world.requests if seen["service"] == "booking"]


def test_one_address_is_limited_and_told_when_to_come_again(world: Any, gateway: Any) -> None:
    client = gateway(None, address_limit=5)
    statuses = [client.get("/v1/locations").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    answer = client.get("/v1/locations")
    assert answer.get_json()["code"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert client.get("/livez").status_code == 200
    assert client.get("/v1/locations", headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 200


def test_one_key_is_limited_wherever_it_comes_from(world: Any, gateway: Any) -> None:
    client = gateway(key_limit=3)
    statuses = [
        client.get("/v1/locations", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
        for number in range(5)
    ]
    assert statuses == [200] * 3 + [429] * 2


def test_signing_in_is_limited_more_strictly(world: Any, gateway: Any) -> None:
    client = gateway(None, sign_in_limit=2)
    assert [client.post("/v1/tokens").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/v1/locations").status_code == 200


def test_a_limit_of_zero_is_none(world: Any, gateway: Any) -> None:
    client = gateway(None, address_limit=0, key_limit=0, sign_in_limit=0)
    assert {client.post("/v1/tokens").status_code for _ in range(20)} == {200}


def test_long_answers_are_streamed(world: Any, gateway: Any) -> None:
    made: list[int] = []

    @world.services["invoicing"].app.get("/v1/invoices/inv_1/pdf")
    def pdf() -> Response:
        def pages() -> Any:
            for number in range(10):
                made.append(number)
                yield b"%PDF" * 1000

        return Response(pages(), content_type="application/pdf")

    client = gateway()
    answer = client._client.get("/v1/invoices/inv_1/pdf", headers={"Authorization": f"Bearer {client.token}"})
    assert len(made) < 10
    assert answer.content_type == "application/pdf"
    assert "Content-Security-Policy" not in answer.headers
    assert len(answer.get_data()) == 40_000


def test_pages_of_configured_origins_may_call_and_others_may_not(world: Any, gateway: Any) -> None:
    client = gateway(None, cors_origins="https://shop.example")
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    preflight = client.request("OPTIONS", "/v1/bookings", headers=asked)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.get("/v1/bookings", headers={"Origin": "https://shop.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    other = client.get("/v1/bookings", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_pages_go_to_the_portal_with_their_host_and_cookies(world: Any, gateway: Any) -> None:
    from flask import Flask, request

    portal = Flask("portal")

    @portal.route("/admin")
    def admin() -> Response:
        return Response(f"{request.host} {request.cookies['s']}", headers={"Set-Cookie": "s=2; HttpOnly"})

    client = gateway(None)
    assert client.get("/admin").status_code == 404
    client._client.application.extensions["upstreams"]._known["portal"] = portal
    client._client.set_cookie("s", "1")
    answer = client.get("/admin", headers={"Authorization": "Basic eDp5"})
    assert answer.text == "localhost 1"
    assert answer.headers["Set-Cookie"].startswith("s=2")
    assert "Cache-Control" not in answer.headers


def test_a_head_request_has_no_body(world: Any, gateway: Any) -> None:
    answer = gateway().request("HEAD", "/v1/members")
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_refusal_at_the_door_says_its_length_once(world: Any, gateway: Any) -> None:
    # Said twice, nginx takes the answer for a broken one and makes it a 502.
    client = gateway(None, max_body_bytes=10)
    refusals = [
        client.get("/v1/nothing"),
        client.get("/v1/members", headers={"Authorization": "Bearer nonsense"}),
        client.post("/v1/members", {"name": "longer than that"}),
    ]
    assert [answer.status_code for answer in refusals] == [404, 401, 413]
    for answer in refusals:
        assert answer.headers.getlist("Content-Length") == [str(len(answer.get_data()))]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/members", "/livez", "/v1/audit-log"])
def test_nothing_follows_the_headers_of_a_head_request(world: Any, gateway: Any, path: str) -> None:
    # Read past the test client, which would leave a body out by itself.
    app = gateway()._client.application
    environ = EnvironBuilder(method="HEAD", path=path).get_environ()
    pieces, _, headers = run_wsgi_app(app, environ)
    assert b"".join(pieces) == b""
    assert int(headers["Content-Length"]) > 0


def test_an_address_of_version_6_is_limited_with_its_whole_network(world: Any, gateway: Any) -> None:
    client = gateway(None, address_limit=3)
    statuses = [
        client.get("/v1/locations", headers={"X-Forwarded-For": f"2001:db8:1:2::{number}"}).status_code
        for number in range(5)
    ]
    assert statuses == [200] * 3 + [429] * 2
    assert client.get("/v1/locations", headers={"X-Forwarded-For": "2001:db8:1:3::1"}).status_code == 200


def test_processes_hear_of_each_others_deleted_api_keys(
    world: Any, gateway: Any, key_exchange: Any, tmp_path: Path
) -> None:
    shared = str(tmp_path / "rate-limits")
    one, other = gateway(rate_limit_file=shared), gateway(rate_limit_file=shared)
    sent = {"Authorization": "Bearer dk_good"}
    for _ in range(2):
        assert other.get("/v1/bookings", headers=sent).status_code == 200
        assert other.get("/v1/bookings", headers=sent).status_code == 200
        assert one.delete("/v1/api-keys/key_1").status_code == 200
    assert key_exchange == ["dk_good", "dk_good"]
