"""Parallel taxes (TAX-2): named in settings, for single places and on lines; carried to documents and credits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from common.ids import encode_id
from contracts.parts import BillingProfile, ParallelTax

GST = {"name": "GST", "percent": "5", "category": "S"}
PST = {"name": "PST", "percent": "7", "category": "S"}
QST = {"name": "QST", "percent": "9.975", "category": "S"}


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def table(document: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    """The tax table: name, rate, base, tax."""
    return [
        (row["name"], row["percent"], row["taxable"]["amount_minor"], row["tax"]["amount_minor"])
        for row in document["tax_breakdown"]
    ]


def bill(house: Any, *lines: dict[str, Any], **terms: Any) -> Any:
    """A manual invoice of lines that need no more than a price."""
    shown = [{"description": "Room", "unit_price": euro(10005), **line} for line in lines]
    return house.post("/v1/invoices", {"member_id": house.mem, "lines": shown, **terms})


def test_each_parallel_tax_is_rounded_alone_tax_2(house: Any) -> None:
    """100.05: GST 5.0025 -> 5.00, QST 9.9800 -> 9.98; together 15.0 % would be 14.98 as well, but not of 10.03."""
    made = bill(house, {"taxes": [GST, QST]}, {"unit_price": euro(1003), "taxes": [GST, QST]})
    assert table(made) == [("GST", "5", 11008, 550), ("QST", "9.975", 11008, 1098)]
    assert (made["subtotal"], made["tax_total"], made["total"]) == (euro(11008), euro(1648), euro(12656))
    first = made["lines"][0]
    assert (first["tax_percent"], [(t["name"], t["tax"]["amount_minor"]) for t in first["taxes"]]) == (
        "14.975",
        [("GST", 500), ("QST", 998)],
    )


def test_prices_that_include_parallel_taxes_keep_their_gross_tax_2(house: Any) -> None:
    made = bill(house, {"unit_price": euro(11200), "taxes": [GST, PST], "prices_include_tax": True})
    assert (made["subtotal"], table(made)) == (euro(10000), [("GST", "5", 10000, 500), ("PST", "7", 10000, 700)])


def test_the_organisations_taxes_stand_on_memberships_fees_and_bookings(house: Any) -> None:
    """TAX-1."""
    house.set(taxes=[GST, PST])
    shown = house.get("/v1/settings/billing")
    assert (shown["taxes"], shown["tax_percent"]) == ([GST, PST], "12")
    house.join(start="2027-03-01")
    house.feed(house.booking())
    house.post("/v1/fees", {"member_id": house.mem, "name": "Key", "price": euro(1000)})
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    (made,) = house.invoices()
    assert table(made) == [("GST", "5", 35500, 1775), ("PST", "7", 35500, 2485)]
    house.set(tax_percent="19")
    assert house.get("/v1/settings/billing")["taxes"] is None


def test_settings_without_parallel_taxes_keep_a_rate(house: Any) -> None:
    house.set(taxes=[GST, PST])
    for change, rate in (({"taxes": None}, "12"), ({"taxes": None, "tax_percent": "19"}, "19")):
        answer = house.api.patch("/v1/settings/billing", change)
        assert (answer.status_code, answer.json["taxes"], answer.json["tax_percent"]) == (200, None, rate)


def test_the_nearest_taxes_win_customer_location_item_tax_1(house: Any) -> None:
    plan = house.add_plan(10000, kind="one_off")
    organization, location, own = [GST], [GST, PST], [{**GST, "percent": "1"}, PST]
    overrides = [{"plan_id": encode_id("pln", plan), "taxes": [QST]}]
    house.set(taxes=organization, tax_overrides=overrides)

    def names() -> list[str]:
        fee = house.post("/v1/fees", {"member_id": house.mem, "plan_id": encode_id("pln", plan)})
        shown = house.post("/v1/invoices/preview", {"member_id": house.mem, "as_of": "2027-03-01"}, 200)
        rows = shown["invoices"][0]["tax_breakdown"]
        house.api.delete(f"/v1/fees/{fee['id']}")
        return [f"{row['name']} {row['percent']}" for row in rows]

    assert names() == ["QST 9.975"]
    overrides = [*overrides, {"location_id": encode_id("loc", house.location), "taxes": location}]
    house.set(tax_overrides=overrides)
    assert house.get("/v1/settings/billing")["tax_overrides"] == overrides
    assert names() == ["GST 5", "PST 7"]
    house.set(tax_overrides=[*overrides, {"member_id": house.mem, "taxes": own}])
    assert names() == ["GST 1", "PST 7"]


def test_what_is_booked_bears_the_taxes_of_its_rates_account_tax_1(house: Any) -> None:
    """Plan or rate (revenue account): a booking names the account of its rate."""
    overrides = [{"revenue_account": "4400", "taxes": [GST, PST]}]
    house.set(tax_percent="19", tax_overrides=overrides)
    assert house.get("/v1/settings/billing")["tax_overrides"] == overrides
    house.feed(house.booking(revenue_account="4400", tax_percent=Decimal(7)), house.booking(revenue_account="4500"))
    made = bill(house, {"revenue_account": "4400"})
    assert table(made) == [("GST", "5", 10005, 500), ("PST", "7", 10005, 700)]
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    booked = house.invoices()[-1]
    assert table(booked) == [("GST", "5", 4500, 225), ("PST", "7", 4500, 315), ("", "19", 4500, 855)]


def announced(*taxes: dict[str, str]) -> dict[str, Any]:
    """Parallel taxes as catalog, members and booking announce them, with the sum for who knows of one tax only."""
    named = [ParallelTax(**{**tax, "percent": Decimal(tax["percent"])}) for tax in taxes]
    return {"taxes": named, "tax_percent": sum((tax.percent for tax in named), Decimal(0))}


def test_announced_parallel_taxes_stand_on_memberships_fees_and_bookings_tax_1(house: Any) -> None:
    """What is made from a plan or a rate has its taxes; what is named by hand has the organisation's."""
    house.set(tax_percent="19")
    flex = house.add_plan(30000, **announced(GST, PST))
    day = house.add_plan(10000, kind="one_off", **announced(GST, QST))
    house.join("2027-03-01", plan_id=encode_id("pln", flex))
    who = {"member_id": house.mem}
    fee = house.post("/v1/fees", {**who, "plan_id": encode_id("pln", day)})
    assert (fee["taxes"], fee["tax_percent"]) == ([GST, QST], "14.975")
    house.post("/v1/fees", {**who, "name": "Key", "price": euro(1000)})
    house.feed(house.booking(**announced(PST, QST)))
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    (made,) = house.invoices()
    assert sorted(table(made)) == [
        ("", "19", 1000, 190),
        ("GST", "5", 40000, 2000),
        ("PST", "7", 34500, 2415),
        ("QST", "9.975", 14500, 1446),
    ]


