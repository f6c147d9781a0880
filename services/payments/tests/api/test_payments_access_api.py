"""Who may do what, secrets, and bad input: 4xx and no change."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

import pytest
from payments_house import House, euro, make_house
from sqlalchemy import select

from common.ids import decode_id, new_id
from payments.models import Gateway

SECRETS = {"api_key": "sk_test_double", "webhook_secret": "whsec_hidden"}


def member_of(app: Any, house: House, sign_in: Any, member: str, **claims: Any) -> Any:
    """A member who is signed in."""
    return sign_in(app, house.id, "member", member=str(decode_id("mem", member)), **claims)


def test_acc_1_a_member_pays_their_own_with_their_own(app: Any, house: House, sign_in: Any) -> None:
    house.switch_on(automatic=False)
    mine, other = house.save_method("sandbox_ok"), house.add_member()
    invoice = house.issue(1000, due="2027-02-19")
    stranger, member = (member_of(app, house, sign_in, who) for who in (other, house.member))
    path, body = f"/v1/invoices/{invoice}/payments", {"payment_method_id": mine}
    assert stranger.post(path, body).status_code == 404
    assert stranger.get(f"/v1/payment-methods/{mine}").status_code == 404
    assert stranger.delete(f"/v1/payment-methods/{mine}").status_code == 404
    assert stranger.get("/v1/payment-methods").json["items"] == []
    setup = {"member_id": house.member, "token": "sandbox_ok"}
    assert stranger.post("/v1/payment-methods/setup", setup).status_code == 404
    assert member.post(path, {"method": "cash"}).status_code == 403
    paid = member.post(path, body)
    assert (paid.status_code, paid.json["state"]) == (201, "succeeded")
    assert stranger.get("/v1/payments").json["items"] == []
    assert stranger.get(f"/v1/payments/{paid.json['id']}").status_code == 404
    assert member.post(f"/v1/payments/{paid.json['id']}/refunds", {}).status_code == 403
    assert [item["id"] for item in member.get("/v1/payments").json["items"]] == [paid.json["id"]]


def test_members_pay_only_while_pay_now_is_on(app: Any, house: House, sign_in: Any) -> None:
    house.switch_on(pay_now=False)
    method, invoice = house.save_method("sandbox_ok"), house.issue(1000, due="2027-02-19")
    member = member_of(app, house, sign_in, house.member)
    refused = member.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert (refused.status_code, refused.json["code"]) == (403, "pay_now_off")
    assert house.payments(invoice) == []


def test_a_billing_person_pays_for_the_company(app: Any, house: House, sign_in: Any) -> None:
    from contracts.members import CompanyChanged
    from contracts.parts import Customer

    company = new_id()
    house.switch_on(automatic=False)
    house.tell(CompanyChanged(company_id=company, display_name="Example Company", version=1))
    invoice = house.issue(1000, due="2027-02-19", customer=Customer(company_id=company))
    method = house.save_method("sandbox_ok")
    path, body = f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}
    colleague = member_of(app, house, sign_in, house.member, company=str(company))
    assert colleague.post(path, body).status_code == 404
    billing = member_of(app, house, sign_in, house.member, company=str(company), billing_person=True)
    assert billing.post(path, body).status_code == 201


def test_another_organisation_sees_nothing(app: Any, house: House, sign_in: Any) -> None:
    method, invoice = house.save_method("sandbox_ok"), house.issue(1000, due="2027-02-19")
    stranger = make_house(app, sign_in)
    body = {"payment_method_id": method}
    assert stranger.owner.post(f"/v1/invoices/{invoice}/payments", body).status_code == 404
    assert stranger.owner.get(f"/v1/payment-methods/{method}").status_code == 404
    own = stranger.issue(1000, due="2027-02-19")
    assert stranger.owner.post(f"/v1/invoices/{own}/payments", body).status_code == 404


def test_pay_6_secrets_are_encrypted_and_never_shown(app: Any, stripe_house: Any) -> None:
    house = stripe_house.house
    made = house.owner.get(f"/v1/payment-gateways/{stripe_house.gateway}")
    assert made.json["has_webhook_secret"] is True
    assert not {"credentials", "api_key"} & made.json.keys()
    assert b"whsec" not in made.data
    with house.database.session(house.id) as session:
        row = session.scalars(select(Gateway).where(Gateway.provider == "stripe")).one()
        assert b"sk_test" not in (row.credentials or b"")
        assert app.extensions["providers"].vault.open(row.credentials)["api_key"] == SECRETS["api_key"]


def test_pay_6_refused_keys_are_not_stored_and_rotated_ones_are_checked(stripe_house: Any) -> None:
    owner = stripe_house.house.owner
    bad = {"provider": "stripe", "credentials": {"api_key": "sk_test_wrong"}}
    refused = owner.post("/v1/payment-gateways", bad)
    assert (refused.status_code, refused.json["code"]) == (422, "gateway_credentials_rejected")
    path = f"/v1/payment-gateways/{stripe_house.gateway}"
    assert owner.patch(path, {"credentials": bad["credentials"]}).status_code == 422
    rotated = owner.patch(path, {"credentials": SECRETS, "methods": ["card"]})
    assert (rotated.status_code, rotated.json["methods"]) == (200, ["card"])
    assert len(owner.get("/v1/payment-gateways").json["items"]) == 2


def test_a_live_organisation_has_no_sandbox(app: Any, sign_in: Any) -> None:
    live = make_house(app, sign_in, mode="live")
    assert live.owner.get("/v1/payment-gateways").json["items"] == []
    refused = live.owner.post("/v1/payment-gateways", {"provider": "sandbox"})
    assert (refused.status_code, refused.json["code"]) == (422, "sandbox_needs_rehearsal")
    setup = live.owner.post("/v1/payment-methods/setup", {"member_id": live.member, "token": "sandbox_ok"})
    assert (setup.status_code, setup.json["code"]) == (409, "no_payment_gateway")
    assert live.owner.post("/v1/payment-gateways", {"provider": "manual"}).status_code == 201


def test_a_test_charge_is_shown_and_given_back(house: House) -> None:
    gateway = house.owner.get("/v1/payment-gateways").json["items"][0]["id"]
    made = house.owner.post(f"/v1/payment-gateways/{gateway}/test-charge", {})
    assert made.status_code == 201, made.json
    assert (made.json["payment"]["state"], made.json["payment"]["amount"]) == ("refunded", euro(100))
    assert made.json["refund"]["state"] == "succeeded"
    declined = house.owner.post(f"/v1/payment-gateways/{gateway}/test-charge", {"token": "sandbox_declined"})
    assert declined.json["payment"]["failure_code"] == "generic_decline"
    assert declined.json["refund"] is None


def test_removing_the_default_makes_the_next_one_default(house: House) -> None:
    first, second = house.save_method("sandbox_ok"), house.save_method("sandbox_mastercard")
    assert house.owner.get(f"/v1/payment-methods/{first}").json["is_default"] is False
    assert house.owner.delete(f"/v1/payment-methods/{second}").status_code == 204
    assert house.owner.get(f"/v1/payment-methods/{second}").status_code == 404
    assert house.owner.get(f"/v1/payment-methods/{first}").json["is_default"] is True
    third = house.save_method("sandbox_ok", make_default=False)
    assert house.owner.get(f"/v1/payment-methods/{third}").json["is_default"] is False
    assert house.owner.patch(f"/v1/payment-methods/{third}", {"is_default": True}).json["is_default"] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"payment_method_id": "pmt_nothing"}, 422),
        ({"payment_method_id": f"pmt_{new_id().hex}"}, 404),
        ({"payment_method_id": f"pmt_{new_id().hex}", "method": "cash"}, 422),
        ({"method": "gold"}, 422),
        ({"method": "cash", "amount": {"amount_minor": 1.5, "currency": "EUR"}}, 422),
        ({"method": "cash", "amount": {"amount_minor": 0, "currency": "EUR"}}, 422),
        ({"method": "cash", "amount": {"amount_minor": -5, "currency": "EUR"}}, 422),
        ({"method": "cash", "amount": {"amount_minor": 5, "currency": "USD"}}, 422),
        ({"method": "cash", "date": "2027-12-31"}, 422),
        ({"method": "cash", "date": "yesterday"}, 422),
        ({"method": "cash", "colour": "blue"}, 422),
        ([], 422),
    ],
)
def test_bad_payments_get_4xx_and_change_nothing(house: House, body: Any, status: int) -> None:
    invoice = house.issue(1000, due="2027-02-19")
    refused = house.owner.post(f"/v1/invoices/{invoice}/payments", body)
    assert refused.status_code == status, refused.json
    assert refused.content_type == "application/problem+json"
    assert house.payments(invoice) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "sandbox_ok"}, 422),
        ({"member_id": "mem_nothing", "token": "sandbox_ok"}, 422),
        ({"member_id": f"mem_{new_id().hex}", "token": "sandbox_ok"}, 404),
        ({"member_id": "MEMBER", "token": "sandbox_nonsense"}, 422),
        ({"member_id": "MEMBER"}, 422),
        ({"member_id": "MEMBER", "token": "sandbox_ok", "gateway_id": f"gtw_{new_id().hex}"}, 404),
        ({"member_id": "MEMBER", "token": "sandbox_ok", "card_number": "4242424242424242"}, 422),
    ],
)
def test_bad_setups_get_4xx_and_save_nothing(house: House, body: dict[str, Any], status: int) -> None:
    sent = {name: house.member if value == "MEMBER" else value for name, value in body.items()}
    refused = house.owner.post("/v1/payment-methods/setup", sent)
    assert refused.status_code == status, refused.json
    assert house.owner.get("/v1/payment-methods").json["items"] == []


def test_a_void_invoice_and_an_unknown_one_cannot_be_paid(house: House) -> None:
    method, void = house.save_method("sandbox_ok"), house.issue(1000, due="2027-02-19", state="void")
    body = {"payment_method_id": method}
    assert house.owner.post(f"/v1/invoices/{void}/payments", body).json["code"] == "invoice_not_payable"
    assert house.owner.post(f"/v1/invoices/inv_{new_id().hex}/payments", body).status_code == 404


def test_the_report_adds_up_and_the_checklist_names_leaks(house: House) -> None:
    method, invoice = house.save_method("sandbox_ok"), house.issue(1000, due="2027-02-19")
    paid = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json
    house.owner.post(f"/v1/payments/{paid['id']}/refunds", {"amount": euro(300)})
    report = house.owner.get("/v1/reports/payments?from=2027-02-01&to=2027-02-01").json
    assert [(line["collected"], line["net"]) for line in report["gateways"]] == [(euro(1000), euro(700))]
    assert house.owner.get("/v1/reports/payments?from=2027-02-02&to=2027-02-01").status_code == 422
    house.switch_on()
    house.add_member()
    told = house.owner.get("/v1/setup/payments").json
    assert [problem["code"] for problem in told["problems"]] == ["members_without_method"]
    # What came in and went back in part has been paid, too.
    assert told["facts"]["has_been_paid"] is True


def test_pay_9_a_cards_end_is_announced_30_and_7_days_before(house: House) -> None:
    house.save_method("sandbox_expires_2027_04")
    house.switch_on()
    house.advance("2027-05-10T12:00:00Z")
    assert house.published("payment-method-expiring") == 2


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"\xff", b'{"type": "charge"}', b'{"type": "dispute", "occurred_at": 7}']
)
def test_pay_7_a_signed_call_that_is_no_event_gets_400(house: House, body: bytes) -> None:
    keys = {"provider": "sandbox", "credentials": {"webhook_secret": "hidden-secret"}}
    path = house.owner.post("/v1/payment-gateways", keys).json["webhook_path"]
    signed = {"Sandbox-Signature": hmac.new(b"hidden-secret", body, sha256).hexdigest()}
    headers = {"Content-Type": "application/json", **signed}
    answer = house.nobody.request("POST", path, data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "webhook_unreadable")
