"""Money that came for a void invoice goes back once, however often and in whatever order it is asked (GH-2, PAY-5)."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from payments_house import House, euro
from sqlalchemy import delete

from common.ids import decode_id, new_id
from common.money import Money
from contracts.invoicing import RefundRequested
from payments.models import Customer, Payment


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_is_asked_back_goes_back_once(house: House, order: tuple[int, ...]) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    first = RefundRequested(
        request_id=new_id(), invoice_id=decode_id("inv", invoice), amount=Money(400, "EUR"), reason="late", version=2
    )
    asked = [first, msgspec.structs.replace(first, amount=Money(1000, "EUR"), version=3), first]
    for place in order:
        house.tell(asked[place])
    house.run()
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["refunded"]) == ("refunded", euro(1000))


@pytest.mark.parametrize("known", [False, True])
def test_a_refund_that_was_asked_for_and_fails_says_who_asked_and_stays_on_the_checklist(
    house: House, known: bool
) -> None:
    """A stranger's money is named as long as we have it, not for 30 days only; a customer's is their credit by then."""
    method = house.save_method("sandbox_refund_fails")
    invoice = house.issue(1000, due="2027-02-19")
    payment = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method}).json["id"]
    house.tell(asked_for := asking(invoice, 1000))
    house.run()
    house.advance("2027-02-05T08:00:00Z")
    (failed,) = house.messages("payment-refund-failed")
    assert (failed["request_id"], failed["refund"], failed["refunded"]) == (
        str(asked_for.request_id),
        euro(1000),
        euro(0),
    )
    assert house.owner.get("/v1/setup/payments").json["facts"]["refunds_failed"] == 1
    if not known:
        with house.database.session(house.id) as session:
            session.execute(delete(Customer).where(Customer.id == decode_id("mem", house.member)))
            session.commit()
    house.advance("2027-06-01T08:00:00Z")
    assert house.owner.get("/v1/setup/payments").json["facts"]["refunds_failed"] == (0 if known else 1)
    give_back_by_hand(house, payment)
    assert house.owner.get("/v1/setup/payments").json["facts"]["refunds_failed"] == 0


def asking(invoice: str, minor: int) -> RefundRequested:
    """What invoicing says when money came too late."""
    amount = Money(minor, "EUR")
    return RefundRequested(
        request_id=new_id(), invoice_id=decode_id("inv", invoice), amount=amount, reason="late", version=2
    )


def give_back_by_hand(house: House, payment: str) -> None:
    """Staff refund the payment once more, and this time it arrives."""
    with house.database.session(house.id) as session:
        row = session.get_one(Payment, decode_id("pay", payment))
        row.provider_reference = (row.provider_reference or "").replace("sandbox_refund_fails", "sandbox_ok")
        session.commit()
    given = house.owner.post(f"/v1/payments/{payment}/refunds", {}, headers={"Idempotency-Key": "by hand"})
    assert given.json["state"] == "succeeded", given.json


def test_no_more_goes_back_than_came(house: House) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    request = RefundRequested(
        request_id=new_id(), invoice_id=decode_id("inv", invoice), amount=Money(5000, "EUR"), reason="late", version=2
    )
    house.tell(request)
    house.run()
    (payment,) = house.payments(invoice)
    assert payment["refunded"] == euro(1000)
