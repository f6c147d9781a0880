"""Payouts: fetched by a job, stored, and held against what we say (Stripe and GoCardless on their wire doubles)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from gocardless_wire_double import ACCESS_TOKEN, WEBHOOK_SECRET, GoCardlessDouble, running_gocardless
from payments_house import House, MovableClock, euro, make_house
from sqlalchemy import select
from stripe_house import StripeHouse
from stripe_wire_double import Fault

from payments.gateways.gocardless import GoCardlessConnection
from payments.gateways.registry import Connections, build_gateway
from payments.models import Payout, PayoutFeed, PayoutItem
from payments.services.providers import Providers

FEBRUARY = "/v1/reports/payouts?from=2027-02-01&to=2027-02-28"


def paid_invoice(stripe_house: StripeHouse, minor: int = 4500, behaviour: str = "ok") -> dict[str, Any]:
    """A payment of an invoice, made now."""
    house, method = stripe_house.house, stripe_house.save_method(behaviour)
    invoice = house.issue(minor, due="2027-02-19")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert made.status_code == 201, made.json
    return dict(made.json)


def fetch(house: House) -> None:
    """The next week comes, and the provider was left alone for more than an hour."""
    clock = house.database.clock
    assert isinstance(clock, MovableClock)
    clock.waited += timedelta(minutes=61)
    house._set_clock(house.now() + timedelta(days=7))
    house.run()


def report(house: House) -> dict[str, Any]:
    """The report of February."""
    answer = house.owner.get(FEBRUARY)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def differences(house: House) -> set[tuple[str, str, int | None, int | None]]:
    """What does not agree: verdict, what, the provider's amount and ours."""
    return {
        (line["verdict"], line["what"], *(line[side] and line[side]["amount_minor"] for side in SIDES))
        for line in report(house)["differences"]
    }


SIDES = ("provider_amount", "our_amount")


