"""Gateways by location and method, their keys, and what happens to saved methods at the provider (PAY-6, PAY-9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from payments_house import House, euro, make_house
from sqlalchemy import select
from stripe_house import StripeHouse

from common.ids import decode_id, encode_id, new_id
from contracts.catalog import LocationChanged
from payments.models import Gateway, PaymentMethod
from payments.services.resealing import reseal_credentials
from payments.services.vault import Vault

DEBITS = {"sepa": "sepa_debit", "ach": "ach_debit", "bacs": "bacs_debit"}


def a_location(house: House, name: str) -> UUID:
    """A location that payments has heard of."""
    location = new_id()
    house.tell(
        LocationChanged(
            location_id=location,
            code=name[:8],
            display_name=name,
            timezone="Europe/Berlin",
            opening_hours={},
            version=1,
        )
    )
    return location


def sandbox_at(house: House, location: UUID, methods: list[str] | None = None) -> str:
    """A sandbox account of one location; its id."""
    body: dict[str, Any] = {"provider": "sandbox", "location_id": encode_id("loc", location)}
    made = house.owner.post("/v1/payment-gateways", {**body, **({"methods": methods} if methods else {})})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def saved(house: House, **changes: Any) -> dict[str, Any]:
    """A new method of the house's member."""
    made = house.owner.post("/v1/payment-methods/setup", {"member_id": house.member, "token": "sandbox_ok", **changes})
    assert made.status_code == 201, made.json
    return dict(made.json)


def test_pay_6_a_method_is_saved_at_the_members_location_and_else_where_all_pay(house: House) -> None:
    dock, pier = a_location(house, "Dock"), a_location(house, "Pier")
    mine = sandbox_at(house, dock)
    everywhere = next(
        each["id"] for each in house.owner.get("/v1/payment-gateways").json["items"] if each["location_id"] is None
    )
    house.member = house.add_member(location_id=dock)
    assert saved(house)["gateway_id"] == mine
    house.member = house.add_member(location_id=pier)
    assert saved(house)["gateway_id"] == everywhere


def test_pay_6_the_gateway_that_has_the_wanted_kind_is_chosen(house: House) -> None:
    dock = a_location(house, "Dock")
    cards, debits = sandbox_at(house, dock, ["card"]), sandbox_at(house, dock, ["sepa_debit"])
    house.member = house.add_member(location_id=dock)
    assert saved(house, kinds=["card"])["gateway_id"] == cards
    assert saved(house, kinds=["sepa_debit"], token="sandbox_sepa")["gateway_id"] == debits
    refused = house.owner.post(
        "/v1/payment-gateways", {"provider": "sandbox", "methods": ["cash"], "location_id": encode_id("loc", dock)}
    )
    assert (refused.status_code, refused.json["code"]) == (422, "method_unsupported")


def test_pay_6_a_locations_invoice_is_not_charged_through_another_locations_account(house: House) -> None:
    dock, pier = a_location(house, "Dock"), a_location(house, "Pier")
    at_dock = sandbox_at(house, dock)
    method = saved(house, gateway_id=at_dock)["id"]
    house.switch_on()
    here, there = (house.issue(1000, due="2027-02-19", location_id=place) for place in (dock, pier))
    refused = house.owner.post(f"/v1/invoices/{there}/payments", {"payment_method_id": method})
    assert (refused.status_code, refused.json["code"]) == (409, "payment_method_unusable")
    house.advance("2027-02-19T08:00:00Z")
    assert [payment["state"] for payment in house.payments(here)] == ["succeeded"]
    assert [payment["failure_code"] for payment in house.payments(there)] == ["payment_method_missing"]


@pytest.mark.parametrize("debit", DEBITS)
def test_pay_3_a_debit_of_each_scheme_is_saved_charged_and_paid_days_later(
    stripe_house: StripeHouse, debit: str
) -> None:
    house, double = stripe_house.house, stripe_house.double
    method = stripe_house.save_method(debit)
    assert house.owner.get(f"/v1/payment-methods/{method}").json["kind"] == DEBITS[debit]
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-19T08:00:00Z")
    assert [payment["state"] for payment in house.payments(invoice)] == ["pending"]
    double.settle(double._of("payment_intent")[0]["id"])
    house.advance("2027-02-20T09:00:00Z")
    assert [payment["state"] for payment in house.payments(invoice)] == ["succeeded"], "asked for, without a webhook"


