"""The payments side of the story: sandbox gateway, method, collection on the due date, Pay Now, refunds."""

from __future__ import annotations

from typing import Any

from payments_house import House, euro

from common.db.migrate import schema_differences
from common.db.plumbing import plumbing_metadata
from payments.service import SERVICE


def test_models_agree_with_the_migrations(app: Any) -> None:
    assert schema_differences(app.extensions["database"].url, [plumbing_metadata, SERVICE.metadata]) == []


def test_a_rehearsal_organisation_has_one_sandbox_gateway(house: House) -> None:
    house.organization_changed()
    items = house.owner.get("/v1/payment-gateways").json["items"]
    assert [(item["provider"], item["state"]) for item in items] == [("sandbox", "connected")]


def test_a_sandbox_token_is_saved_as_the_api_says(house: House) -> None:
    made = house.owner.post("/v1/payment-methods/setup", {"member_id": house.member, "token": "sandbox_ok"})
    assert made.status_code == 201, made.json
    assert made.json["id"].startswith("pmt_")
    shown = {name: made.json[name] for name in ("kind", "brand", "last4", "state", "is_default")}
    assert shown == {"kind": "card", "brand": "visa", "last4": "4242", "state": "active", "is_default": True}


def test_pay_1_an_invoice_is_charged_on_its_due_date_and_not_before(house: House) -> None:
    house.save_method("sandbox_ok")
    house.switch_on()
    invoice = house.issue(18214, due="2027-02-19")
    house.advance("2027-02-19T07:59:59Z")
    assert house.payments(invoice) == []
    (planned,) = house.owner.get("/v1/collections").json["items"]
    assert (planned["invoice_id"], planned["next_attempt_at"]) == (invoice, "2027-02-19T08:00:00Z")
    house.advance("2027-02-19T08:00:00Z")
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["amount"], payment["source"]) == ("succeeded", euro(18214), "automatic")
    assert payment["occurred_at"] == "2027-02-19T08:00:00Z"
    assert house.published("payment-succeeded") == 1


def test_without_the_switch_nothing_is_charged_and_with_it_what_is_open_is(house: House) -> None:
    house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19", collect=False)
    house.advance("2027-02-25T12:00:00Z")
    assert house.payments(invoice) == []
    house.switch_on()
    house.run()
    assert [payment["state"] for payment in house.payments(invoice)] == ["succeeded"]


def test_pay_2_soft_declines_climb_the_ladder_and_end(house: House) -> None:
    house.save_method("sandbox_declined")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-04-01T12:00:00Z")
    days = sorted(payment["occurred_at"][:10] for payment in house.payments(invoice))
    assert days == ["2027-02-19", "2027-02-20", "2027-02-23", "2027-02-28", "2027-03-07"]
    (planned,) = house.owner.get("/v1/collections").json["items"]
    assert (planned["state"], len(planned["attempts"])) == ("gave_up", 5)


def test_pay_2_a_hard_decline_is_not_retried_and_a_new_method_is_tried_at_once(house: House) -> None:
    house.save_method("sandbox_lost_card")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-03-10T12:00:00Z")
    assert [payment["failure_code"] for payment in house.payments(invoice)] == ["lost_card"]
    house.save_method("sandbox_ok")
    house.run()
    assert sorted(payment["state"] for payment in house.payments(invoice)) == ["failed", "succeeded"]


def test_pay_2_a_missing_method_is_asked_for_once_on_the_due_date(house: House) -> None:
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-03-10T12:00:00Z")
    assert [payment["failure_code"] for payment in house.payments(invoice)] == ["payment_method_missing"]
    house.save_method("sandbox_ok")
    house.run()
    assert sorted(payment["state"] for payment in house.payments(invoice)) == ["failed", "succeeded"]


def test_pay_3_a_debit_is_pending_for_days_and_then_paid(house: House) -> None:
    house.save_method("sandbox_pending")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-02-19T08:00:00Z")
    assert [payment["state"] for payment in house.payments(invoice)] == ["pending"]
    house.advance("2027-02-22T08:00:00Z")
    (payment,) = house.payments(invoice)
    assert [line["state"] for line in payment["attempts"]] == ["pending", "succeeded"]


