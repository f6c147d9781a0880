"""Cookies that nobody can read, forms that nobody can forge, pages that load nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.app import create_portal_app
from portal.config import PortalSettings


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/hub/harbour/"])
def test_every_page_has_the_strict_policy(visitor: Any, path: str) -> None:
    policy = visitor.client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_pages_hold_no_scripts_styles_or_addresses_of_others(owner: Any) -> None:
    for path in ("/admin/", "/admin/members/new", "/admin/bookings/new", "/", "/sign-up"):
        page = owner.read(path)
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
        assert not re.search(r"\sstyle=|\son[a-z]+=", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_calendars_own_styles_carry_the_nonce_of_the_policy(owner: Any) -> None:
    answer = owner.client.get("/admin/calendar?date=2027-02-15")
    nonce = re.search(r'<style nonce="([^"]+)"', answer.get_data(as_text=True))
    assert nonce
    assert f"'nonce-{nonce[1]}'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/admin/members/new", "/admin/invoices/inv_1/void", "/sign-out"])
def test_a_form_without_its_token_is_refused_and_nothing_is_sent(owner: Any, gateway: Any, path: str) -> None:
    gateway.asked.clear()
    answer = owner.client.post(path, data={"name": "Mallory"})
    assert answer.status_code == 400
    assert not [asked for asked in gateway.asked if asked.method != "GET"]


def test_the_cookie_is_for_this_site_only_and_tells_nothing(owner: Any) -> None:
    cookie = owner.client.get_cookie("deskledger")
    assert cookie
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert "access-1" not in cookie.value
    assert len(cookie.value) < 3800


def test_secure_cookies_are_bound_to_the_host(gateway: Any) -> None:
    app = create_portal_app(PortalSettings(secret="another secret of tests", secure_cookies=True), gateway)
    cookie = app.test_client().get("/sign-in", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-deskledger=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


def test_a_cookie_made_with_another_secret_is_nobody(owner: Any, gateway: Any) -> None:
    cookie = owner.client.get_cookie("deskledger")
    other = create_portal_app(PortalSettings(secret="another secret of tests"), gateway).test_client()
    other.set_cookie("deskledger", cookie.value)
    assert other.get("/admin/").status_code == 302


def test_mail_is_shown_in_a_frame_that_may_do_nothing(owner: Any) -> None:
    policy = owner.client.get("/admin/notifications/ntf_1/html").headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy


def test_nobodys_page_is_kept_by_caches(owner: Any) -> None:
    assert owner.client.get("/admin/").headers["Cache-Control"] == "private, no-store"
