"""Lists say who pays, can be searched by that, and filter before they page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from common.ids import encode_id

LISTS = ("memberships", "fees", "invoices", "credit-notes", "deposits")


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


@pytest.fixture
def busy(house: Any) -> dict[str, str]:
    """A member and a company with one thing of each kind."""
    company = house.add_company(display_name="Beispiel 100% GmbH", email="rechnung@beispiel.example")
    payers = {"member_id": house.mem, "company_id": encode_id("com", company)}
    for name, payer in payers.items():
        house.post(
            "/v1/memberships",
            {"plan_id": encode_id("pln", house.plan), name: payer, "start_date": "2027-02-01", "deposit": euro(5000)},
        )
        house.post("/v1/fees", {name: payer, "name": f"Key of {name}", "price": euro(1000)})
    for invoice in house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]:
        house.feed(house.payment(invoice))
        line = next(line for line in invoice["lines"] if line["kind"] == "membership")
        part = {"lines": [{"invoice_line_id": line["id"], "amount": euro(1)}]}
        house.post(f"/v1/invoices/{invoice['id']}/credit-notes", part)
    return payers


@pytest.mark.parametrize("name", LISTS)
def test_each_list_says_who_pays_and_finds_it_by_name(house: Any, busy: dict[str, str], name: str) -> None:
    items = house.get(f"/v1/{name}")["items"]
    assert {(i["customer_id"], i["customer_kind"], i["customer_name"]) for i in items} == {
        (busy["member_id"], "member", "Example Member"),
        (busy["company_id"], "company", "Beispiel 100% GmbH"),
    }
    for text, wanted in (("bEISPIEL", 1), ("rechnung@", 1), ("e member", 1), ("100%", 1), ("10_%", 0), ("nobody", 0)):
        found = house.get(f"/v1/{name}?q={text.replace('%', '%25')}")["items"]
        assert len(found) == wanted, text


def test_a_search_finds_numbers_and_names_of_things_too(house: Any, busy: dict[str, str]) -> None:
    assert len(house.get("/v1/invoices?q=2027-00002")["items"]) == 1
    assert len(house.get("/v1/credit-notes?q=cn-2027")["items"]) == 2
    assert len(house.get("/v1/fees?q=key of company")["items"]) == 1
    assert len(house.get("/v1/memberships?q=flex")["items"]) == 2


def test_a_search_shows_a_member_nothing_of_others(house: Any, busy: dict[str, str]) -> None:
    """ACC-1."""
    from common.auth import Role

    member = house.sign_in(house.app, house.organization_id, Role.MEMBER, member=str(house.member))
    for name in LISTS:
        assert member.get(f"/v1/{name}?q=Beispiel").json["items"] == []
        assert len(member.get(f"/v1/{name}?q=member").json["items"]) == 1


@pytest.mark.parametrize("name", ["memberships", "fees", "invoices", "credit-notes", "deposits"])
def test_a_list_needs_no_more_statements_for_more_rows(house: Any, busy: dict[str, str], name: str) -> None:
    """Set-based: no query per row."""

    def statements() -> int:
        seen: list[str] = []

        def note(*args: Any) -> None:
            seen.append(args[2])

        event.listen(house.database.engine, "before_cursor_execute", note)
        try:
            assert house.get(f"/v1/{name}?limit=200")["items"]
        finally:
            event.remove(house.database.engine, "before_cursor_execute", note)
        return len(seen)

    few = statements()
    for number in range(3):
        member = house.add_member(display_name=f"Member {number}")
        body = {"member_id": encode_id("mem", member), "start_date": "2027-02-01", "deposit": euro(5000)}
        house.post("/v1/memberships", {"plan_id": encode_id("pln", house.plan), **body})
        house.post("/v1/fees", {"member_id": body["member_id"], "name": "Key", "price": euro(1000)})
    for invoice in house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]:
        house.feed(house.payment(invoice))
        house.post(f"/v1/invoices/{invoice['id']}/credit-notes")
    assert statements() == few


def test_memberships_are_filtered_by_status_before_they_are_paged(house: Any) -> None:
    """Each status, on the day of the location: in Auckland it is tomorrow already."""
    auckland = encode_id("loc", house.add_location("Pacific/Auckland"))
    made = {
        "cancelled": house.join("2027-03-01"),
        "ended": house.join("2027-01-01", end_date="2027-01-31"),
        "upcoming": house.join("2027-02-02"),
        "paused": house.join("2027-01-01"),
        "trial": house.join("2027-01-30", trial_days=5),
        "active": house.join("2027-02-02", location_id=auckland),
    }
    house.post(f"/v1/memberships/{made['cancelled']['id']}/end", {"end_date": "2027-02-01"}, 200)
    house.post(f"/v1/memberships/{made['paused']['id']}/pause", {"from": "2027-02-01", "to": None}, 200)
    house.advance(datetime(2027, 2, 1, 12, 0, tzinfo=UTC))
    for status, membership in made.items():
        answer = house.get(f"/v1/memberships?status={status}&limit=1")
        assert [(i["id"], i["status"]) for i in answer["items"]] == [(membership["id"], status)]
        assert answer["next_cursor"] is None
    assert house.get("/v1/memberships?status=unheard-of")["items"] == []
    over = {made["cancelled"]["id"], made["ended"]["id"]}
    assert {i["id"] for i in house.get("/v1/memberships?ended=true")["items"]} == over
    assert {i["id"] for i in house.get("/v1/memberships?ended=false")["items"]} == {
        m["id"] for m in made.values()
    } - over
