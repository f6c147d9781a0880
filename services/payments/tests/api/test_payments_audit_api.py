"""What changes money leaves one entry in the audit log, with its intent: also after a kill, also when asked twice."""

from __future__ import annotations

from typing import Any

import pytest
from payments_house import House, euro
from stripe_house import Accidents, Killed, StripeHouse

from common import audit


def entries(house: House) -> list[tuple[str, str]]:
    """(action, subject) of what was written, the oldest first; without what the houses' own furnishing left."""
    with house.database.session(house.id) as session:
        rows = session.scalars(audit.entries(session).order_by(audit.AuditEntry.id)).all()
    return [(row.action, row.subject) for row in rows if row.action not in FURNISHING]


FURNISHING = {"POST /v1/payment-methods/setup", "POST /v1/payment-gateways"}
ONCE = {"Idempotency-Key": "once"}


def test_pay_now_leaves_one_entry_however_often_it_is_asked(house: House) -> None:
    method, invoice = house.save_method("sandbox_ok"), house.issue(1000, due="2027-02-19")
    path, body = f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}
    first, again = (house.owner.post(path, body, headers=ONCE) for _ in range(2))
    assert (first.status_code, again.status_code, again.json["id"]) == (201, 201, first.json["id"])
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert entries(house) == [("payment.started", f"{invoice}/{first.json['id']}")]


def test_money_by_hand_leaves_one_entry(house: House) -> None:
    invoice = house.issue(1000, due="2027-02-19")
    for _ in range(2):
        house.owner.post(f"/v1/invoices/{invoice}/payments", {"method": "cash"}, headers=ONCE)
    assert entries(house) == [("POST /v1/invoices/{invoice_id}/payments", invoice)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_at_the_provider_has_left_its_entry(stripe_house: StripeHouse, moment: str) -> None:
    house, method = stripe_house.house, stripe_house.save_method()
    invoice = house.issue(1000, due="2027-02-19")
    path, body = f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}
    getattr(stripe_house.accidents, f"{moment}_charge").append(Accidents.kill)
    with pytest.raises(Killed):
        house.owner.post(path, body, headers=ONCE)
    again = house.owner.post(path, body, headers=ONCE)
    assert again.status_code == 201
    assert entries(house) == [("payment.started", f"{invoice}/{again.json['id']}")]


def test_a_refund_leaves_one_entry_also_when_the_process_is_killed(stripe_house: StripeHouse) -> None:
    house, method = stripe_house.house, stripe_house.save_method()
    invoice = house.issue(1000, due="2027-02-19")
    payment = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json["id"]
    stripe_house.accidents.after_refund.append(Accidents.kill)
    path, body = f"/v1/payments/{payment}/refunds", {"amount": euro(300)}
    with pytest.raises(Killed):
        house.owner.post(path, body, headers=ONCE)
    again = house.owner.post(path, body, headers=ONCE).json["id"]
    assert entries(house)[1:] == [("refund.started", f"{payment}/{again}")]


def test_a_test_charge_leaves_one_entry(house: House) -> None:
    gateway = house.owner.get("/v1/payment-gateways").json["items"][0]["id"]
    made = [house.owner.post(f"/v1/payment-gateways/{gateway}/test-charge", {}, headers=ONCE) for _ in range(2)]
    (first, again) = (each.json["payment"]["id"] for each in made)
    assert first == again
    assert entries(house) == [("test_charge.started", f"{gateway}/{first}")]


def test_connecting_and_saving_a_method_twice_with_one_key_leave_one_entry_each(house: House) -> None:
    bodies: dict[str, Any] = {
        "/v1/payment-gateways": {"provider": "manual"},
        "/v1/payment-methods/setup": {"member_id": house.member, "token": "sandbox_ok"},
    }
    for path, body in bodies.items():
        first, again = (house.owner.post(path, body, headers=ONCE) for _ in range(2))
        assert (first.status_code, again.json["id"]) == (201, first.json["id"])
    with house.database.session(house.id) as session:
        actions = [row.action for row in session.scalars(audit.entries(session))]
    assert sorted(actions) == sorted(f"POST {path}" for path in bodies)
