"""A member who is erased: nothing here tells who it was, nothing is charged any more, and the sums stay."""

from __future__ import annotations

import json
from typing import Any

from payments_house import House
from sqlalchemy import select
from stripe_house import StripeHouse

from common.ids import decode_id
from contracts.invoicing import InvoiceChanged
from contracts.members import MemberChanged
from contracts.parts import Customer
from payments.models import Invoice, Payment, PaymentMethod, WebhookEvent


def erase(house: House) -> None:
    """As `members` tells it."""
    member_id = decode_id("mem", house.member)
    house.tell(MemberChanged(member_id=member_id, display_name="Erased member", status="erased", version=9))


def traces(house: House) -> str:
    """All that is stored of the member."""
    with house.database.session(house.id) as session:
        rows: list[Any] = [row.customer for kind in (Invoice, Payment) for row in session.scalars(select(kind))]
        rows += [[row.brand, row.last4] for kind in (Payment, PaymentMethod) for row in session.scalars(select(kind))]
        rows += [row.body.decode() for row in session.scalars(select(WebhookEvent))]
    return json.dumps(rows)


def known_customer(house: House) -> Customer:
    """Whom invoices are addressed to."""
    member_id = decode_id("mem", house.member)
    return Customer(member_id=member_id, name="Example Member", email="member@example.com", language="de")


def test_an_erased_members_card_is_forgotten_by_the_provider_and_charged_no_more(stripe_house: StripeHouse) -> None:
    house, double = stripe_house.house, stripe_house.double
    method = stripe_house.save_method()
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19", customer=known_customer(house))
    erase(house)
    house.advance("2027-02-20T12:00:00Z")
    assert house.owner.get(f"/v1/payment-methods/{method}").status_code == 404
    assert [made["customer"] for made in double._of("payment_method")] == [None]
    assert double._of("payment_intent") == []
    assert [payment["failure_code"] for payment in house.payments(invoice)] == ["payment_method_missing"]
    again = house.owner.post("/v1/payment-methods/setup", {"member_id": house.member, "token": "pm_card_visa"})
    assert again.status_code == 404


def test_an_erased_members_payments_keep_their_sums_and_lose_the_person(stripe_house: StripeHouse) -> None:
    house = stripe_house.house
    stripe_house.save_method()
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19", customer=known_customer(house))
    house.advance("2027-02-20T12:00:00Z")
    stripe_house.deliver_all()
    assert "member@example.com" in traces(house)
    assert "4242" in traces(house)
    erase(house)
    message = house.invoice_message(4500, due="2027-02-19", kind=InvoiceChanged, customer=known_customer(house))
    changed = {"invoice_id": decode_id("inv", invoice), "version": 7}
    house.tell(type(message)(**{**{name: getattr(message, name) for name in message.__struct_fields__}, **changed}))
    for trace in ("member@example.com", "Example Member", "4242", "visa"):
        assert trace not in traces(house)
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["amount"]["amount_minor"]) == ("succeeded", 4500)
    assert payment["customer_name"] == "Erased member"