def test_announced_parallel_taxes_have_the_rank_of_the_one_tax_tax_1(house: Any) -> None:
    """Customer, location, plan or rate; what the settings give one of these comes before what was announced for it."""
    plan = house.add_plan(10000, kind="one_off", **announced(QST))
    body = {"plan_id": encode_id("pln", plan)}

    def names(**values: Any) -> list[str]:
        fee = house.post("/v1/fees", {"member_id": house.mem, **body, **values})
        shown = house.post("/v1/invoices/preview", {"member_id": house.mem, "as_of": "2027-03-01"}, 200)
        house.api.delete(f"/v1/fees/{fee['id']}")
        return [row["name"] or row["percent"] for row in shown["invoices"][0]["tax_breakdown"]]

    assert names() == ["QST"]
    assert (names(taxes=[PST]), names(tax_percent="3")) == (["PST"], ["3"])
    override = {"plan_id": encode_id("pln", plan), "taxes": [GST]}
    house.set(tax_overrides=[override])
    assert names() == ["GST"]
    dock = house.add_location(**announced(GST, PST))
    assert names(location_id=encode_id("loc", dock)) == ["GST", "PST"]
    house.set(tax_overrides=[override, {"location_id": encode_id("loc", dock), "taxes": [PST]}])
    assert names(location_id=encode_id("loc", dock)) == ["PST"]
    house.add_member(member_id=house.member, version=2, billing=BillingProfile(**announced(QST, PST)))
    assert names(location_id=encode_id("loc", dock)) == ["QST", "PST"]
    house.set(tax_overrides=[{"member_id": house.mem, "taxes": [GST]}])
    assert names() == ["GST"]


def test_a_changed_or_amended_fee_keeps_the_taxes_of_its_plan_unless_it_gets_others(house: Any) -> None:
    plan = house.add_plan(10000, kind="one_off", **announced(GST, PST))
    fee = house.post("/v1/fees", {"member_id": house.mem, "plan_id": encode_id("pln", plan)})
    path = f"/v1/fees/{fee['id']}"
    same = house.api.patch(path, {"tax_percent": "12", "quantity": "2"}).json
    assert (same["taxes"], same["quantity"]) == ([GST, PST], "2")
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})["invoices"]
    assert invoice["total"] == euro(22400)
    amended = house.post(f"{path}/amendment", {"quantity": "1"})["fee"]
    assert amended["taxes"] == [GST, PST]
    changed = house.api.patch(f"/v1/fees/{amended['id']}", {"tax_percent": "19"}).json
    assert (changed["taxes"], changed["tax_percent"]) == (None, "19")


def test_a_booking_whose_taxes_change_is_charged_by_the_new_ones(house: Any) -> None:
    booking = house.booking(**announced(GST, PST))
    house.feed(booking)
    house.feed(house.booking(booking_id=booking.booking_id, version=2, **announced(GST)))
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})["invoices"]
    assert table(invoice) == [("GST", "5", 4500, 225)]


