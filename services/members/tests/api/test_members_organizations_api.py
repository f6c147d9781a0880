"""Sign-up, one's own organisation and its clock, through the app on a real database."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select, text, update

from common.auth import Principal, read_token
from common.clock import SystemClock
from common.db import TenantMixin
from common.db.migrate import schema_differences
from common.db.plumbing import outbox_table, plumbing_metadata
from common.testing.plugin import INTERNAL_TOKEN, ApiClient
from members.models import Base, SignUp
from members.service import SERVICE

Body = Callable[..., dict[str, Any]]
SignedUp = Callable[..., tuple[ApiClient, dict[str, Any]]]
BY_OWNER = {"actor": "usr_owner", "actor_role": "owner"}


def announced(app: Any, organization_id: UUID, kind: str) -> list[dict[str, Any]]:
    """Bodies of the messages of a type that an organisation's changes wrote."""
    table = outbox_table
    statement = select(table.c.body).where(table.c.organization_id == organization_id, table.c.type == kind)
    with app.extensions["database"].system_session() as session:
        return [json.loads(body) for body in session.scalars(statement.order_by(table.c.seq))]


def internal_id(organization: dict[str, Any]) -> UUID:
    """The UUID in ``org_…``."""
    return UUID(hex=organization["id"].removeprefix("org_"))


def test_models_agree_with_the_migrations(members_app: Any) -> None:
    assert schema_differences(members_app.extensions["database"].url, [plumbing_metadata, SERVICE.metadata]) == []


def test_row_level_security_stands_behind_every_tenant_table(members_app: Any) -> None:
    tenant = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantMixin)}
    guarded = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind = 'r'")
    with members_app.extensions["database"].system_session() as session:
        assert set(session.scalars(guarded)) == tenant | {"audit_log"}


def test_sign_up_answers_with_the_organisation_and_a_token_that_opens_it(
    members_app: Any, visitor: ApiClient, sign_up_body: Body
) -> None:
    body = sign_up_body(address={"city": "Hamburg"})
    answer = visitor.post("/v1/organizations", body)
    assert answer.status_code == 201, answer.json
    organization = answer.json["organization"]
    assert organization["id"].startswith("org_")
    assert organization["slug"] == body["slug"]
    assert organization["address"] == {"city": "Hamburg"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    claims = read_token(answer.json["access_token"], members_app.extensions["signing_keys"])
    assert (claims["slug"], Principal.from_claims(claims).role) == (body["slug"], "owner")
    owner = ApiClient(members_app.test_client(), answer.json["access_token"])
    assert owner.get("/v1/organization").json == organization
    [message] = announced(members_app, internal_id(organization), "organization-changed")
    assert (message["slug"], message["clock_now"]) == (body["slug"], "2027-02-01T08:00:00Z")
    assert message["profile"] == {"address": {"city": "Hamburg"}}


def test_a_rehearsal_without_a_clock_starts_now_and_a_live_one_takes_none(signed_up: SignedUp) -> None:
    owner, _ = signed_up(clock=None)
    assert owner.get("/v1/organization/clock").json["now"] > "2026"
    live, _ = signed_up(mode="live", clock=None)
    assert live.get("/v1/organization/clock").json["mode"] == "live"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"mode": "live"}, "clock_is_real", None),
        ({"slug": "Harbour Works"}, "invalid", "/slug"),
        ({"slug": "-harbour"}, "invalid", "/slug"),
        ({"slug": "x" * 64}, "invalid", "/slug"),
        ({"currency": "EURO"}, "invalid", "/currency"),
        ({"currency": "eur"}, "invalid", "/currency"),
        ({"country": "XX"}, "invalid", "/country"),
        ({"timezone": "Berlin"}, "invalid", "/timezone"),
        ({"mode": "test"}, "invalid", "/mode"),
        ({"clock": "2027-02-01T08:00:00"}, "invalid", "/clock"),
        ({"colour": "blue"}, "invalid", "/colour"),
        ({"vat_number": "DE136695975"}, "vat_number_invalid", "/vat_number"),
        ({"owner": {"name": "O", "email": "o@harbour.example", "password": "short"}}, "invalid", "/owner/password"),
        ({"owner": {"name": "O", "email": "nobody", "password": "long enough for us"}}, "invalid", "/owner/email"),
    ],
)
def test_sign_up_refuses_bad_input_and_leaves_the_slug_free(
    visitor: ApiClient, sign_up_body: Body, change: dict[str, Any], code: str, pointer: str | None
) -> None:
    good = sign_up_body()
    refused = visitor.post("/v1/organizations", {**good, **change})
    assert (refused.status_code, refused.json["code"]) == (422, code), refused.json
    if pointer:
        assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert visitor.post("/v1/organizations", good).status_code == 201


def test_the_same_slug_twice_in_parallel_is_given_once(members_app: Any, sign_up_body: Body) -> None:
    body = sign_up_body()

    def attempt(_number: int) -> Any:
        return ApiClient(members_app.test_client(), None).post("/v1/organizations", body)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"slug_taken"}


