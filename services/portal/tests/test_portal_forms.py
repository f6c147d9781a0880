"""What people type becomes what the API takes, without floats; what it refuses comes back beside the field."""

from __future__ import annotations

from decimal import Decimal
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
        "retry_days": "1, 3",
        "reminders": "-3, 0",
    }
    assert owner.send("/admin/settings/billing", form).status_code == 302
    body = gateway.last("PATCH", "/v1/settings/billing").body
    assert (body["automatic_generation"], body["automatic_sending"]) == (True, False)
    assert body["retry_days"] == [1, 3]
    assert body["reminders"] == [-3, 0]
    assert body["payment_terms_days"] == 7


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
    }
    assert owner.send("/admin/resources/res_1", form).status_code == 302
    body = gateway.last("PATCH", "/v1/resources/res_1").body
    assert body["booking_policy"] == {"buffer_before_minutes": 15, "min_minutes": 30}


def test_weekend_prices_survive_a_change_of_the_rate(owner: Any, gateway: Any) -> None:
    form = {"name": "Rooms", "resource_ids": "res_1", "hour": "16", "charge_slot_minutes": "15"}
    assert owner.send("/admin/resource-rates/rat_1", form).status_code == 302
    prices = gateway.last("PATCH", "/v1/resource-rates/rat_1").body["prices"]
    assert [(price["price"]["amount_minor"], price.get("when", "any")) for price in prices] == [
        (1600, "any"),
        (1000, "weekend"),
    ]


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