def test_pay_9_the_card_updaters_new_date_moves_the_announcements(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    token = double.new_method("ok")
    double.objects[token]["card"].update(exp_month=4, exp_year=2027)
    method = house.save_method(token, gateway_id=stripe_house.gateway)
    house.switch_on()
    house.advance("2027-04-02T12:00:00Z")
    assert house.published("payment-method-expiring") == 1
    double.objects[token]["card"].update(exp_month=6, exp_year=2028, last4="1881")
    double._emit("payment_method.automatically_updated", double.objects[token])
    stripe_house.deliver_all()
    shown = house.owner.get(f"/v1/payment-methods/{method}").json
    assert (shown["exp_month"], shown["exp_year"], shown["last4"]) == (6, 2028, "1881")
    house.advance("2027-05-10T12:00:00Z")
    assert house.published("payment-method-expiring") == 1, "not for the date that is no longer true"


@pytest.mark.parametrize("told", ["payment_method.detached", "mandate.updated"])
def test_a_method_revoked_at_the_provider_is_charged_no_more_and_the_next_one_is(
    stripe_house: StripeHouse, told: str
) -> None:
    house, double = stripe_house.house, stripe_house.double
    spare, token = stripe_house.save_method(), double.new_method("sepa")
    gone = house.save_method(token, gateway_id=stripe_house.gateway)
    assert house.owner.get(f"/v1/payment-methods/{gone}").json["is_default"] is True
    facts = {"id": "mandate_1", "status": "inactive", "payment_method": token}
    double._emit(told, facts if told == "mandate.updated" else double.objects[token])
    stripe_house.deliver_all()
    assert house.owner.get(f"/v1/payment-methods/{gone}").status_code == 404
    assert house.owner.get(f"/v1/payment-methods/{spare}").json["is_default"] is True
    assert house.messages("payment-method-changed")[-2]["state"] == "removed"


def test_a_test_charge_at_a_real_provider_is_given_back(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    path = f"/v1/payment-gateways/{stripe_house.gateway}/test-charge"
    assert house.owner.post(path, {}).json["code"] == "payment_method_missing"
    made = house.owner.post(path, {"payment_method_id": stripe_house.save_method(), "amount": euro(150)})
    assert (made.status_code, made.json["payment"]["state"]) == (201, "refunded"), made.json
    assert [refund["amount"] for refund in double._of("refund")] == [150]
    with_token = house.owner.post(path, {"token": double.new_method("declined")})
    assert (with_token.json["payment"]["failure_code"], with_token.json["refund"]) == ("generic_decline", None)


def test_pay_6_rotated_credentials_are_used_from_the_next_charge_on(app: Any, stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    method = stripe_house.save_method()
    double.accepts("sk_test_rotated")
    keys = {"credentials": {"api_key": "sk_test_rotated", "webhook_secret": "whsec_double"}}
    assert house.owner.patch(f"/v1/payment-gateways/{stripe_house.gateway}", keys).status_code == 200
    invoice = house.issue(4500, due="2027-02-19")
    paid = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert paid.json["state"] == "succeeded", paid.json
    with house.database.session(house.id) as session:
        row = session.scalars(select(Gateway).where(Gateway.provider == "stripe")).one()
        assert app.extensions["providers"].vault.open(row.credentials)["api_key"] == "sk_test_rotated"


def test_pay_6_the_encryption_key_is_rotated_by_the_next_migration(app: Any, stripe_house: StripeHouse) -> None:
    house, settings = stripe_house.house, app.extensions["settings"]
    lost = make_house(app, lambda _app, _org, *_a, **_k: house.nobody)
    with house.database.session(lost.id) as session:
        row = session.scalars(select(Gateway)).one()
        row.credentials = Vault("nobody knows").seal({"webhook_secret": "12345678"})
        session.commit()
    changed = replace(settings, secret="a new secret", previous_secrets=settings.secret)
    reseal_credentials(house.database, changed)
    with house.database.session(house.id) as session:
        sealed = session.scalars(select(Gateway.credentials).where(Gateway.provider == "stripe")).one()
    assert Vault("a new secret").open(sealed)["api_key"] == "sk_test_double"
    reseal_credentials(house.database, replace(settings, previous_secrets="a new secret"))
    with house.database.session(house.id) as session:
        assert stripe_house.house.app.extensions["providers"].vault.open(
            session.scalars(select(Gateway.credentials).where(Gateway.provider == "stripe")).one()
        )


def test_payments_of_a_gateway_whose_credentials_no_secret_opens_are_still_shown(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    house.switch_on()
    invoice, method = house.issue(4500, due="2027-02-19"), stripe_house.save_method("authentication")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json
    assert made["action"]["publishable_key"] == "pk_test_double", made
    with house.database.session(house.id) as session:
        row = session.scalars(select(Gateway).where(Gateway.provider == "stripe")).one()
        row.credentials = Vault("nobody knows").seal({"api_key": "sk_test_lost"})
        session.commit()
    listed = house.owner.get("/v1/payments")
    assert listed.status_code == 200, listed.json
    (shown,) = listed.json["items"]
    assert (shown["state"], shown["action"]["publishable_key"]) == ("action_required", None)
    page = house.nobody.get(made["action"]["url"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200, "the link in the member's mail, too"


def test_pay_2_a_failed_method_that_is_replaced_is_retried_at_once(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    stripe_house.save_method("lost")
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-25T08:00:00Z")
    stripe_house.save_method("ok")
    house.run()
    assert [payment["state"] for payment in house.payments(invoice)] == ["failed", "succeeded"]
    assert stripe_house.double.charges_made == 1


def test_pay_10_nothing_that_is_stored_about_a_method_is_a_card_number(stripe_house: StripeHouse) -> None:
    method = stripe_house.save_method()
    with stripe_house.house.database.session(stripe_house.house.id) as session:
        row = session.get_one(PaymentMethod, decode_id("pmt", method))
        text = repr({column.key: getattr(row, column.key) for column in PaymentMethod.__table__.columns})
    assert "4242" in text
    assert "42424242" not in text
