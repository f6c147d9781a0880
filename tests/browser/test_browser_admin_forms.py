"""Whoever opens a form and saves it unchanged changes nothing, also not what an API set that the form does not show."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from client import GatewayClient
from PIL import Image
from playwright.sync_api import Page, expect
from portal_walks import Space, press
from story import euro

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# What a change of nothing may change.
_PASSING = frozenset({"version", "updated_at"})
_ADDRESS = {"street": "Kai 1", "city": "Hamburg", "postal_code": "20457", "country": "DE", "region": "HH"}
_TAX = {"tax_percent": "7", "tax_category": "S", "revenue_account": "8300", "prices_include_tax": True}


def everything(space: Space) -> dict[str, tuple[str, dict[str, Any]]]:
    """Pages of forms -> the API's path of what they show, and what is said of it over the API before."""
    api = space.owner
    location, room = (api.get(f"/v1/{name}")["items"][0]["id"] for name in ("locations", "resources"))
    other = _room(api, location, "Hall", {})
    plan, rate = (api.get(f"/v1/{name}")["items"][0]["id"] for name in ("plans", "resource-rates"))
    retired = _plan(api, "Old desk")
    quotas = [{"unit": unit, "per": per, "limit": "10"} for unit in ("hours", "bookings") for per in ("week", "month")]
    hours = {"mon": [["08:00", "12:00"]]}
    rules = {"quotas": quotas, "show_names": True, "recurring_allowed": False, "opening_hours": hours, "who": "members"}
    late = {"steps": [{"hours_before": 48 - n, "percent": str(10 * n)} for n in (1, 2, 3, 4)], "no_show_percent": "80"}
    scope = {"kinds": ["booking"], "resource_ids": [room], "resource_types": ["meeting_room"]}
    promo = api.post("/v1/promo-codes", {"code": "BLUE20", "percent": "20", "scope": scope})["id"]
    plans_scope = {"kinds": ["plan"], "plan_ids": [retired, plan]}
    plan_promo = api.post("/v1/promo-codes", {"code": "DESK5", "amount": euro(500), "scope": plans_scope})["id"]
    day_pass = api.post("/v1/plans", {"name": "Day pass", "kind": "one_off", "price": euro(2500), "passes": 1})["id"]
    company = api.post("/v1/companies", {"name": "Reederei Süd", "email": "office@sued.example"})["id"]
    closures = [{"start": "2027-12-24", "end": "2027-12-26", "name": "Christmas"},
                {"start": "2027-12-31", "end": "2027-12-31", "from_time": "14:00", "name": ""}]  # fmt: skip
    prices = [{"unit": "hour", "price": euro(1500)}, {"unit": "week", "price": euro(90000), "when": "off_hours"}]
    conditions = {"audience": "members", "plan_ids": [plan], "valid_from": "2027-01-01", "member_ids": [space.member]}
    billing = {"name": "Nord", "address": _ADDRESS, "tax_percent": "7", "tax_category": "S", "purchase_order": "PO 7"}
    person = {"billing": billing, "reminders": False, "billing_day": 5, "language": "de"}
    member = api.post("/v1/members", {"name": "Example Person", "company_id": company})["id"]
    bank = {
        "address": _ADDRESS,
        "bank": {"iban": "DE02120300000000202051", "account": "7"},
        "website": "https://a.example",
    }
    found = {
        f"locations/{location}": {"address": _ADDRESS, "closures": closures},
        f"resources/{room}": {"booking_policy": rules, "cancellation_policy": late, "parent_ids": [other]},
        f"resources/{other}": {"published": False},
        f"resource-rates/{rate}": {"prices": prices, "conditions": conditions, **_but(_TAX, "tax_category"),
                                   "extras": [{"code": "beamer", "name": "Projector", "price": euro(900)}]},
        f"plans/{plan}": {**_TAX, "credits_carry_over_cap": "4", "credits_hours": "8", "notice_days": 30},
        f"plans/{day_pass}": {"allowance_valid_days": 90},
        f"promo-codes/{promo}": {}, f"promo-codes/{plan_promo}": {},
        f"members/{member}": {**person, "is_contact_person": True}, f"companies/{company}": person,
    }  # fmt: skip
    api.send("DELETE", f"/v1/plans/{retired}")
    pages = {path: (path, said) for path, said in found.items()}
    for name in ("members", "companies"):
        pages = {f"{path}/edit" if path.startswith(name) else path: pair for path, pair in pages.items()}
    dunning = {"end_memberships_after_days": 90, "late_fee": euro(500), "location_by": "use"}
    reminders = {"booking_reminders": False, "booking_reminder_hours": 48}
    return pages | {
        "settings/organization": ("organization", {**bank, "brand_colour": "#0b5fff", "alert_email": "a@b.example"}),
        "settings/billing": ("settings/billing", dunning),
        "settings/notifications": ("settings/notifications", reminders),
        "storefront": ("storefront-settings", {"headline": "Work by the water", "brand_color": "#0b5fff"}),
    }  # fmt: skip


def _but(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def _room(api: GatewayClient, location: str, name: str, more: dict[str, Any]) -> str:
    body = {"name": name, "type": "event_space", "location_id": location, "visibility": "members", "is_free": True}
    return str(api.post("/v1/resources", {**body, **more})["id"])


def _plan(api: GatewayClient, name: str) -> str:
    body = {"name": name, "kind": "recurring", "price": euro(20000), "interval": "month", "prorate": True}
    return str(api.post("/v1/plans", body)["id"])


def _lasting(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in _PASSING}


def test_a_form_that_is_saved_unchanged_changes_nothing(page: Page, own_space: Space) -> None:
    wrong = []
    for path, (resource, said) in everything(own_space).items():
        api = own_space.owner
        before = _lasting(api.patch(f"/v1/{resource}", said) if said else api.get(f"/v1/{resource}"))
        page.goto(f"/admin/{path}")
        press(page, "Save")
        page.wait_for_load_state()
        faults = page.locator(".fault, .note-danger").all_inner_texts()
        after = _lasting(api.get(f"/v1/{resource}"))
        changed = {name: (before.get(name), after[name]) for name in after if before.get(name) != after[name]}
        if faults or changed:
            wrong.append((path, faults, changed))
    assert not wrong, "\n".join(str(one) for one in wrong)


def test_a_logo_is_refused_shown_and_taken_away(page: Page, space: Space) -> None:
    out = BytesIO()
    Image.new("RGB", (240, 60), "teal").save(out, "PNG")
    page.goto("/admin/settings/organization")
    files = [("logo.svg", "image/svg+xml", b"<svg/>"), ("broken.png", "image/png", b"no picture")]
    for name, kind, content in [*files, ("logo.png", "image/png", out.getvalue())]:
        page.locator("#logo-file").set_input_files({"name": name, "mimeType": kind, "buffer": content})
        press(page, "Send up")
        expect(page.get_by_role("status" if content[:4] == b"\x89PNG" else "alert")).to_be_visible()
    logo = page.get_by_role("img", name="The logo of Harbour Works")
    assert logo.evaluate("image => image.naturalWidth") == 240
    press(page, "Remove")
    expect(page.get_by_text("The logo is removed.")).to_be_visible()
    expect(logo).to_have_count(0)