def test_a_payout_is_fetched_with_its_parts_and_agrees(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    first, second = paid_invoice(stripe_house), paid_invoice(stripe_house, 1000)
    house.owner.post(f"/v1/payments/{second['id']}/refunds", {"amount": euro(300)})
    reference = stripe_house.double.pay_out()
    fetch(house)
    (payout,) = house.owner.get("/v1/payouts").json["items"]
    assert (payout["provider_reference"], payout["amount"]) == (reference, euro(4500 + 1000 - 300 - 50))
    shown = {name: payout[name]["amount_minor"] for name in ("charged", "refunded", "disputed", "fees", "other")}
    assert shown == {"charged": 5500, "refunded": -300, "disputed": 0, "fees": 50, "other": 0}
    assert (payout["state"], payout["arrives_on"], payout["complete"]) == ("paid", "2027-02-24", True)
    items = house.owner.get(f"/v1/payouts/{payout['id']}/items?limit=2").json
    assert len(items["items"]) == 2
    more = house.owner.get(f"/v1/payouts/{payout['id']}/items?cursor={items['next_cursor']}").json["items"]
    parts = {(part["kind"], part["payment_id"], part["amount"]["amount_minor"]) for part in items["items"] + more}
    assert parts == {
        ("charge", first["id"], 4500),
        ("charge", second["id"], 1000),
        ("refund", second["id"], -300),
    }
    assert differences(house) == set()
    assert report(house)["counts"]["agrees"] == 4, "a payout, two payments, a refund"
    (summary,) = report(house)["gateways"]
    assert (summary["payouts"], summary["paid_out"], summary["fees"]) == (1, euro(5150), euro(50))


def test_money_that_the_provider_alone_knows_of_is_missing_here(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    payment = paid_invoice(stripe_house)
    intent = next(o["id"] for o in double.objects.values() if o["object"] == "payment_intent")
    double._refund({"payment_intent": intent, "amount": "700"})
    elsewhere = double._new("pi", "payment_intent", currency="eur", amount=999)
    double._take(elsewhere)
    double.pay_out()
    fetch(house)
    assert differences(house) == {("missing_here", "refund", -700, None), ("missing_here", "payment", 999, None)}
    lines = {line["provider_amount"]["amount_minor"]: line for line in report(house)["differences"]}
    assert (lines[-700]["payment_id"], lines[999]["payment_id"]) == (payment["id"], None)
    assert lines[999]["provider_reference"] == elsewhere["id"]


def test_money_that_we_alone_know_of_is_on_the_way_and_after_two_weeks_missing_there(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    paid_invoice(stripe_house)
    assert differences(house) == {("on_the_way", "payment", None, 4500)}
    house._set_clock(house.now() + timedelta(days=14, hours=1))
    assert differences(house) == {("missing_there", "payment", None, 4500)}
    stripe_house.double.pay_out()
    fetch(house)
    assert differences(house) == set()


def test_an_amount_that_differs_is_told_with_both_sides(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    payment = paid_invoice(stripe_house)
    charge = next(o for o in double.objects.values() if o["object"] == "charge")
    charge["amount"] = 4400
    double.pay_out()
    house._set_clock(house.now() + timedelta(days=20))
    fetch(house)
    (line,) = report(house)["differences"]
    assert (line["verdict"], line["payment_id"]) == ("amount_differs", payment["id"])
    assert (line["provider_amount"], line["our_amount"]) == (euro(4400), euro(4500))
    assert (line["invoice_number"], line["customer_name"]) == ("INV-2027-00001", "Example Member")


def test_a_payout_that_is_not_the_sum_of_its_parts_is_told(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    paid_invoice(stripe_house)
    double.objects[double.pay_out()]["amount"] -= 1
    fetch(house)
    assert differences(house) == {("amount_differs", "payout", 4474, 4475)}


def test_a_chargeback_agrees_once_it_was_paid_out(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    paid_invoice(stripe_house)
    intent = next(o["id"] for o in double.objects.values() if o["object"] == "payment_intent")
    double.pay_out()
    double.dispute(intent)
    stripe_house.deliver_all()
    fetch(house)
    assert differences(house) == {("on_the_way", "payment", 4500, 0)}
    double.pay_out()
    fetch(house)
    assert differences(house) == set()


def test_a_manual_payout_is_listed_but_says_nothing_of_its_parts(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    paid_invoice(stripe_house)
    stripe_house.double.pay_out(automatic=False)
    fetch(house)
    (payout,) = house.owner.get("/v1/payouts").json["items"]
    assert (payout["itemised"], payout["amount"]) == (False, euro(4475))
    assert report(house)["gateways"][0]["not_itemised"] == 1
    assert differences(house) == {("on_the_way", "payment", None, 4500)}


def test_the_table_lists_what_agrees_too_and_harms_no_spreadsheet(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.member = house.add_member(display_name="=cmd|calc")
    paid_invoice(stripe_house, 4505)
    stripe_house.double.pay_out()
    fetch(house)
    answer = house.owner.get(f"{FEBRUARY}&format=csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["what"], row["verdict"]) for row in rows] == [("payout", "agrees"), ("payment", "agrees")]
    assert (rows[1]["provider_amount"], rows[1]["our_amount"], rows[1]["currency"]) == ("45.05", "45.05", "EUR")
    assert rows[1]["customer_name"] == "'=cmd|calc"


def test_many_payouts_are_read_page_by_page_and_never_twice(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    paid_invoice(stripe_house)
    double.largest_page = 3
    for _ in range(10):
        double.pay_out()
    fetch(house)
    assert len(house.owner.get("/v1/payouts").json["items"]) == 10
    before = stored(house)
    fetch(house)
    assert stored(house) == before


def stored(house: House) -> tuple[set[Any], set[Any]]:
    """Ids of what is stored."""
    with house.database.session(house.id) as session:
        return set(session.scalars(select(Payout.id))), set(session.scalars(select(PayoutItem.id)))


def test_a_payout_that_failed_after_it_had_arrived_is_told_the_next_time(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    paid_invoice(stripe_house)
    reference = double.pay_out()
    fetch(house)
    double.objects[reference]["status"] = "failed"
    fetch(house)
    assert house.owner.get("/v1/payouts").json["items"][0]["state"] == "failed"
    assert report(house)["gateways"][0]["paid_out"] == euro(0)


def test_a_payout_still_being_made_gets_its_parts_later(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    reference = double.pay_out()
    double.objects[reference]["reconciliation_status"] = "in_progress"
    paid_invoice(stripe_house)
    fetch(house)
    assert house.owner.get("/v1/payouts").json["items"][0]["complete"] is False
    for txn in double._of("balance_transaction", reporting_category="charge"):
        txn["payout"] = reference
    double.objects[reference].update(reconciliation_status="completed", amount=4475)
    fetch(house)
    (payout,) = house.owner.get("/v1/payouts").json["items"]
    assert (payout["complete"], payout["charged"]) == (True, euro(4500))


@pytest.mark.parametrize("place", ["/v1/payouts", "/v1/balance_transactions"])
def test_a_provider_that_breaks_off_is_asked_again_and_nothing_is_lost_or_double(
    stripe_house: StripeHouse, place: str
) -> None:
    house, double = stripe_house.house, stripe_house.double
    paid_invoice(stripe_house)
    double.pay_out()
    double.next_fault(place, Fault.SERVER_ERROR)
    fetch(house)
    assert feed(house).failure_code == "gateway_unavailable"
    fetch(house)
    assert (feed(house).failure_code, differences(house)) == (None, set())
    assert report(house)["gateways"][0]["fetched_at"] is not None


def feed(house: House) -> PayoutFeed:
    """Where the fetching stands."""
    with house.database.session(house.id) as session:
        return session.scalars(select(PayoutFeed)).one()


def test_a_rehearsals_days_do_not_ask_the_provider_more_often_than_hourly(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    house.run()
    double.next_fault("/v1/payouts", Fault.SERVER_ERROR)
    house.advance("2027-02-16T12:00:00Z")
    assert len(double.faults) == 1, "nobody asked"
    house.wait(3700)
    house.advance("2027-02-22T12:00:00Z")
    assert double.faults == []


def test_payouts_are_fetched_when_somebody_asks_for_it(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.run()
    reference = stripe_house.double.pay_out()
    asked = house.owner.post(f"/v1/payment-gateways/{stripe_house.gateway}/payouts")
    assert (asked.status_code, asked.json["gateway_id"]) == (202, stripe_house.gateway)
    house.run()
    assert [item["provider_reference"] for item in house.owner.get("/v1/payouts").json["items"]] == [reference]
    sandbox = next(
        item for item in house.owner.get("/v1/payment-gateways").json["items"] if item["provider"] == "sandbox"
    )
    assert house.owner.post(f"/v1/payment-gateways/{sandbox['id']}/payouts").json["code"] == "no_payouts"


def test_a_disconnected_gateway_is_asked_no_more_and_its_payouts_stay(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    paid_invoice(stripe_house)
    stripe_house.double.pay_out()
    fetch(house)
    assert house.owner.delete(f"/v1/payment-gateways/{stripe_house.gateway}").status_code == 204
    assert feed(house).due_at is None
    assert len(house.owner.get("/v1/payouts").json["items"]) == 1
    assert differences(house) == set()


def test_only_who_reads_the_books_sees_payouts_and_only_their_own(
    app: Any, stripe_house: StripeHouse, sign_in: Any
) -> None:
    house = stripe_house.house
    stripe_house.double.pay_out()
    fetch(house)
    (payout,) = house.owner.get("/v1/payouts").json["items"]
    assert sign_in(app, house.id, "front_desk").get("/v1/payouts").status_code == 403
    assert sign_in(app, house.id, "accountant").get(FEBRUARY).status_code == 200
    stranger = make_house(app, sign_in).owner
    assert stranger.get("/v1/payouts").json["items"] == []
    assert stranger.get(f"/v1/payouts/{payout['id']}").status_code == 404
    assert stranger.get(f"/v1/payouts/{payout['id']}/items").status_code == 404
    assert stranger.get(FEBRUARY).json["differences"] == []


@pytest.mark.parametrize(
    "window", ["from=2027-02-28&to=2027-02-01", "from=2027-02-01&to=2028-03-01", "from=2027-02-01"]
)
def test_a_window_that_is_none_is_refused(house: House, window: str) -> None:
    refused = house.owner.get(f"/v1/reports/payouts?{window}")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/to"


def test_payouts_are_listed_by_gateway_state_and_day(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    for day in range(3):
        double.pay_out(arrives=1_803_427_200 + day * 86_400)
    fetch(house)

    def days(query: str) -> list[str]:
        return sorted(item["arrives_on"] for item in house.owner.get(f"/v1/payouts?{query}").json["items"])

    assert days("from=2027-02-25") == ["2027-02-25", "2027-02-26"]
    assert days("to=2027-02-24") == ["2027-02-24"]
    assert days("state=failed") == []
    assert len(days(f"gateway_id={stripe_house.gateway}&state=paid")) == 3
    assert house.owner.get("/v1/payouts?state=odd").status_code == 422


# -- GoCardless -------------------------------------------------------------------------------------------------


@pytest.fixture
def gocardless(app: Any, sign_in: Any) -> Iterator[tuple[House, GoCardlessDouble, str]]:
    """A rehearsal organisation with a GoCardless sandbox account, and the account's gateway."""
    with running_gocardless() as (double, address):
        connections = Connections(gocardless=GoCardlessConnection(address, 2, 2))
        app.extensions["providers"] = Providers(app.extensions["settings"], build_gateway, connections)
        house = make_house(app, sign_in)
        keys = {"access_token": ACCESS_TOKEN, "webhook_secret": WEBHOOK_SECRET}
        made = house.owner.post("/v1/payment-gateways", {"provider": "gocardless", "credentials": keys})
        assert made.status_code == 201, made.json
        yield house, double, made.json["id"]


def test_a_debit_from_signed_mandate_to_payout_agrees_fees_in_tenths_included(
    gocardless: tuple[House, GoCardlessDouble, str],
) -> None:
    house, double, gateway = gocardless
    setup = {"member_id": house.member, "gateway_id": gateway, "kinds": ["sepa_debit"]}
    begun = house.owner.post("/v1/payment-methods/setup", setup).json
    assert begun["setup"]["url"].startswith("https://pay.example/")
    request = next(iter(double.things["billing_requests"]))
    double.sign_mandate(request)
    saved = house.owner.post(f"/v1/payment-methods/{begun['id']}/confirmation").json
    assert (saved["state"], saved["kind"]) == ("active", "sepa_debit")
    invoice = house.issue(4500, due="2027-02-19")
    paid = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": begun["id"]}).json
    assert paid["state"] == "pending"
    (debit,) = double.things["payments"]
    double.settle(debit)
    body, headers = double.signed(*double.things["events"].values())
    sent = {**headers, "Content-Type": "application/json"}
    assert house.nobody.request("POST", f"/v1/webhooks/{gateway}", data=body, headers=sent).status_code == 202
    house.run()
    assert house.payments(invoice)[0]["state"] == "succeeded"
    refunded = house.owner.post(f"/v1/payments/{paid['id']}/refunds", {"amount": euro(500)})
    assert (refunded.status_code, refunded.json["state"]) == (201, "pending")
    double.pay_out()
    fetch(house)
    (payout,) = house.owner.get("/v1/payouts").json["items"]
    assert (payout["amount"], payout["fees"]) == (euro(4500 - 500 - 47), euro(47)), "45.5 and 1.2 tenths"
    assert differences(house) == set()
