"""Previews: every invoice to come, for whoever pays (BIL-5), with how each amount comes about."""

from __future__ import annotations

from typing import Any

from common.ids import encode_id


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def test_a_preview_of_a_member_has_what_they_pay_themselves_and_what_their_company_pays(house: Any) -> None:
    """BIL-5; each with how its amount came about."""
    company = house.add_company()
    mem = encode_id("mem", house.add_member(company_id=company))
    house.join("2027-02-01", member_id=mem)
    copies = {"member_id": mem, "name": "Copies", "price": euro(150), "quantity": "3", "is_personal": True}
    house.post("/v1/fees", copies)
    house.post("/v1/fees", {"member_id": mem, "name": "Key", "price": euro(100), "discount_percent": "10"})
    shown = house.post("/v1/invoices/preview", {"member_id": mem, "as_of": "2027-03-01"}, 200)["invoices"]
    made = [(each["company_id"] is not None, line["explain"]) for each in shown for line in each["lines"]]
    assert made == [
        (True, "full month"),
        (True, "full month"),
        (True, "10 % off"),
        (False, "3 × 1.50 EUR = 4.50 EUR."),
    ]


def test_a_member_previews_their_own_invoices_and_only_billing_persons_their_companys(house: Any) -> None:
    """ACC-1."""
    company = house.add_company()
    member = house.add_member(company_id=company)
    mem = encode_id("mem", member)
    house.join("2027-02-01", member_id=mem)
    house.join("2027-02-01", member_id=mem, is_personal=True)
    body = {"member_id": mem, "as_of": "2027-02-28"}

    def seen(*, billing_person: bool) -> list[str]:
        claims = {"member": str(member), "company": str(company), "billing_person": billing_person}
        api = house.sign_in(house.app, house.organization_id, role="member", **claims)
        shown = api.post("/v1/invoices/preview", body).json["invoices"]
        return [each["member_id"] or each["company_id"] for each in shown]

    assert seen(billing_person=False) == [mem]
    assert seen(billing_person=True) == [encode_id("com", company), mem]


def test_what_a_member_pays_themselves_is_invoiced_apart_from_their_company(house: Any) -> None:
    """By hand and by a run over one customer (BIL-5)."""
    company = house.add_company()
    mem = encode_id("mem", house.add_member(company_id=company))
    house.join("2027-02-01", member_id=mem)
    house.join("2027-02-01", member_id=mem, is_personal=True)
    by_hand = house.post("/v1/invoices", {"member_id": mem, "is_personal": True, "issue": False})
    assert (by_hand["member_id"], by_hand["company_id"]) == (mem, None)
    run = {"as_of": "2027-03-01", "member_id": mem}
    (own,) = house.post("/v1/billing-runs", {**run, "is_personal": True})["invoices"]
    assert (own["customer_id"], own["issue_date"]) == (mem, "2027-03-01")
    assert {i["customer_id"] for i in house.post("/v1/billing-runs", run)["invoices"]} == {encode_id("com", company)}
