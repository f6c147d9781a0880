"""Taxes side by side, taxes in another way, extras of rates, fees that change, deposits that end."""

from __future__ import annotations

from typing import Any

import portal_house
import pytest

GST_PST = [{"name": "GST", "percent": "5", "category": "S"}, {"name": "PST", "percent": "7.5"}]
PLAN = {"name": "Flex desk", "kind": "recurring", "price": "300", "interval": "month", "visibility": "public"}


def give(gateway: Any, path: str, found: dict[str, Any], **changes: Any) -> None:
    gateway.answers[("GET", path)] = (200, {**found, **changes})


@pytest.mark.parametrize(("typed", "sent"), [("19", {"tax_percent": "19"}), ("7.5 %", {"tax_percent": "7.5"})])
def test_one_tax_is_the_short_form(owner: Any, gateway: Any, typed: str, sent: dict[str, Any]) -> None:
    assert owner.send("/admin/plans/new", {**PLAN, "tax_percent": typed}).status_code == 302
    body = gateway.last("POST", "/v1/plans").body
    assert {name: value for name, value in body.items() if name.startswith("tax")} == sent


def test_several_taxes_are_named_and_go_alone(owner: Any, gateway: Any) -> None:
    form = {**PLAN, "tax_percent": "GST 5 + PST 7.5 %", "tax_category": "S"}
    assert owner.send("/admin/plans/new", form).status_code == 302
    body = gateway.last("POST", "/v1/plans").body
    assert body["taxes"] == [{"name": "GST", "percent": "5"}, {"name": "PST", "percent": "7.5"}]
    assert not body.keys() & {"tax_percent", "tax_category"}


@pytest.mark.parametrize("typed", ["GST", "GST 5 +", "GST five"])
def test_taxes_that_cannot_be_read_are_refused_beside_their_field(owner: Any, gateway: Any, typed: str) -> None:
    page = owner.send("/admin/plans/new", {**PLAN, "tax_percent": typed}).get_data(as_text=True)
    assert "Please write a number." in page
    assert ("POST", "/v1/plans") not in [(asked.method, asked.path) for asked in gateway.asked]


def test_parallel_taxes_are_shown_kept_and_ended(owner: Any, gateway: Any) -> None:
    path = "/v1/locations/loc_1"
    give(gateway, path, portal_house.LOCATIONS[0], taxes=GST_PST, tax_percent="12.5")
    assert 'value="GST 5 + PST 7.5"' in owner.read("/admin/locations/loc_1")
    form = {"name": "Dock 1", "timezone": "Europe/Berlin"}
    owner.send("/admin/locations/loc_1", {**form, "tax_percent": "GST 5 + PST 7.5"})
    assert gateway.last("PATCH", path).body["taxes"] == GST_PST
    owner.send("/admin/locations/loc_1", {**form, "tax_percent": "19"})
    body = gateway.last("PATCH", path).body
    assert (body["taxes"], body["tax_percent"]) == (None, "19")


