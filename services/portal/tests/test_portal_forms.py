"""What people type becomes what the API takes, without floats; what it refuses comes back beside the field."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from portal.fields import read_number


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("12.50", "12.50"), ("12,50", "12.50"), ("300", "300"), ("1,234.56", "1234.56"), ("0.1", "0.1"), ("-3", "-3")],
)
def test_numbers_are_read_as_people_write_them(portal: Any, typed: str, meant: str) -> None:
    with portal.test_request_context("/"):
        assert read_number(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["", "twelve", "1.2.3", "NaN", "Infinity", "1e3x"])
def test_what_is_no_number_is_refused(portal: Any, typed: str) -> None:
    with portal.test_request_context("/"), pytest.raises(ValueError, match=r".*"):
        read_number(typed)


def test_plan_sends_money_in_minor_units_and_decimals_as_strings(owner: Any, gateway: Any) -> None:
    form = {
        "name": "Flex desk",
        "kind": "recurring",
        "price": "300,10",
        "interval": "month",
        "interval_count": "1",
        "prorate": "y",
        "credits_hours": "4.5",
        "visibility": "public",
    }
    assert owner.send("/admin/plans/new", form).status_code == 302
    body = gateway.last("POST", "/v1/plans").body
    assert body["price"] == {"amount_minor": 30010, "currency": "EUR"}
    assert body["credits_hours"] == "4.5"
    assert body["prorate"] is True
    assert "deposit" not in body


def test_one_off_plan_sends_nothing_that_only_memberships_have(owner: Any, gateway: Any) -> None:
    form = {"name": "Day pass", "kind": "one_off", "price": "29", "passes": "1", "visibility": "public"}
    assert owner.send("/admin/plans/new", form).status_code == 302
    assert not {"interval", "prorate", "interval_count"} & gateway.last("POST", "/v1/plans").body.keys()


def test_money_finer_than_a_cent_is_refused_by_the_form(owner: Any, gateway: Any) -> None:
    form = {"name": "Odd", "kind": "one_off", "price": "1.2345", "visibility": "public"}
    assert "smallest coin" in owner.send("/admin/plans/new", form).get_data(as_text=True)
    assert not [asked for asked in gateway.asked if asked.method == "POST" and asked.path == "/v1/plans"]


def test_booking_takes_times_by_the_locations_clock(owner: Any, gateway: Any) -> None:
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    assert owner.send("/admin/bookings/new", form).headers["Location"] == "/admin/bookings/bkg_1"
    assert gateway.last("POST", "/v1/bookings").body == {
        "resource_id": "res_1",
        "member_id": "mem_1",
        "start": "2027-02-15T08:00:00Z",
        "end": "2027-02-15T11:00:00Z",
        "payment": "on_invoice",
    }


def test_conflict_is_shown_beside_what_it_is_about(owner: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/bookings", 409, "conflict", "the room is taken then", start="taken from 10:00")
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    page = owner.send("/admin/bookings/new", form).get_data(as_text=True)
    assert "Taken from 10:00" in page
    assert 'value="2027-02-15T09:00"' in page


def test_refusal_without_a_field_stands_above_the_form(owner: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/members", 409, "limit_reached", "the house is full")
    assert "The house is full." in owner.send("/admin/members/new", {"name": "Ada"}).get_data(as_text=True)


def test_the_same_sent_form_has_the_same_idempotency_key(owner: Any, gateway: Any) -> None:
    keys = set()
    for _ in range(2):
        owner.send("/admin/members/new", {"name": "Ada"})
        keys.add(gateway.last("POST", "/v1/members").headers["Idempotency-Key"])
    assert len(keys) == 1


def test_live_price_is_asked_for_without_booking(owner: Any, gateway: Any) -> None:
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    answer = owner.send("/admin/bookings/quote", form, page="/admin/bookings/new")
    assert "€45.00" in answer.get_data(as_text=True)
    assert not [asked for asked in gateway.asked if asked.path == "/v1/bookings"]


def test_part_of_a_credit_note_names_the_line(owner: Any, gateway: Any) -> None:
    page = "/admin/invoices/inv_1"
    gateway.answers[("POST", "/v1/invoices/inv_1/credit-notes")] = (201, {"id": "crn_1", "number": "CN-1"})
    owner.send(f"{page}/credit-notes", {"line": "lin_1", "amount": "10"}, page=page)
    body = gateway.last("POST", "/v1/invoices/inv_1/credit-notes").body
    assert body == {"lines": [{"invoice_line_id": "lin_1", "amount": {"amount_minor": 1000, "currency": "EUR"}}]}


def test_switches_are_saved_as_booleans(owner: Any, gateway: Any) -> None:
    form = {
        "automatic_generation": "y",
        "period_start": "first_of_month",
        "generate_days_before": "0",
        "payment_terms_days": "7",
        "charge_hour": "9",
        "tax_percent": "19",
        "number_template": "INV-{year}-{number:05}",
        "credit_note_number_template": "CN-{year}-{number:05}",
        "invoice_per": "customer",
        "location_by": "home",
        "end_memberships_after_days": "60",
        "retry_days": "1, 3",
        "reminders": "-3, 0",
    }
    assert owner.send("/admin/settings/billing", form).status_code == 302
    body = gateway.last("PATCH", "/v1/settings/billing").body
    assert (body["automatic_generation"], body["automatic_sending"]) == (True, False)
    assert body["retry_days"] == [1, 3]
    assert body["reminders"] == [-3, 0]
    assert body["payment_terms_days"] == 7
    assert (body["end_memberships_after_days"], body["block_bookings_after_days"]) == (60, None)
    assert (body["late_fee"]["amount_minor"], body["late_fee_percent"]) == (0, "0")


@pytest.mark.parametrize(
    ("step", "to"),
    [("day", "2027-02-16T07:00:00Z"), ("week", "2027-02-22T07:00:00Z"), ("month", "2027-03-01T11:00:00Z")],
)
def test_the_clock_is_advanced_by_its_buttons(owner: Any, gateway: Any, step: str, to: str) -> None:
    assert owner.send("/admin/rehearsal", {"step": step}).status_code == 302
    assert gateway.last("POST", "/v1/organization/clock/advance").body == {"to": to}


def test_opening_hours_are_read_from_lines(owner: Any, gateway: Any) -> None:
    closed = dict.fromkeys(("tue", "wed", "thu", "fri", "sat", "sun"), "")
    form = {"name": "Dock 1", "timezone": "Europe/Berlin", "mon": "8:00–12:00, 13:00 - 18:00", **closed}
    assert owner.send("/admin/locations/new", form).status_code == 302
    hours = gateway.last("POST", "/v1/locations").body["opening_hours"]
    assert hours == {"mon": [["08:00", "12:00"], ["13:00", "18:00"]]}


def test_changing_a_room_keeps_the_rules_that_the_form_does_not_show(owner: Any, gateway: Any) -> None:
    form = {
        "name": "Blue Room",
        "type": "meeting_room",
        "location_id": "loc_1",
        "capacity": "1",
        "visibility": "public",
        "booking_policy__min_minutes": "30",
        "booking_policy__recurring_allowed": "y",
        "booking_policy__show_names": "y",
        "quota_hours_month": "10",
    }
    rules = {"buffer_before_minutes": 15, "opening_hours": {"mon": [["08:00", "12:00"]]}}
    found = {**gateway._answer("GET", "/v1/resources/res_1")[1], "booking_policy": rules}
    gateway.answers[("GET", "/v1/resources/res_1")] = (200, found)
    assert owner.send("/admin/resources/res_1", form).status_code == 302
    assert gateway.last("PATCH", "/v1/resources/res_1").body["booking_policy"] == {
        "opening_hours": {"mon": [["08:00", "12:00"]]},
        "min_minutes": 30,
        "show_names": True,
        "quotas": [{"unit": "hours", "per": "month", "limit": "10"}],
    }


def test_a_room_is_taken_off_sale_and_put_back(owner: Any, gateway: Any) -> None:
    form = {
        "name": "Blue Room",
        "type": "meeting_room",
        "location_id": "loc_1",
        "capacity": "1",
        "visibility": "public",
    }
    assert owner.send("/admin/resources/res_1", {**form, "withdrawn": "y"}).status_code == 302
    assert gateway.last("PATCH", "/v1/resources/res_1").body["published"] is False
    assert owner.send("/admin/resources/res_1", form).status_code == 302
    assert "published" not in gateway.last("PATCH", "/v1/resources/res_1").body
    found = {**gateway._answer("GET", "/v1/resources/res_1")[1], "published": False}
    gateway.answers[("GET", "/v1/resources/res_1")] = (200, found)
    assert owner.send("/admin/resources/res_1", form).status_code == 302
    assert gateway.last("PATCH", "/v1/resources/res_1").body["published"] is True


def test_closures_are_read_from_lines(owner: Any, gateway: Any) -> None:
    lines = "2027-12-24 – 2027-12-26 Christmas\n2027-12-31 14:00-24:00 New Year\n\n2028-01-01"
    form = {"name": "Dock 1", "timezone": "Europe/Berlin", "closures": lines}
    assert owner.send("/admin/locations/new", form).status_code == 302
    assert gateway.last("POST", "/v1/locations").body["closures"] == [
        {"start": "2027-12-24", "end": "2027-12-26", "name": "Christmas"},
        {"start": "2027-12-31", "end": "2027-12-31", "from_time": "14:00", "name": "New Year"},
        {"start": "2028-01-01", "end": "2028-01-01", "name": ""},
    ]
    found = {
        **gateway._answer("GET", "/v1/locations/loc_1")[1],
        "closures": [{"start": "2027-12-24", "end": "2027-12-26"}],
    }
    gateway.answers[("GET", "/v1/locations/loc_1")] = (200, found)
    assert "2027-12-24 – 2027-12-26</textarea>" in owner.read("/admin/locations/loc_1")
    assert 'id="closures-fault"' in owner.send("/admin/locations/new", form | {"closures": "Christmas"}).text


def test_a_logo_goes_up_as_a_data_uri_and_must_be_a_small_picture(owner: Any, gateway: Any) -> None:
    page = "/admin/settings/organization"

    def send(content: bytes, name: str) -> str:
        owner.send(f"{page}/logo", {"logo": (BytesIO(content), name)}, page=page)
        return str(owner.read(page))

    assert "A logo is a PNG or a JPEG." in send(b"x", "logo.svg")
    assert "too large for a logo" in send(b"x" * 200_000, "logo.png")
    assert not [asked for asked in gateway.asked if asked.method == "PATCH"]
    assert "bear this logo" in send(b"a picture", "logo.png")
    assert gateway.last("PATCH", "/v1/organization").body == {"logo": "data:image/png;base64,YSBwaWN0dXJl"}
    owner.send(f"{page}/logo/removal", {}, page=page)
    assert gateway.last("PATCH", "/v1/organization").body == {"logo": None}


def test_reminders_of_bookings_are_set(owner: Any, gateway: Any) -> None:
    path = "/v1/settings/notifications"
    gateway.answers[("GET", path)] = (200, {"booking_reminders": True, "booking_reminder_hours": 24, "version": 1})
    form = {"booking_reminders": "y", "booking_reminder_hours": "48"}
    assert owner.send("/admin/settings/notifications", form).status_code == 302
    assert gateway.last("PATCH", path).body == {"booking_reminders": True, "booking_reminder_hours": 48}


def test_the_teams_note_of_a_booking_is_for_staff_and_goes_with_a_change(owner: Any, gateway: Any) -> None:
    found = {**gateway._answer("GET", "/v1/bookings/bkg_1")[1], "private_note": "Owes us a key", "series_id": "ser_1"}
    gateway.answers[("GET", "/v1/bookings/bkg_1")] = (200, found)
    assert "Owes us a key" in owner.read("/admin/bookings/bkg_1")
    form = {"resource_id": "res_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00", "scope": "following"}
    sent = owner.send("/admin/bookings/bkg_1/move", {**form, "private_note": "Paid"}, page="/admin/bookings/bkg_1")
    assert sent.status_code == 302
    body = gateway.last("PATCH", "/v1/bookings/bkg_1").body
    assert (body["private_note"], body["scope"]) == ("Paid", "following")


def test_a_membership_gets_other_terms(owner: Any, gateway: Any) -> None:
    page = "/admin/memberships/mbs_1"
    form = {"price": "280", "quantity": "2", "discount_percent": ""}
    assert owner.send(f"{page}/terms", form, page=page).status_code == 302
    body = gateway.last("PATCH", "/v1/memberships/mbs_1").body
    assert (body["price"]["amount_minor"], body["quantity"], body["discount_percent"]) == (28000, "2", "0")


def test_prices_and_conditions_that_stand_in_no_field_survive_a_change_of_the_rate(owner: Any, gateway: Any) -> None:
    found = gateway._answer("GET", "/v1/resource-rates/rat_1")[1]
    monthly = {"unit": "month", "price": {"amount_minor": 90000, "currency": "EUR"}, "when": "off_hours"}
    kept = {"prices": [*found["prices"], monthly], "conditions": {"member_ids": ["mem_1"], "audience": "members"}}
    gateway.answers[("GET", "/v1/resource-rates/rat_1")] = (200, found | kept)
    form = {"name": "Rooms", "resource_ids": "res_1", "hour": "16", "hour_weekend": "11", "charge_slot_minutes": "15"}
    assert owner.send("/admin/resource-rates/rat_1", {**form, "conditions__audience": "public"}).status_code == 302
    body = gateway.last("PATCH", "/v1/resource-rates/rat_1").body
    assert [(price["price"]["amount_minor"], price.get("when", "any")) for price in body["prices"]] == [
        (1600, "any"),
        (1100, "weekend"),
        (90000, "off_hours"),
    ]
    assert body["conditions"] == {"audience": "public", "member_ids": ["mem_1"]}


def test_a_new_api_key_is_shown_this_once(owner: Any, gateway: Any) -> None:
    key = {"id": "key_2", "name": "Door", "key": "dk_secret_once", "role": "front_desk"}
    gateway.answers[("POST", "/v1/api-keys")] = (201, key)
    page = owner.send("/admin/api-keys", {"name": "Door", "role": "front_desk"}).get_data(as_text=True)
    assert "dk_secret_once" in page
    assert "dk_secret_once" not in owner.read("/admin/api-keys")


def test_import_is_looked_at_first_and_then_done_with_the_same_lines(owner: Any, gateway: Any) -> None:
    report = {"dry_run": True, "rows": 2, "imported": 1, "failed": 1}
    fault = {"row": 3, "pointer": "/email", "detail": "Not a valid email address."}
    gateway.answers[("POST", "/v1/members/import")] = (200, {**report, "errors": [fault]})
    lines = "name,email\nAda,ada@example.com\nBob,nope"
    page = owner.send("/admin/members/import", {"text": lines, "step": "look"}).get_data(as_text=True)
    assert "1 of 2 rows are good" in page
    assert "Not a valid email address." in page
    asked = gateway.last("POST", "/v1/members/import")
    assert (asked.body, asked.query) == (lines.encode(), {"dry_run": "true"})
    gateway.answers[("POST", "/v1/members/import")] = (200, {**report, "dry_run": False, "failed": 0, "errors": []})
    assert owner.send("/admin/members/import", {"text": lines, "step": "import"}).status_code == 302
    assert gateway.last("POST", "/v1/members/import").query == {}
