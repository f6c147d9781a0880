"""Every page of the Admin Portal, found by its routes: no serious fault for axe-core, and none wider than a phone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from axe_faults import grave_faults
from playwright.sync_api import Page
from portal_walks import Space
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter

from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import HttpGateway

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
# Files, and parts of pages that scripts ask for.
NO_PAGES = {
    "admin.invoice_file", "admin.credit_note_file", "admin.notification_html", "admin.notification_attachment",
    "admin.find_customers", "admin.timeline", "admin.next_step",
}  # fmt: skip
PHONE = 390


def admin_routes() -> Map:
    """The routes of the portal as it is built."""
    app = create_portal_app(PortalSettings(secret="a secret of tests, long enough"), HttpGateway("http://localhost"))
    return app.url_map


def pages_of(routes: Map) -> set[str]:
    """Endpoints that are pages of the Admin Portal."""
    found = {rule.endpoint for rule in routes.iter_rules() if "GET" in (rule.methods or ())}
    return {endpoint for endpoint in found if endpoint.startswith("admin.")} - NO_PAGES


@dataclass
class Walk:
    """Follows links from page to page until every kind of page was seen once."""

    page: Page
    map: MapAdapter
    seen: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def follow(self, starts: list[str]) -> None:
        """Look at these pages, and at those that they lead to."""
        waiting = deque(starts)
        while waiting:
            path = waiting.popleft()
            endpoint = self._endpoint(path)
            if endpoint and endpoint not in self.seen:
                self.seen[endpoint] = path
                waiting.extend(self._look(path))

    def _look(self, path: str) -> list[str]:
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.faults += grave_faults(self.page, path)
        links = self.page.evaluate("[...document.querySelectorAll('main a[href]')].map(link => link.href)")
        self.page.set_viewport_size({"width": PHONE, "height": 844})
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE:
            self.faults.append(f"{path} is {width} pixels wide on a phone")
        return [self._path(link) for link in links]

    def _endpoint(self, path: str) -> str | None:
        try:
            endpoint, _values = self.map.match(urlsplit(path).path)
        except HTTPException:
            return None
        return endpoint if endpoint.startswith("admin.") and endpoint not in NO_PAGES else None

    @staticmethod
    def _path(link: str) -> str:
        parts = urlsplit(link)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


def fill(space: Space) -> None:
    """One of everything that has a page of its own."""
    owner = space.owner
    member, room = {"id": space.member}, owner.get("/v1/resources")["items"][0]
    plan = owner.get("/v1/plans")["items"][0]["id"]
    company = owner.post("/v1/companies", {"name": "Reederei Nord", "email": "office@nord.example"})
    price = {"amount_minor": 5000, "currency": "EUR"}
    owner.post("/v1/fees", {"member_id": member["id"], "name": "Keys", "price": price, "is_refundable": True})
    deposit = owner.post("/v1/invoices", {"member_id": member["id"], "issue": True})
    owner.post(f"/v1/invoices/{deposit['id']}/payments", {"method": "cash", "amount": deposit["payable"]})
    sold = {"member_id": member["id"], "lines": [{"description": "Setup", "unit_price": price}], "issue": True}
    invoice = owner.post("/v1/invoices", sold)
    owner.post(f"/v1/invoices/{invoice['id']}/payments", {"method": "cash", "amount": price})
    owner.post(f"/v1/invoices/{invoice['id']}/credit-notes", {})
    now = owner.get("/v1/organization/clock")["now"][:10]
    owner.post("/v1/memberships", {"plan_id": plan, "member_id": member["id"], "start_date": now})
    owner.post("/v1/billing-runs", {"as_of": now})
    owner.post("/v1/promo-codes", {"code": "FRIENDS", "percent": "10"})
    endpoint = owner.post("/v1/webhook-endpoints", {"url": "https://door.example/hook", "event_types": ["*"]})
    owner.post(f"/v1/webhook-endpoints/{endpoint['id']}/test", {})
    owner.post("/v1/fees", {"company_id": company["id"], "name": "Printing", "price": price})
    day = (date.fromisoformat(now) + timedelta(days=1)).isoformat()
    begins, ends = f"{day}T10:00:00Z", f"{day}T11:00:00Z"
    owner.post(
        "/v1/bookings",
        {"resource_id": room["id"], "member_id": member["id"], "start": begins, "end": ends, "payment": "on_invoice"},
    )


def test_every_admin_page_is_accessible_and_fits_a_phone(page: Page, own_space: Space) -> None:
    fill(own_space)
    routes = admin_routes()
    walk = Walk(page, routes.bind("localhost"))
    plain = [
        rule.rule for rule in routes.iter_rules()
        if rule.endpoint in pages_of(routes) and not rule.arguments - set(rule.defaults or {})
    ]  # fmt: skip
    walk.follow([f"/admin/members/{own_space.member}/money", *sorted(plain)])
    walk.faults += grave_faults(page, "/admin/calendar?view=week")
    assert not walk.faults, "\n".join(walk.faults)
    assert pages_of(routes) - walk.seen.keys() == set()
