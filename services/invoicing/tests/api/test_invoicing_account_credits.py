"""Money held for customers is listed: where it came from, and what is left of it (PAY-4)."""

from __future__ import annotations

from typing import Any

from common.ids import encode_id

PATH = "/v1/account-credits"


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def invoice(house: Any, amount: int) -> Any:
    lines = [{"description": "x", "unit_price": euro(amount)}]
    return house.post("/v1/invoices", {"member_id": house.mem, "lines": lines})


def test_an_overpayment_and_a_credit_note_are_listed_and_fall_as_invoices_use_them_pay_4(house: Any) -> None:
    first, second = invoice(house, 5000), invoice(house, 2000)
    house.feed(house.payment(first, amount_minor=5700), house.payment(second))
    note = house.post(f"/v1/invoices/{second['id']}/credit-notes")
    shown = house.get(f"{PATH}?member_id={house.mem}")["items"]
    assert [(each["source"], each["invoice_id"], each["credit_note_id"]) for each in shown] == [
        ("credit_note", None, note["id"]),
        ("overpayment", first["id"], None),
    ]
    assert [(each["amount"], each["left"], each["customer_name"]) for each in shown] == [
        (euro(2000), euro(2000), "Example Member"),
        (euro(700), euro(700), "Example Member"),
    ]
    assert invoice(house, 900)["state"] == "paid"
    assert [each["left"]["amount_minor"] for each in house.get(PATH)["items"]] == [1800, 0]
    assert [each["source"] for each in house.get(f"{PATH}?is_left=true")["items"]] == ["credit_note"]
    assert [each["source"] for each in house.get(f"{PATH}?is_left=false")["items"]] == ["overpayment"]
    assert house.get(f"{PATH}?q=nobody")["items"] == []


def test_members_see_the_account_credit_of_their_own_only(house: Any) -> None:
    house.feed(house.payment(invoice(house, 1000), amount_minor=1500))
    other = house.add_member(display_name="Other")
    for member, seen in ((house.member, 1), (other, 0)):
        client = house.sign_in(house.app, house.organization_id, "member", member=str(member))
        assert len(client.get(PATH).json["items"]) == seen
        assert len(client.get(f"{PATH}?member_id={encode_id('mem', house.member)}").json["items"]) == seen