def test_what_the_api_says_about_taxes_stands_beside_the_field(owner: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/plans", 422, "parallel_taxes_unnamed", "no", taxes="Each needs a name.")
    page = owner.send("/admin/plans/new", {**PLAN, "tax_percent": "GST 5 + PST 7"}).get_data(as_text=True)
    assert 'id="tax_percent-fault"' in page


def test_extras_of_a_rate_keep_their_codes(owner: Any, gateway: Any) -> None:
    path = "/v1/resource-rates/rat_1"
    extra = {"code": "beamer", "name": "Projector", "price": portal_house.euro(1500)}
    give(gateway, path, portal_house.RATE, extras=[extra])
    assert "Projector 15.00" in owner.read("/admin/resource-rates/rat_1")
    form = {"name": "Rooms", "hour": "15", "resource_ids": "res_1"}
    owner.send("/admin/resource-rates/rat_1", {**form, "extras": "Projector 15.00\nCoffee, per person 4.5"})
    coffee = {"code": "coffee-per-person", "name": "Coffee, per person", "price": portal_house.euro(450)}
    assert gateway.last("PATCH", path).body["extras"] == [extra, coffee]
    page = owner.send("/admin/resource-rates/rat_1", {**form, "extras": "Projector"}).get_data(as_text=True)
    assert "This line has no price" in page


def test_a_fee_is_changed_by_what_differs_alone(owner: Any, gateway: Any) -> None:
    path = "/v1/fees/fee_1"
    give(gateway, path, portal_house.FEE, taxes=GST_PST, tax_percent="12.5", discount_percent="0", is_refundable=False)
    form = {"name": "Printing", "price": "5.00", "quantity": "3", "date": "2027-02-13", "discount_percent": "0"}
    assert owner.send(path.replace("/v1", "/admin"), {**form, "tax_percent": "GST 5 + PST 7.5"}).status_code == 302
    assert gateway.last("PATCH", path).body == {"quantity": "3"}


def test_a_deposit_is_kept_in_part(owner: Any, gateway: Any) -> None:
    path = "/admin/members/mem_1/deposits/dep_1"
    assert "€50.00 of €50.00 held" in owner.read(path)
    form = {"kind": "forfeited", "amount": "20", "note": "Broken lamp"}
    assert owner.send(path, form).status_code == 302
    body = gateway.last("POST", "/v1/deposits/dep_1/release").body
    assert body == {"kind": "forfeited", "amount": portal_house.euro(2000), "note": "Broken lamp"}
    assert owner.client.get("/admin/members/mem_1/deposits/dep_404").status_code == 404


def test_other_taxes_are_added_and_taken_away(owner: Any, gateway: Any) -> None:
    path, page = "/v1/settings/billing", "/admin/settings/taxes"
    before = [{"plan_id": "pln_1", "taxes": [{"name": "", "percent": "7"}]}]
    give(gateway, path, portal_house.SETTINGS, tax_overrides=before)
    assert "Flex desk" in owner.read(page)
    assert owner.send(page, {"location_id": "loc_1", "tax": "GST 5 + PST 7"}).status_code == 302
    added = gateway.last("PATCH", path).body["tax_overrides"]
    assert added[0] == before[0]
    assert added[1]["location_id"] == "loc_1"
    assert [tax["name"] for tax in added[1]["taxes"]] == ["GST", "PST"]
    owner.send(f"{page}/removal", {"whose": "pln_1"}, page=page)
    assert gateway.last("PATCH", path).body == {"tax_overrides": []}
    assert gateway.last("PATCH", path).headers["If-Match"] == '"v1"'


@pytest.mark.parametrize("calls", [1, 3])
def test_customers_taxed_otherwise_are_named_with_a_handful_of_calls(owner: Any, gateway: Any, calls: int) -> None:
    taxes = [{"name": "", "percent": "7"}]
    whose = [{"member_id": "mem_1"}, {"company_id": "com_1"}, {"member_id": "mem_2"}, {"member_id": "mem_404"}][:calls]
    overrides = [{**one, "taxes": taxes} for one in (*whose, {"member_id": "mem_404"})]
    give(gateway, "/v1/settings/billing", portal_house.SETTINGS, tax_overrides=overrides)
    owner.read("/admin/account")  # reads the clock
    gateway.asked.clear()
    page = owner.read("/admin/settings/taxes")
    assert len(gateway.asked) <= 5
    assert '<a href="/admin/members/mem_1">Ada Lindqvist</a>' in page
    assert ("Reederei Nord" in page) is (calls > 1)
    assert '<a href="/admin/members/mem_404">Member</a>' in page


@pytest.mark.parametrize("page", ["/admin/settings/taxes", "/admin/settings/taxes/removal"])
def test_a_lost_race_about_other_taxes_says_so(owner: Any, gateway: Any, page: str) -> None:
    before = [{"plan_id": "pln_1", "taxes": [{"name": "", "percent": "7"}]}]
    give(gateway, "/v1/settings/billing", portal_house.SETTINGS, tax_overrides=before)
    gateway.refuse("PATCH", "/v1/settings/billing", 412, "changed_meanwhile", "this was changed since you read it")
    sent = owner.send(page, {"location_id": "loc_1", "tax": "7", "whose": "pln_1"}, page="/admin/settings/taxes")
    told = sent.text if sent.status_code == 200 else owner.read("/admin/settings/taxes")
    assert "This was changed since you read it." in told


@pytest.mark.parametrize(("kind", "one"), [("members", portal_house.MEMBERS[0]), ("companies", portal_house.COMPANY)])
def test_parallel_taxes_of_a_customer_are_shown_kept_and_ended(
    owner: Any, gateway: Any, kind: str, one: dict[str, Any]
) -> None:
    path, page = f"/v1/{kind}/{one['id']}", f"/admin/{kind}/{one['id']}/edit"
    give(gateway, path, one, billing={"taxes": GST_PST, "tax_percent": "12.5"})
    assert 'value="GST 5 + PST 7.5"' in owner.read(page)
    form = {"name": one["name"], "billing__tax_category": "S"}
    assert owner.send(page, {**form, "billing__tax_percent": "GST 5 + PST 7.5"}).status_code == 302
    billing = gateway.last("PATCH", path).body["billing"]
    assert billing["taxes"] == GST_PST
    assert not billing.keys() & {"tax_percent", "tax_category"}
    owner.send(page, {**form, "billing__tax_percent": "19"})
    billing = gateway.last("PATCH", path).body["billing"]
    assert (billing["taxes"], billing["tax_percent"], billing["tax_category"]) == (None, "19", "S")


def test_a_customer_without_parallel_taxes_has_the_short_form_alone(owner: Any, gateway: Any) -> None:
    owner.send("/admin/members/new", {"name": "Ada", "billing__tax_percent": "7.5"})
    assert gateway.last("POST", "/v1/members").body["billing"] == {"tax_percent": "7.5", "address": None}
    gateway.refuse("POST", "/v1/members", 422, "parallel_taxes_unnamed", "no", billing__taxes="Each needs a name.")
    page = owner.send("/admin/members/new", {"name": "Ada", "billing__tax_percent": "GST 5 + PST 7"}).text
    assert 'id="billing__tax_percent-fault"' in page


def test_extras_are_booked_along_with_a_room_and_shown(owner: Any, gateway: Any) -> None:
    extra = {"code": "coffee", "name": "Coffee", "price": portal_house.euro(450)}
    rates = {"items": [{**portal_house.RATE, "extras": [extra]}], "next_cursor": None}
    gateway.answers[("GET", "/v1/resource-rates")] = (200, rates)
    page = "/admin/bookings/new"
    assert 'name="extra-coffee"' in owner.read(page)
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T10:00"}
    assert owner.send(page, {**form, "extra-coffee": "8"}).status_code == 302
    assert gateway.last("POST", "/v1/bookings").body["extras"] == [{"code": "coffee", "quantity": "8"}]
    owner.send(page, {**form, "extra-coffee": "0"})
    assert "extras" not in gateway.last("POST", "/v1/bookings").body
    booked = {**portal_house.BOOKING, "extras": [{"code": "coffee", "quantity": "8"}]}
    gateway.answers[("GET", "/v1/bookings/bkg_1")] = (200, booked)
    assert "coffee × 8" in owner.read("/admin/bookings/bkg_1")


COFFEE = {"code": "coffee", "name": "Coffee", "price": portal_house.euro(450)}
BEAMER = {"code": "beamer", "name": "Projector", "price": portal_house.euro(1500)}


def offer_extras(gateway: Any, *extras: dict[str, Any]) -> None:
    """What the Blue Room's times tell a member."""
    times = {**portal_house.AVAILABILITY["items"][0], "extras": extras}
    gateway.answers[("GET", "/v1/availability")] = (200, {"items": [times]})


def test_a_member_books_extras_along_and_their_price_is_quoted(member: Any, gateway: Any) -> None:
    offer_extras(gateway, COFFEE)
    page = "/portal/harbour/book/res_1?date=2027-02-15"
    shown = member.read(page)
    assert 'name="extra-coffee"' in shown
    assert "€4.50" in shown
    form = {"start": "2027-02-15T08:00:00Z", "minutes": "60", "extra-coffee": "8"}
    order = [{"code": "coffee", "quantity": "8"}]
    assert member.send(page, form).status_code == 302
    assert gateway.last("POST", "/v1/bookings").body["extras"] == order
    quote = "/portal/harbour/book/res_1/quote?date=2027-02-15"
    member.send(quote, form, page=page)
    assert gateway.last("POST", "/v1/bookings/quote").body["extras"] == order


@pytest.mark.parametrize("page", ["book/res_1?date=2027-02-15", "bookings/bkg_1/move"])
def test_a_room_without_a_public_page_has_extras_for_members(member: Any, gateway: Any, page: str) -> None:
    gateway.answers[("GET", "/v1/storefront/harbour")] = (404, {"code": "storefront_not_found", "detail": "none"})
    assert "extra-" not in member.read(f"/portal/harbour/{page}")
    offer_extras(gateway, COFFEE)
    assert 'name="extra-coffee"' in member.read(f"/portal/harbour/{page}")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ({"extra-beamer": "1"}, {"extras": [{"code": "beamer", "quantity": "1"}]}),
        ({"extra-beamer": "1.50", "extra-coffee": ""}, None),
        ({"extra-beamer": "0", "extra-coffee": "2"}, {"extras": [{"code": "coffee", "quantity": "2"}]}),
        ({"extra-beamer": ""}, {"extras": []}),
        ({}, None),
    ],
)
def test_a_member_changes_extras_and_what_stays_is_not_sent(
    member: Any, gateway: Any, typed: dict[str, str], sent: dict[str, Any] | None
) -> None:
    offer_extras(gateway, COFFEE)
    line = {"kind": "extra", "description": "Projector", "quantity": "1.5", "unit_price": portal_house.euro(1500)}
    booked = {"lines": [line], "extras": [{"code": "beamer", "quantity": "1.5"}]}
    give(gateway, "/v1/bookings/bkg_1", portal_house.BOOKING, **booked)
    assert "Projector × 1.5" in member.read("/portal/harbour/bookings/bkg_1")
    page = "/portal/harbour/bookings/bkg_1/move"
    shown = member.read(page)
    assert 'name="extra-beamer" value="1.5"' in shown
    assert 'name="extra-coffee" value=""' in shown
    assert member.send(page, {"start": "2027-02-15T08:00:00Z", "minutes": "180", **typed}).status_code == 302
    asked = [asked.body for asked in gateway.asked if asked.method == "PATCH"]
    assert asked == ([] if sent is None else [sent])


@pytest.mark.parametrize("is_new", [True, False])
def test_what_the_api_says_against_an_extra_stands_beside_it(member: Any, gateway: Any, *, is_new: bool) -> None:
    offer_extras(gateway, COFFEE, BEAMER)
    form = {"start": "2027-02-15T08:00:00Z", "minutes": "60", "extra-coffee": "1", "extra-beamer": "lots"}
    page = "/portal/harbour/book/res_1?date=2027-02-15" if is_new else "/portal/harbour/bookings/bkg_1/move"
    path = ("POST", "/v1/bookings") if is_new else ("PATCH", "/v1/bookings/bkg_1")
    gateway.refuse(*path, 422, "invalid", "the request has faults", extras__1__quantity="Not a decimal string.")
    shown = member.send(page, form).text
    assert 'id="extra-beamer-fault"' in shown
    assert 'id="extra-coffee-fault"' not in shown
    assert 'name="extra-beamer" value="lots"' in shown
    assert "Please look at the marked fields." in shown