def test_the_same_sign_up_under_one_key_in_parallel_makes_one_organisation(
    members_app: Any, sign_up_body: Body
) -> None:
    body, headers = sign_up_body(), {"Idempotency-Key": "sign-up-once"}

    def attempt(_number: int) -> Any:
        return ApiClient(members_app.test_client(), None).post("/v1/organizations", body, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["organization"]["id"] for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count("true") == 5
    other = ApiClient(members_app.test_client(), None).post("/v1/organizations", sign_up_body(), headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_a_sign_up_is_repeated_for_a_day_and_is_no_second_password_after(
    members_app: Any, visitor: ApiClient, sign_up_body: Body
) -> None:
    body, headers = sign_up_body(), {"Idempotency-Key": "sign-up"}
    assert visitor.post("/v1/organizations", body, headers=headers).status_code == 201
    again = visitor.post("/v1/organizations", body, headers=headers)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    with members_app.extensions["database"].system_session() as session:
        session.execute(update(SignUp).values(created_at=SystemClock().now() - timedelta(hours=25)))
        session.commit()
    late = visitor.post("/v1/organizations", body, headers=headers)
    assert (late.status_code, late.json["code"]) == (409, "slug_taken")


def test_the_organisation_is_changed_with_its_etag_and_announced(members_app: Any, signed_up: SignedUp) -> None:
    owner, answer = signed_up()
    etag = owner.get("/v1/organization").headers["ETag"]
    change = {"name": "Harbour", "vat_number": "DE136695976", "brand_colour": "#0b5fff"}
    changed = owner.patch("/v1/organization", change, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.json
    assert changed.json["vat_number"] == "DE136695976"
    assert owner.patch("/v1/organization", {"name": "x"}, headers={"If-Match": etag}).status_code == 412
    assert owner.patch("/v1/organization", {"brand_colour": None}).json["brand_colour"] is None
    messages = announced(members_app, internal_id(answer["organization"]), "organization-changed")
    assert [message["version"] for message in messages] == [1, 2, 3]
    assert messages[-1]["profile"] == {"vat_number": "DE136695976"}
    assert messages[-1]["clock_now"] == "2027-02-01T08:00:00Z"


def _picture(kind: str = "PNG", size: tuple[int, int] = (40, 20)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#1f5d57").save(out, kind)
    return out.getvalue()


def _data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "logo",
    [_data_uri(_picture()), _data_uri(_picture("JPEG"), "jpeg"), "https://harbour.example/logo.png"],
    ids=["png", "jpeg", "https"],
)
def test_a_logo_is_a_small_picture_or_an_address(signed_up: SignedUp, logo: str) -> None:
    owner, _ = signed_up()
    assert owner.patch("/v1/organization", {"logo": logo}).json["logo"] == logo
    assert owner.patch("/v1/organization", {"logo": None}).json["logo"] is None


@pytest.mark.parametrize(
    ("logo", "code"),
    [
        (_data_uri(b"<svg onload=alert(1)>"), "logo_unreadable"),
        (_data_uri(_picture()[:60]), "logo_unreadable"),
        (_data_uri(_picture("JPEG")), "logo_unreadable"),
        (_data_uri(_picture("GIF"), "png"), "logo_unreadable"),
        (_data_uri(_picture(size=(2001, 1))), "logo_too_large"),
        (_data_uri(_picture(size=(1, 60_000))), "logo_too_large"),
        ("data:image/svg+xml;base64,PHN2Zz4=", "invalid"),
        ("http://harbour.example/logo.png", "invalid"),
        ("data:image/png;base64," + "A" * 150_000, "invalid"),
    ],
    ids=["svg", "cut", "jpeg-as-png", "gif", "wide", "tall", "other-kind", "plain-http", "heavy"],
)
def test_a_logo_that_is_no_small_picture_is_refused_and_changes_nothing(
    signed_up: SignedUp, sign_up_body: Any, members_app: Any, logo: str, code: str
) -> None:
    owner, _ = signed_up()
    refused = owner.patch("/v1/organization", {"logo": logo, "name": "Other"})
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert refused.json["errors"][0]["pointer"] == "/logo"
    assert owner.get("/v1/organization").json["name"] == "Harbour Works"
    visitor = ApiClient(members_app.test_client(), None)
    assert visitor.post("/v1/organizations", sign_up_body(logo=logo)).status_code == 422


def test_currency_and_mode_are_fixed(signed_up: SignedUp) -> None:
    owner, _ = signed_up()
    assert owner.patch("/v1/organization", {"currency": "EUR", "mode": "rehearsal"}).status_code == 200
    assert owner.patch("/v1/organization", {"currency": "USD"}).json["code"] == "currency_is_fixed"
    assert owner.patch("/v1/organization", {"mode": "live"}).status_code == 409
    assert owner.patch("/v1/organization", {"slug": "other"}).status_code == 422


class Gateway:
    """Asks the internal routes as the gateway does."""

    def __init__(self, app: Any) -> None:
        self.client = app.test_client()

    def get(self, path: str) -> Any:
        return self.client.get(path, headers={"Deskledger-Internal-Token": INTERNAL_TOKEN})

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(path, json=body, headers={"Deskledger-Internal-Token": INTERNAL_TOKEN})


def test_the_clock_moves_from_where_it_is_expected_only(members_app: Any, signed_up: SignedUp) -> None:
    owner, answer = signed_up()
    organization_id = internal_id(answer["organization"])
    gateway = Gateway(members_app)
    step = {
        "organization_id": str(organization_id),
        "expected_now": "2027-02-01T08:00:00Z",
        "to": "2027-02-12T00:00:00Z",
    }
    moved = gateway.post("/internal/clock", step)
    assert moved.status_code == 200, moved.json
    assert (moved.json["now"], moved.json["clock_version"]) == ("2027-02-12T00:00:00Z", 2)
    assert moved.headers["Deskledger-Messages"].endswith("members.clock-advanced.v1")
    again = gateway.post("/internal/clock", step)
    assert (again.status_code, again.json["code"], again.json["now"]) == (409, "clock_moved", "2027-02-12T00:00:00Z")
    back = gateway.post("/internal/clock", {**step, "expected_now": step["to"], "to": "2027-02-11T00:00:00Z"})
    assert (back.status_code, back.json["code"]) == (422, "clock_goes_back")
    assert owner.get("/v1/organization/clock").json["now"] == "2027-02-12T00:00:00Z"
    [message] = announced(members_app, organization_id, "clock-advanced")
    assert (message["now"], message["clock_version"]) == ("2027-02-12T00:00:00Z", 2)


def test_of_parallel_steps_from_one_time_one_wins(members_app: Any, signed_up: SignedUp) -> None:
    _, answer = signed_up()
    step = {"organization_id": str(internal_id(answer["organization"])), "expected_now": "2027-02-01T08:00:00Z"}

    def attempt(day: int) -> int:
        return int(
            Gateway(members_app).post("/internal/clock", {**step, "to": f"2027-03-{day:02}T00:00:00Z"}).status_code
        )

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(1, 5))) == [200, 409, 409, 409]


def test_the_audit_log_names_who_advanced_the_clock(
    members_app: Any, signed_up: SignedUp, audit_log: Callable[..., list[dict[str, Any]]]
) -> None:
    _, answer = signed_up()
    organization_id = internal_id(answer["organization"])
    target = {"organization_id": str(organization_id), "to": "2027-03-10T12:00:00Z", **BY_OWNER}
    Gateway(members_app).post("/internal/clock/target", target)
    entry = next(row for row in audit_log(organization_id) if row["action"] == "clock.advanced")
    assert (entry["actor"], entry["actor_role"]) == ("usr_owner", "owner")


def test_the_target_is_kept_until_it_is_reached(members_app: Any, signed_up: SignedUp) -> None:
    owner, answer = signed_up()
    gateway, organization_id = Gateway(members_app), str(internal_id(answer["organization"]))
    target = {"organization_id": organization_id, "to": "2027-03-10T12:00:00Z", **BY_OWNER}
    assert gateway.post("/internal/clock/target", target).json["target"] == "2027-03-10T12:00:00Z"
    earlier = gateway.post("/internal/clock/target", {**target, "to": "2027-02-10T12:00:00Z"})
    assert earlier.json["target"] == "2027-03-10T12:00:00Z"
    assert gateway.get(f"/internal/clock/target?organization_id={organization_id}").json["target"] == target["to"]
    assert organization_id in {item["organization_id"] for item in gateway.get("/internal/clock/targets").json["items"]}
    past = gateway.post("/internal/clock/target", {**target, "to": "2027-01-10T12:00:00Z"})
    assert past.status_code == 422
    step = {"organization_id": organization_id, "to": target["to"], "expected_now": "2027-02-01T08:00:00Z"}
    assert gateway.post("/internal/clock", step).json["target"] is None
    assert owner.get("/v1/organization/clock").json == {"mode": "rehearsal", "now": target["to"], "target": None}
    items = gateway.get("/internal/clock/targets").json["items"]
    assert organization_id not in {item["organization_id"] for item in items}


def test_a_live_clock_is_not_moved_and_strangers_see_nothing(members_app: Any, signed_up: SignedUp) -> None:
    _, answer = signed_up(mode="live", clock=None)
    gateway, organization_id = Gateway(members_app), str(internal_id(answer["organization"]))
    step = {"organization_id": organization_id, "expected_now": "2027-02-01T08:00:00Z", "to": "2027-03-01T00:00:00Z"}
    assert gateway.post("/internal/clock", step).json["code"] == "clock_is_real"
    target = {"organization_id": organization_id, "to": "2099-03-01T00:00:00Z", **BY_OWNER}
    assert gateway.post("/internal/clock/target", target).status_code == 409
    assert members_app.test_client().post("/internal/clock", json=step).status_code == 404
    assert gateway.post("/internal/clock", {**step, "to": "tomorrow"}).status_code == 422
    assert gateway.get("/internal/clock?organization_id=x").status_code == 422
    assert gateway.get(f"/internal/clock?organization_id={UUID(int=1)}").status_code == 404
