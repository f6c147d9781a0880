"""The portal has a word for what the API can say: read from the API's own document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portal.refusals import REFUSALS
from portal.states import EVENTS

SAYING = ("members", "catalog", "booking", "invoicing", "payments", "notifications", "gateway")
DOCUMENT = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"


@pytest.fixture(scope="module")
def schemas() -> Any:
    return json.loads(DOCUMENT.read_text())["components"]["schemas"]


def test_every_event_of_webhooks_has_a_word_and_no_word_is_for_nothing(schemas: Any) -> None:
    types = schemas["WebhookEndpointIn"]["properties"]["event_types"]["items"]["enum"]
    assert set(types) - {"*"} == EVENTS.keys()


def services() -> str:
    """All that the services' sources say."""
    root = Path(__file__).parents[3]
    folders = [*(root / "services" / name for name in SAYING), root / "libs" / "common"]
    files = (file for folder in folders for file in (folder / "src").rglob("*.py"))
    return "".join(file.read_text() for file in files)


def test_every_refusal_in_the_catalogue_is_one_that_a_service_can_give() -> None:
    said = services()
    assert [code for code in REFUSALS if f'"{code}"' not in said and f"{code}:" not in said] == []


def german(visitor: Any) -> None:
    visitor.send("/language", {"language": "de", "page": "/sign-in"}, page="/sign-in")


def test_a_refusal_is_told_in_german_by_its_code(owner: Any, gateway: Any) -> None:
    german(owner)
    gateway.refuse("POST", "/v1/bookings", 409, "slot_taken", "this time is taken", start="this time is taken")
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    page = owner.send("/admin/bookings/new", form).text
    assert "Diese Zeit ist belegt." in page
    assert "his time is taken" not in page


def test_every_broken_rule_of_a_booking_is_told_in_german(owner: Any, gateway: Any) -> None:
    german(owner)
    faults = [
        {"pointer": "/start", "detail": "The booking would start in the past."},
        {"pointer": "/end", "detail": "A booking lasts at most 2 hours."},
    ]
    body = {"code": "in_the_past", "detail": "no", "errors": faults, "violations": ["in_the_past", "too_long"]}
    gateway.answers[("POST", "/v1/bookings")] = (422, body)
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    page = owner.send("/admin/bookings/new", form).text
    assert "Diese Zeit ist vorbei." in page
    assert "So lange kann man es nicht buchen." in page


def test_what_the_portal_has_no_word_for_is_told_as_the_api_says_it(owner: Any, gateway: Any) -> None:
    german(owner)
    gateway.refuse("POST", "/v1/members", 409, "limit_reached", "the house is full")
    assert "The house is full." in owner.send("/admin/members/new", {"name": "Ada"}).text


def test_the_dates_of_a_series_that_are_taken_stay_in_the_text(owner: Any, gateway: Any) -> None:
    german(owner)
    faults = [{"pointer": "/recurrence", "detail": f"2027-02-{day} 09:00 to 10:00 is taken"} for day in (15, 22)]
    body = {"code": "conflict", "detail": "2 of the dates are taken", "errors": faults}
    gateway.answers[("POST", "/v1/bookings")] = (409, body)
    form = {"resource_id": "res_1", "customer": "mem_1", "start": "2027-02-15T09:00", "end": "2027-02-15T12:00"}
    page = owner.send("/admin/bookings/new", form).text
    assert "Einige dieser Termine sind belegt." in page
    assert "2027-02-22 09:00" in page


def test_english_readers_get_the_numbers_of_the_case(owner: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/members", 409, "commitment", "the earliest end is 2027-03-31")
    assert "The earliest end is 2027-03-31." in owner.send("/admin/members/new", {"name": "Ada"}).text


def test_a_wrong_present_password_is_told_beside_the_form(owner: Any, gateway: Any) -> None:
    gateway.refuse("POST", "/v1/password", 401, "password_wrong", "the current password is wrong")
    form = {"current_password": "not it", "password": "correct-horse-battery"}
    answer = owner.send("/admin/account", form)
    assert answer.status_code == 200
    assert "The current password is wrong." in answer.text


def test_a_refused_sign_in_is_told_in_german(visitor: Any, gateway: Any) -> None:
    german(visitor)
    gateway.refuse("POST", "/v1/tokens", 401, "sign_in_refused", "e-mail address or password is wrong")
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "wrong-horse-battery"}
    assert "Das passt nicht zusammen." in visitor.send("/sign-in", form).text


