"""Messages twice and in any order leave the same state; each switch and choice has its effect."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from payments_house import House, envelope, euro
from sqlalchemy import select

from common.ids import decode_id, encode_id, new_id
from common.messaging import Message
from common.money import Money
from contracts.invoicing import (
    BillingSettingsChanged,
    CreditNoteIssued,
    InvoiceChanged,
    InvoiceIssued,
    InvoicePaid,
    InvoiceVoided,
)
from contracts.members import CompanyChanged, MemberChanged
from contracts.parts import Customer
from payments.models import Collection, Invoice


def snapshot(house: House) -> list[tuple[Any, ...]]:
    """What the messages left behind, apart from ids."""
    with house.database.session(house.id) as session:
        statement = select(Invoice, Collection).join(Collection, Collection.id == Invoice.id).order_by(Invoice.number)
        return [
            (i.number, i.state, i.payable.amount_minor, i.version, c.state, c.due_at, c.next_attempt_at)
            for i, c in session.execute(statement)
        ]


def a_history(house: House) -> list[Message]:
    """Settings and people that change, three invoices that are issued, changed, paid and voided."""
    member = decode_id("mem", house.member)
    settings = {"automatic_generation": True, "automatic_sending": True, "pay_now": True, "payment_terms_days": 7}
    history: list[Message] = [
        BillingSettingsChanged(**settings, automatic_collection=False, charge_hour=9, version=1),
        BillingSettingsChanged(**settings, automatic_collection=True, charge_hour=7, retry_days=[2], version=2),
        MemberChanged(member_id=member, display_name="Example Member", auto_collect=False, version=2),
        MemberChanged(member_id=member, display_name="Example Member", version=3),
        CompanyChanged(company_id=new_id(), display_name="Example Company", version=1),
    ]
    for number, last in enumerate((InvoicePaid, InvoiceVoided, None)):
        issued = house.invoice_message(1000 + number, due="2027-02-19", number=f"INV-2027-0000{number}")
        half = msgspec.structs.replace(
            issued, credited=Money(400, "EUR"), payable=Money(600 + number, "EUR"), version=2
        )
        history += [issued, _as(InvoiceChanged, half)]
        if last is not None:
            nothing = {"payable": Money(0, "EUR"), "version": 3}
            more = {"paid_at": house.now()} if last is InvoicePaid else {}
            state = "paid" if last is InvoicePaid else "void"
            history.append(_as(last, msgspec.structs.replace(half, state=state, **nothing), **more))
    return history


def _as(kind: type[Any], message: Any, **more: Any) -> Any:
    fields = {name: getattr(message, name) for name in InvoiceIssued.__struct_fields__}
    return kind(**fields, **more)


@pytest.mark.parametrize("seed", range(6))
def test_messages_twice_and_in_any_order_leave_the_same_state(house: House, seed: int) -> None:
    history = [envelope(message, house.id) for message in a_history(house)]
    shuffled = [*history, *history, *(replace(each, message_id=new_id()) for each in history)]
    random.Random(seed).shuffle(shuffled)
    for each in shuffled:
        assert house.consumer.handle(each).settled
    left = [row[:5] for row in snapshot(house)]
    assert left == [
        ("INV-2027-00000", "paid", 0, 3, "done"),
        ("INV-2027-00001", "void", 0, 3, "done"),
        ("INV-2027-00002", "open", 602, 2, "awaiting_method"),
    ]
    assert snapshot(house)[2][5].isoformat() == "2027-02-19T06:00:00+00:00", "07:00 in Berlin"


def test_a_customers_own_choice_stops_automatic_collection(house: House) -> None:
    house.save_method("sandbox_ok")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    member = decode_id("mem", house.member)
    house.tell(MemberChanged(member_id=member, display_name="Example Member", auto_collect=False, version=2))
    house.advance("2027-03-19T08:00:00Z")
    assert house.payments(invoice) == []


def test_turning_the_switch_off_stops_what_was_planned(house: House) -> None:
    house.save_method("sandbox_ok")
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19")
    house.switch_on(automatic=False)
    house.advance("2027-03-19T08:00:00Z")
    assert house.payments(invoice) == []


def test_an_invoice_to_be_collected_now_is_charged_at_once(house: House) -> None:
    house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-03-19", collect=False, collect_now=True)
    house.run()
    assert [payment["state"] for payment in house.payments(invoice)] == ["succeeded"]


def test_a_guests_checkout_is_not_charged_to_the_card_of_whoever_has_that_address(house: House) -> None:
    """GH-1: a card for a single use pays it, and is never collected with."""
    house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-03-19", collect=False, collect_now=True, checkout_id=new_id())
    house.run()
    assert house.payments(invoice) == []


def test_a_company_pays_with_its_own_method(house: House) -> None:
    company = new_id()
    house.tell(CompanyChanged(company_id=company, display_name="Example Company", version=1))
    house.save_method("sandbox_declined")
    public_id = encode_id("com", company)
    made = house.owner.post("/v1/payment-methods/setup", {"company_id": public_id, "token": "sandbox_ok"})
    assert made.status_code == 201, made.json
    house.switch_on()
    invoice = house.issue(1000, due="2027-02-19", customer=Customer(company_id=company, name="Example Company"))
    house.advance("2027-02-19T08:00:00Z")
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["company_id"]) == ("succeeded", public_id)


def test_what_was_paid_is_not_payable_before_and_after_invoicing_counts_it(house: House) -> None:
    method = house.save_method("sandbox_ok")
    issued = house.invoice_message(1000, due="2027-02-19")
    house.tell(issued)
    invoice = encode_id("inv", issued.invoice_id)
    path = f"/v1/invoices/{invoice}/payments"
    assert house.owner.post(path, {"method": "cash", "amount": euro(300)}).status_code == 201
    late = msgspec.structs.replace(issued, credited=Money(200, "EUR"), payable=Money(800, "EUR"), version=2)
    house.tell(_as(InvoiceChanged, late))
    counted = msgspec.structs.replace(late, paid=Money(300, "EUR"), payable=Money(500, "EUR"), version=3)
    house.tell(_as(InvoiceChanged, counted))
    assert house.owner.post(path, {"payment_method_id": method}).json["amount"] == euro(500)


@pytest.mark.parametrize("times", [1, 3])
def test_doc_5_a_credit_note_gives_back_what_it_says_once(house: House, times: int) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    note = CreditNoteIssued(
        credit_note_id=new_id(),
        number="CRN-2027-00001",
        invoice_id=decode_id("inv", invoice),
        invoice_number="INV-2027-00001",
        customer=Customer(member_id=decode_id("mem", house.member)),
        issue_date=house.now().date(),
        total=Money(700, "EUR"),
        allocated=Money(0, "EUR"),
        to_account_credit=Money(200, "EUR"),
        refund=Money(500, "EUR"),
        invoice_payable=Money(0, "EUR"),
        version=1,
    )
    for _ in range(times):
        house.tell(note)
    house.tell(msgspec.structs.replace(note, refund=Money(600, "EUR"), version=2))
    house.run()
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["refunded"]) == ("partially_refunded", euro(600))
    again = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    assert again.json["code"] == "invoice_paid", "a refund with a credit note leaves nothing payable"
