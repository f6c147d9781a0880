"""The ways in: sign-up, sign-in, links, invitations, renewal, sign-out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from common.clock import FixedClock

SIGN_UP = {
    "name": "Harbour Works",
    "slug": "harbour",
    "country": "DE",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "mode": "rehearsal",
    "owner__name": "Example Owner",
    "owner__email": "owner@harbour.example",
    "owner__password": "correct-horse-battery",
}


def test_sign_up_creates_the_organisation_and_leads_to_the_checklist(visitor: Any, gateway: Any) -> None:
    answer = visitor.send("/sign-up", SIGN_UP)
    assert answer.headers["Location"] == "/admin/getting-paid"
    body = gateway.last("POST", "/v1/organizations").body
    assert body["owner"] == {
        "name": "Example Owner",
        "email": "owner@harbour.example",
        "password": "correct-horse-battery",
    }
    assert body["mode"] == "rehearsal"
    assert "Getting paid" in visitor.read("/admin/getting-paid")


def test_a_taken_short_name_is_shown_beside_its_field_and_what_was_typed_stays(visitor: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/organizations", 409, "slug_taken", "look again", slug="this name is taken")
    page = visitor.send("/sign-up", SIGN_UP).get_data(as_text=True)
    assert 'id="slug-fault"' in page
    assert "This name is taken" in page
    assert 'value="Harbour Works"' in page
    assert "correct-horse-battery" not in page


def test_a_short_password_is_refused_before_anything_is_asked(visitor: Any, gateway: Any) -> None:
    page = visitor.send("/sign-up", {**SIGN_UP, "owner__password": "short"}).get_data(as_text=True)
    assert "At least 12 characters" in page
    assert not gateway.asked


def test_wrong_password_is_told_without_saying_what_was_wrong(visitor: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/tokens", 401, "sign_in_refused", "no")
    form = {"organization": "harbour", "email": "owner@harbour.example", "password": "wrong"}
    answer = visitor.send("/sign-in", form)
    assert answer.status_code == 200
    assert "do not fit together" in answer.get_data(as_text=True)


def test_sign_in_goes_only_to_pages_of_this_site(visitor: Any) -> None:
    form = {"organization": "harbour", "email": "owner@harbour.example", "password": "correct-horse-battery"}
    for wanted in ("https://evil.example/", "//evil.example/", "/admin//evil.example", "/admin/\\evil", "/portal/x/"):
        answer = visitor.send(f"/sign-in?next={wanted}", form)
        assert answer.headers["Location"] == "/admin/"
    assert visitor.send("/sign-in?next=/admin/members?q=a", form).headers["Location"] == "/admin/members?q=a"


def test_opening_a_mailed_link_does_not_use_it_up(visitor: Any, gateway: Any) -> None:
    path = "/sign-in/link?organization=harbour&token=sl_1"
    visitor.read(path)
    assert not gateway.asked
    assert visitor.send(path, {"token": "sl_1"}).status_code == 302
    assert gateway.last("POST", "/v1/tokens").body == {"grant": "link", "token": "sl_1"}


def test_an_invitation_is_taken_with_a_password(visitor: Any, gateway: Any) -> None:
    import portal_house

    gateway.answers[("POST", "/v1/invitations/acceptance")] = (200, portal_house.TOKENS)
    answer = visitor.send("/invitation?token=et_1", {"token": "et_1", "password": "a-long-enough-password"})
    assert answer.headers["Location"] == "/admin/"


def test_asking_for_a_link_answers_alike_for_everybody(visitor: Any) -> None:
    page = visitor.send("/sign-in/by-link", {"organization": "harbour", "email": "nobody@harbour.example"})
    assert "If this address is known" in page.get_data(as_text=True)


def test_an_access_token_that_ends_is_renewed_and_used(owner: Any, gateway: Any, portal: Any) -> None:
    clock = portal.extensions["clock"]
    portal.extensions["clock"] = FixedClock(clock.now() + timedelta(minutes=20))
    gateway.answers[("POST", "/v1/tokens")] = (
        200,
        {"access_token": "access-2", "expires_in": 900, "refresh_token": "rt_2", "token_type": "Bearer"},
    )
    gateway.asked.clear()
    owner.read("/admin/plans")
    assert gateway.asked[0].body == {"grant": "refresh", "refresh_token": "rt_1"}
    assert gateway.last("GET", "/v1/plans").headers["Authorization"] == "Bearer access-2"
    gateway.asked.clear()
    owner.read("/admin/plans")
    assert not [asked for asked in gateway.asked if asked.path == "/v1/tokens"]


def test_pages_loaded_at_once_exchange_a_refresh_token_only_once(portal: Any) -> None:
    renewals = portal.extensions["renewals"]
    asked: list[str] = []

    def ask(token: str) -> dict[str, Any]:
        asked.append(token)
        return {"access_token": "access-2"}

    assert renewals.exchange("rt_1", ask) == renewals.exchange("rt_1", ask)
    assert asked == ["rt_1"]


def test_a_sign_in_that_has_ended_leads_to_the_door(owner: Any, gateway: Any, portal: Any) -> None:
    portal.extensions["clock"] = FixedClock(portal.extensions["clock"].now() + timedelta(minutes=20))
    gateway.refuse("POST", "/v1/tokens", 401, "refresh_token_invalid", "ended")
    assert owner.client.get("/admin/plans").headers["Location"].startswith("/sign-in")


def test_signing_out_ends_the_sign_in_at_the_gateway_too(owner: Any, gateway: Any) -> None:
    assert owner.send("/sign-out", {"side": "staff"}, page="/admin/plans").status_code == 302
    assert gateway.last("POST", "/v1/tokens/revocation").body == {"refresh_token": "rt_1"}
    assert owner.client.get("/admin/").status_code == 302