def test_pay_1_a_timeout_is_settled_by_asking(house: House) -> None:
    house.save_method("sandbox_timeout")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-02-19T08:00:00Z")
    assert [payment["state"] for payment in house.payments(invoice)] == ["succeeded"]


def test_pay_now_succeeds_once_and_replays_by_its_key(house: House) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    path, body, key = f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}, {"Idempotency-Key": "k"}
    first = house.owner.post(path, body, headers=key)
    assert (first.status_code, first.json["state"]) == (201, "succeeded"), first.json
    assert house.owner.post(path, body, headers=key).json["id"] == first.json["id"]
    assert house.owner.post(path, {"method": "cash"}, headers=key).status_code == 422
    again = house.owner.post(path, body)
    assert (again.status_code, again.json["code"]) == (409, "invoice_paid")
    assert house.owner.post(path, body, headers={"Idempotency-Key": ""}).json["code"] == "idempotency_key_missing"


def test_pay_4_manual_payments_may_be_partial_and_too_much(house: House) -> None:
    invoice = house.issue(1000, due="2027-02-19")
    path = f"/v1/invoices/{invoice}/payments"
    part = house.owner.post(path, {"method": "cash", "amount": euro(400)})
    assert (part.status_code, part.json["state"], part.json["provider"]) == (201, "succeeded", "manual")
    rest = house.owner.post(
        path, {"method": "bank_transfer", "amount": euro(700), "reference": "A1", "date": "2027-02-01"}
    )
    assert rest.json["amount"] == euro(700)
    assert house.owner.post(path, {"method": "cash", "amount": euro(1)}).json["code"] == "invoice_paid"


def test_pay_5_refunds_never_exceed_what_was_paid(house: House) -> None:
    method = house.save_method("sandbox_ok")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    paid = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json
    path = f"/v1/payments/{paid['id']}/refunds"
    assert house.owner.post(path, {"amount": euro(400), "reason": "late"}).json["state"] == "succeeded"
    too_much = house.owner.post(path, {"amount": euro(601)})
    assert (too_much.status_code, too_much.json["code"]) == (422, "refund_exceeds_payment")
    assert house.owner.post(path, {}).json["amount"] == euro(600)
    assert house.owner.get(f"/v1/payments/{paid['id']}").json["state"] == "refunded"
    assert house.published("payment-refunded") == 2
    house.advance("2027-04-01T12:00:00Z")
    assert len(house.payments(invoice)) == 1, "what was given back is not taken again by itself"


def test_three_d_secure_is_confirmed_on_the_linked_page(house: House) -> None:
    method = house.save_method("sandbox_3ds")
    invoice = house.issue(1000, due="2027-02-19")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json
    assert made["state"] == "action_required"
    link = made["action"]["url"].removeprefix("http://localhost:8000")
    page = house.nobody.get(link)
    assert page.status_code == 200
    assert "10.00 EUR" in page.text
    assert house.nobody.get(link[:-1]).status_code == 404
    assert house.nobody.post(link, {"outcome": "succeeded"}).json == {"state": "succeeded"}
    assert house.payments(invoice)[0]["state"] == "succeeded"


def test_a_guest_enters_a_method_while_paying(house: House) -> None:
    invoice = house.issue(1000, due="2027-02-19")
    made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"new_method": True})
    assert (made.status_code, made.json["state"]) == (201, "action_required"), made.json
    assert made.json["action"]["client_secret"]
    link = made.json["action"]["url"].removeprefix("http://localhost:8000")
    assert house.nobody.post(link, {"outcome": "succeeded"}).json == {"state": "succeeded"}
    assert house.published("payment-succeeded") == 1


def test_pay_2_a_failure_tells_when_the_next_attempt_is(house: House) -> None:
    house.save_method("sandbox_declined_once")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.advance("2027-02-19T08:00:00Z")
    (failed,) = house.messages("payment-failed")
    assert (failed["next_attempt_at"], failed["failure_kind"]) == ("2027-02-20T08:00:00Z", "soft")
    house.advance("2027-02-20T08:00:00Z")
    assert [payment["state"] for payment in house.payments(invoice)] == ["failed", "succeeded"]
