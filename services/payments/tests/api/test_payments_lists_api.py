"""Lists name their customers in a fixed number of statements, and are filtered by state, customer and day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from payments_house import House
from sqlalchemy import event

from common.ids import decode_id
from contracts.members import MemberChanged
from contracts.parts import Customer


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(house.database.engine, "before_cursor_execute", note)


def with_payment(house: House, name: str, due: str = "2027-02-19", token: str = "sandbox_ok") -> str:
    """A new member with a method and a paid invoice; the invoice's id."""
    house.member = house.add_member(display_name=name)
    method = house.save_method(token)
    customer = Customer(member_id=decode_id("mem", house.member), name="As the invoice had it")
    invoice = house.issue(1000, due=due, customer=customer)
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    return invoice


LISTS = ("/v1/payments", "/v1/payment-methods", "/v1/collections?state=done")


@pytest.mark.parametrize("path", LISTS)
def test_every_line_names_its_customer_and_no_line_costs_a_statement(house: House, path: str) -> None:
    with_payment(house, "Ada")
    with statements(house) as few:
        assert [item["customer_name"] for item in house.owner.get(path).json["items"]] == ["Ada"]
    for name in ("Bob", "Cleo", "Dan"):
        with_payment(house, name)
    with statements(house) as many:
        shown = house.owner.get(path).json["items"]
    assert sorted(item["customer_name"] for item in shown) == ["Ada", "Bob", "Cleo", "Dan"]
    assert len(many) == len(few)


def test_a_customer_who_changed_their_name_has_the_new_one_everywhere(house: House) -> None:
    invoice = with_payment(house, "Ada")
    member = decode_id("mem", house.member)
    house.tell(MemberChanged(member_id=member, display_name="Ada King", email="ada@example.com", version=2))
    (payment,) = house.payments(invoice)
    shown = [house.owner.get(path).json["items"][0]["customer_name"] for path in LISTS]
    assert [*shown, house.owner.get(f"/v1/payments/{payment['id']}").json["customer_name"]] == ["Ada King"] * 4


def test_a_test_charge_is_nobodys(house: House) -> None:
    gateway = house.owner.get("/v1/payment-gateways").json["items"][0]["id"]
    house.owner.post(f"/v1/payment-gateways/{gateway}/test-charge", {})
    assert [item["customer_name"] for item in house.owner.get("/v1/payments").json["items"]] == [None]


def test_payments_are_listed_by_state_customer_and_day(house: House) -> None:
    with_payment(house, "Ada")
    house.advance("2027-02-03T12:00:00Z")
    with_payment(house, "Bob", token="sandbox_declined")

    def names(query: str) -> list[str]:
        return sorted(item["customer_name"] for item in house.owner.get(f"/v1/payments?{query}").json["items"])

    assert names("state=failed") == ["Bob"]
    assert names(f"member_id={house.member}") == ["Bob"]
    assert names("from=2027-02-02") == ["Bob"]
    assert names("to=2027-02-01") == ["Ada"]
    assert names("from=2027-02-01&to=2027-02-03") == ["Ada", "Bob"]
    assert house.owner.get("/v1/payments?state=lost").status_code == 422
    assert house.owner.get("/v1/payments?from=yesterday").status_code == 422


def test_collections_are_listed_by_state_customer_and_due_date(house: House) -> None:
    house.switch_on()
    for name, due in (("Ada", "2027-02-19"), ("Bob", "2027-02-26")):
        house.member = house.add_member(display_name=name)
        house.issue(1000, due=due, customer=Customer(member_id=decode_id("mem", house.member)))

    def names(query: str) -> list[str]:
        return [item["customer_name"] for item in house.owner.get(f"/v1/collections?{query}").json["items"]]

    assert names("state=awaiting_method") == ["Ada", "Bob"]
    assert names("from=2027-02-20") == ["Bob"]
    assert names("to=2027-02-25") == ["Ada"]
    assert names(f"member_id={house.member}") == ["Bob"]
    assert house.owner.get("/v1/collections?state=lost").status_code == 422


def test_methods_are_listed_by_kind_and_by_their_last_day(house: House) -> None:
    for token in ("sandbox_expires_2027_04", "sandbox_ok", "sandbox_sepa"):
        house.save_method(token)

    def kinds(query: str) -> list[str]:
        return sorted(item["kind"] for item in house.owner.get(f"/v1/payment-methods?{query}").json["items"])

    assert kinds("kind=sepa_debit") == ["sepa_debit"]
    assert kinds("expires_before=2027-05-01") == ["card"]
    assert kinds("expires_before=2027-04-30") == []
    assert kinds("state=active") == ["card", "card", "sepa_debit"]
    assert house.owner.get("/v1/payment-methods?kind=gold").status_code == 422