def test_a_fee_has_its_own_parallel_taxes_or_the_short_form(house: Any) -> None:
    body = {"member_id": house.mem, "name": "Key", "price": euro(1000)}
    fee = house.post("/v1/fees", {**body, "taxes": [GST, PST]})
    assert (fee["taxes"], fee["tax_percent"]) == ([GST, PST], "12")
    house.post("/v1/fees", {**body, "taxes": [GST, QST], "bill_in_advance": True})
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01", "member_id": house.mem})
    assert [[name for name, *_ in table(invoice)] for invoice in run["invoices"]] == [["GST", "QST"], ["GST", "PST"]]
    fee = house.post("/v1/fees", {**body, "taxes": [GST, PST]})
    changed = house.api.patch(f"/v1/fees/{fee['id']}", {"tax_percent": "19"}).json
    assert (changed["taxes"], changed["tax_percent"]) == (None, "19")
    bought = house.post(
        "/v1/purchases",
        {"member_id": house.mem, "pay": "now", "items": [{"name": "Locker", "price": euro(2000), "taxes": [GST, PST]}]},
    )
    assert bought["invoice"]["total"] == euro(2240)


def test_credit_notes_give_each_parallel_tax_back_tax_5(house: Any) -> None:
    made = bill(house, {"taxes": [GST, QST]}, {"unit_price": euro(999), "taxes": [GST, QST]})
    line = made["lines"][0]["id"]
    path = f"/v1/invoices/{made['id']}/credit-notes"
    part = house.post(path, {"lines": [{"invoice_line_id": line, "amount": euro(3333)}]})
    rest = house.post(path, {})
    whole = {(name, percent): (base, tax) for name, percent, base, tax in table(made)}
    for name, percent, base, tax in table(rest):
        first = next(row for row in table(part) if row[0] == name)
        assert (first[2] + base, first[3] + tax) == whole[name, percent]
    assert part["total"]["amount_minor"] + rest["total"]["amount_minor"] == made["total"]["amount_minor"]
    assert [tax["name"] for tax in part["lines"][0]["taxes"]] == ["GST", "QST"]


def test_the_page_shows_a_row_per_tax_and_the_e_invoice_says_why_it_cannot(house: Any) -> None:
    made = bill(house, {"taxes": [GST, PST]})
    assert house.api.get(f"/v1/invoices/{made['id']}/pdf").data[:4] == b"%PDF"
    for path in ("xml", "xml?format=ubl", "pdf?format=factur-x"):
        refused = house.api.get(f"/v1/invoices/{made['id']}/{path}")
        assert (refused.status_code, refused.json["code"]) == (422, "einvoice_parallel_taxes")
        assert "GST" in refused.json["detail"]


def test_two_taxes_of_one_rate_on_different_lines_are_no_e_invoice(house: Any) -> None:
    """EN 16931 has one row for each category and rate."""
    made = bill(house, {"taxes": [GST]}, {"taxes": [{**PST, "percent": "5"}]})
    assert len(made["tax_breakdown"]) == 2
    assert house.api.get(f"/v1/invoices/{made['id']}/xml").status_code == 422


@pytest.mark.parametrize(
    ("taxes", "more"),
    [
        ([{**GST, "name": ""}, PST], {}),
        ([GST, GST], {}),
        ([{"name": "A", "percent": "60"}, {"name": "B", "percent": "60"}], {}),
        ([GST, PST], {"tax_percent": "12"}),
        ([GST, PST], {"tax_category": "S"}),
        ([{**GST, "category": "AE"}], {}),
        ([{"name": "A", "percent": str(n)} for n in range(6)], {}),
        ([], {}),
    ],
)
def test_taxes_that_do_not_fit_are_refused(house: Any, taxes: list[dict[str, Any]], more: dict[str, str]) -> None:
    line = {"description": "Room", "unit_price": euro(100), "taxes": taxes, **more}
    for path, body in (
        ("/v1/invoices", {"lines": [line]}),
        ("/v1/fees", {"name": "Key", "price": euro(100), "taxes": taxes, **more}),
    ):
        answer = house.api.post(path, {"member_id": house.mem, **body})
        assert answer.status_code == 422, answer.json
    assert house.invoices() == []


def test_overrides_name_one_thing_that_exists_once(house: Any) -> None:
    loc = encode_id("loc", house.location)
    for overrides in (
        [{"location_id": "loc_" + "0" * 32, "taxes": [GST]}],
        [{"location_id": loc, "taxes": [GST]}, {"location_id": loc, "taxes": [PST]}],
        [{"location_id": loc, "member_id": house.mem, "taxes": [GST]}],
        [{"taxes": [GST]}],
        [{"revenue_account": "4400", "taxes": [GST]}, {"revenue_account": "4400", "taxes": [PST]}],
        [{"revenue_account": "", "taxes": [GST]}],
        [{"location_id": loc, "taxes": [{**GST, "name": ""}, PST]}],
    ):
        assert house.api.patch("/v1/settings/billing", {"tax_overrides": overrides}).status_code == 422
    assert house.get("/v1/settings/billing")["tax_overrides"] == []


def test_a_discount_for_one_rate_lowers_both_taxes_of_its_lines(house: Any) -> None:
    made = bill(
        house, {"unit_price": euro(10000), "taxes": [GST, PST]}, discounts=[{"amount": euro(1000), "tax_percent": "7"}]
    )
    assert table(made) == [("GST", "5", 9000, 450), ("PST", "7", 9000, 630)]
    assert Decimal(made["lines"][0]["tax_percent"]) == 12