def test_what_the_api_tells_of_steps_problems_and_mails_is_in_the_visitors_language(owner: Any, gateway: Any) -> None:
    import portal_house

    owner.client.get("/admin/getting-paid", headers={"Accept-Language": "de"})
    problem = {"code": "resource_without_rate", "detail": "x", "about": "Lighthouse", "href": "/v1/resource-rates"}
    nowhere = {"code": "members_without_method", "detail": "y", "about": "3", "href": "/v1/payment-methods"}
    unknown = {"code": "new_code", "detail": "something new", "href": "/v1/plans"}
    steps = [{**portal_house.STEPS[1], "problems": [problem, nowhere, unknown]}]
    gateway.answers[("GET", "/v1/setup")] = (200, {"steps": steps})
    german = owner.client.get("/admin/getting-paid", headers={"Accept-Language": "de"}).get_data(as_text=True)
    assert "Anlegen, wofür Mitglieder bezahlen" in german
    assert "Lighthouse hat keinen Preis" in german
    assert "Something new." in german
    assert 'href="/admin/members"' in german.split("Something new")[0]
    english = owner.read("/admin/getting-paid")
    assert "Create the services members pay for" in english
    mails = owner.client.get("/admin/notification-templates", headers={"Accept-Language": "de"}).get_data(as_text=True)
    assert "Eine Rechnung, mit PDF" in mails


def test_a_day_on_which_nothing_is_free_offers_no_button_to_book_with(visitor: Any, gateway: Any) -> None:
    import portal_house

    taken = {"items": [{**portal_house.AVAILABILITY["items"][0], "free": []}]}
    gateway.answers[("GET", "/v1/storefront/harbour/availability")] = (200, taken)
    page = visitor.read("/hub/harbour/rooms/res_1?date=2027-02-15")
    assert "Nothing is free on this day" in page
    assert "On to your details" not in page


_HOW = (
    "Preis: Rooms.",
    "3 Stunden × 15,00\N{NO-BREAK SPACE}€ = 45,00\N{NO-BREAK SPACE}€.",
    "Summe: 45,00\N{NO-BREAK SPACE}€.",
)


@pytest.mark.parametrize(
    ("page", "phrases"),
    [
        ("/admin/bookings/bkg_1", _HOW),
        ("/admin/invoices/inv_1", ("17 von 28 Tagen",)),
        ("/admin/credit-notes", ("Buchung geändert",)),
        ("/admin/credit-notes/crn_1", ("Buchung geändert", "11 von 28 Tagen nicht genutzt")),
    ],
)
def test_staff_read_in_german_how_prices_came_about(owner: Any, page: str, phrases: tuple[str, ...]) -> None:
    german(owner)
    shown = owner.read(page)
    assert [phrase for phrase in phrases if phrase not in shown] == []


@pytest.mark.parametrize(
    ("page", "phrases"),
    [("/portal/harbour/bookings/bkg_1", _HOW), ("/portal/harbour/invoices/inv_1", ("17 von 28 Tagen",))],
)
def test_members_read_in_german_how_prices_came_about(member: Any, page: str, phrases: tuple[str, ...]) -> None:
    german(member)
    shown = member.read(page)
    assert [phrase for phrase in phrases if phrase not in shown] == []


def test_a_stranger_reads_the_quote_in_german_and_in_english_with_amounts_as_people_write_them(visitor: Any) -> None:
    quote = "/hub/harbour/rooms/res_1/quote?date=2027-02-15&start=2027-02-15T08:00:00Z&minutes=60"
    assert "3 hours × €15.00 = €45.00." in visitor.read(quote)
    german(visitor)
    shown = visitor.read(quote)
    assert [phrase for phrase in _HOW if phrase not in shown] == []


def test_a_plan_change_is_explained_in_german_to_staff(owner: Any, gateway: Any) -> None:
    german(owner)
    money = {"amount_minor": -9000, "currency": "EUR"}
    line = {"kind": "credit", "description": "full month", "explain": "9 of 28 days unused", "net": money}
    told = {"date": "2027-02-20", "net": money, "lines": [line], "membership": None}
    gateway.answers[("POST", "/v1/memberships/mbs_1/plan-change")] = (200, told)
    form = {"plan_id": "pln_1", "step": "preview"}
    shown = owner.send("/admin/memberships/mbs_1/plan-change", form, page="/admin/memberships/mbs_1").text
    assert "9 von 28 Tagen nicht genutzt" in shown
    assert "full month" in shown
