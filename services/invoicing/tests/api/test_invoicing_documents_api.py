"""Manual invoices, drafts, voids, credit notes and files, through the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from common.ids import encode_id
from contracts.invoicing import CreditNoteIssued, InvoiceIssued, InvoiceVoided


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


SETUP = {
    "description": "Setup",
    "quantity": "3",
    "unit_price": euro(1003),
    "discount_percent": "10",
    "tax_percent": "19",
    "tax_category": "S",
}


def test_the_manual_invoice_of_the_api_page(house: Any) -> None:
    """3 x 10.03 less 10 % = 27.08; less 5.00 = 22.08; 19 % = 4.20 (TAX-2, TAX-4)."""
    body = {
        "member_id": house.mem,
        "lines": [SETUP],
        "discounts": [{"amount": euro(500), "tax_percent": "19"}],
        "issue": True,
    }
    made = house.post("/v1/invoices", body)
    assert (made["number"], made["state"], made["payment_state"]) == ("INV-2027-00001", "open", "unpaid")
    assert (made["subtotal"], made["tax_total"], made["total"], made["payable"]) == (
        euro(2208),
        euro(420),
        euro(2628),
        euro(2628),
    )
    assert made["tax_breakdown"] == [
        {"category": "S", "percent": "19", "name": "", "reason": "", "taxable": euro(2208), "tax": euro(420)}
    ]
    assert house.get(f"/v1/invoices/{made['id']}") == made


def test_inclusive_prices_keep_their_gross(house: Any) -> None:
    """TAX-2: 10.00 at 20 % is 8.33 + 1.67."""
    house.set(prices_include_tax=True, tax_percent="20")
    made = house.post(
        "/v1/invoices", {"member_id": house.mem, "lines": [{"description": "x", "unit_price": euro(1000)}]}
    )
    assert (made["subtotal"], made["tax_total"], made["total"]) == (euro(833), euro(167), euro(1000))


def test_a_draft_is_changed_issued_and_then_fixed(house: Any) -> None:
    """DOC-1, DOC-2: no number before the issue, no change after it."""
    draft = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP], "issue": False})
    assert (draft["state"], draft["number"]) == ("draft", None)
    path = f"/v1/invoices/{draft['id']}"
    assert house.api.get(f"{path}/pdf").status_code == 409
    changed = house.api.patch(path, {"note": "Thank you", "lines": [{**SETUP, "quantity": "1"}]})
    assert (changed.json["note"], changed.json["subtotal"], changed.json["version"]) == ("Thank you", euro(903), 2)
    assert house.messages(InvoiceIssued) == []
    issued = house.post(f"{path}/issue", {}, 200)
    assert (issued["number"], issued["state"], issued["id"]) == ("INV-2027-00001", "open", draft["id"])
    assert house.api.patch(path, {"note": "x"}).status_code == 409
    assert house.api.delete(path).status_code == 409
    assert len(house.messages(InvoiceIssued)) == 1


def test_all_unbilled_items_go_onto_one_invoice_and_a_dropped_draft_frees_them(house: Any) -> None:
    house.advance(datetime(2027, 2, 20, 9, 0, tzinfo=UTC))
    house.join("2027-02-20")
    house.feed(house.booking())
    fee = {"member_id": house.mem, "name": "Printing", "price": euro(250), "quantity": "2"}
    house.post("/v1/fees", fee)
    house.post("/v1/fees", {**fee, "date": "2027-02-21"})
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    amounts = sorted(line["net"]["amount_minor"] for line in draft["lines"])
    assert amounts == [500, 4500, 9643]
    assert house.api.post("/v1/invoices", {"member_id": house.mem}).json["code"] == "nothing_to_invoice"
    assert house.api.delete(f"/v1/invoices/{draft['id']}").status_code == 204
    made = house.post("/v1/invoices", {"member_id": house.mem})
    assert sorted(line["net"]["amount_minor"] for line in made["lines"]) == amounts
    assert made["number"] == "INV-2027-00001"


def test_new_lines_of_a_draft_leave_what_it_bills_besides(house: Any) -> None:
    """A fee charged by hand looks like a line written by hand, and would never be billed without its line."""
    house.post("/v1/fees", {"member_id": house.mem, "name": "Key", "price": euro(777), "bill_in_advance": True})
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    changed = house.api.patch(f"/v1/invoices/{draft['id']}", {"lines": [{**SETUP, "quantity": "1"}]}).json
    assert [line["net"]["amount_minor"] for line in changed["lines"]] == [777, 903]
    again = house.api.patch(f"/v1/invoices/{draft['id']}", {"lines": [{**SETUP, "quantity": "2"}]}).json
    assert [line["net"]["amount_minor"] for line in again["lines"]] == [777, 1805]


def test_a_void_keeps_its_number_and_frees_its_items(house: Any) -> None:
    """DOC-3."""
    house.join("2027-02-12")
    (first,) = house.post("/v1/billing-runs", {"as_of": "2027-02-12"})["invoices"]
    void = house.post(f"/v1/invoices/{first['id']}/void", {"reason": "wrong price"}, 200)
    assert (void["state"], void["number"]) == ("void", "INV-2027-00001")
    assert house.api.post(f"/v1/invoices/{first['id']}/void").status_code == 409
    (again,) = house.post("/v1/billing-runs", {"as_of": "2027-02-12"})["invoices"]
    assert (again["number"], again["total"]) == ("INV-2027-00002", euro(18214))
    assert len(house.messages(InvoiceVoided)) == 1


def test_partial_credit_notes_add_up_and_a_full_one_nets_to_zero(house: Any) -> None:
    """TAX-5, DOC-5."""
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP, SETUP]})
    path = f"/v1/invoices/{made['id']}/credit-notes"
    line = made["lines"][0]["id"]
    part = house.post(path, {"lines": [{"invoice_line_id": line, "amount": euro(1000)}], "reason": "goodwill"})
    assert (part["number"], part["total"], part["allocated"]) == ("CN-2027-00001", euro(1190), euro(1190))
    too_much = house.api.post(path, {"lines": [{"invoice_line_id": line, "amount": euro(2000)}]})
    assert (too_much.status_code, too_much.json["code"]) == (422, "credit_exceeds_line")
    rest = house.post(path)
    shown = house.get(f"/v1/invoices/{made['id']}")
    assert part["total"]["amount_minor"] + rest["total"]["amount_minor"] == made["total"]["amount_minor"]
    assert (shown["state"], shown["credited"], shown["payable"]) == ("paid", made["total"], euro(0))
    assert house.api.post(path).json["code"] == "nothing_to_credit"
    assert len(house.get("/v1/credit-notes")["items"]) == 2


def test_a_credit_on_a_paid_invoice_is_kept_allocated_or_refunded(house: Any) -> None:
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    house.feed(house.payment(made))
    note = house.post(f"/v1/invoices/{made['id']}/credit-notes")
    total = made["total"]["amount_minor"]
    assert (note["allocated"], note["to_account_credit"]) == (euro(0), made["total"])
    back = house.post(f"/v1/credit-notes/{note['id']}/refund", {"amount": euro(1000)}, 200)
    assert (back["refund"], back["to_account_credit"]) == (euro(1000), euro(total - 1000))
    assert [n.refund.amount_minor for n in house.messages(CreditNoteIssued)] == [0, 1000]
    other = house.post(
        "/v1/invoices",
        {"member_id": house.mem, "lines": [{"description": "x", "unit_price": euro(100)}]},
    )
    assert other["state"] == "paid"
    assert house.api.post(f"/v1/credit-notes/{note['id']}/refund", {"amount": euro(total)}).status_code == 409


def test_what_is_left_of_a_credit_note_falls_with_each_use_doc_5(house: Any) -> None:
    """Allocated by hand, laid on at an issue, given back; and it rises when an invoice with some of it is voided."""

    def line(amount: int) -> dict[str, Any]:
        return {"member_id": house.mem, "lines": [{"description": "x", "unit_price": euro(amount)}]}

    waiting = house.post("/v1/invoices", line(1000))
    made = house.post("/v1/invoices", line(5000))
    house.feed(house.payment(made))
    note = house.post(f"/v1/invoices/{made['id']}/credit-notes")
    path = f"/v1/credit-notes/{note['id']}"

    def left() -> int:
        (listed,) = house.get("/v1/credit-notes")["items"]
        shown = house.get(path)
        assert (shown["left"], shown["to_account_credit"]) == (listed["left"], listed["to_account_credit"])
        return int(shown["left"]["amount_minor"])

    assert left() == 5000
    laid = house.post(f"{path}/allocations", {"invoice_id": waiting["id"], "amount": euro(800)}, 200)
    assert (laid["left"], laid["to_account_credit"]) == (euro(4200), euro(5000))
    other = house.post("/v1/invoices", line(700))
    assert (other["state"], left()) == ("paid", 3500)
    house.post(f"{path}/refund", {"amount": euro(1500)}, 200)
    assert left() == 2000
    house.post(f"/v1/invoices/{waiting['id']}/void", {"reason": "wrong"}, 200)
    assert left() == 2800
    refused = house.api.post(f"{path}/refund", {"amount": euro(2801)})
    assert (refused.status_code, left()) == (409, 2800)


def test_the_pdf_is_the_same_bytes_each_time(house: Any) -> None:
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    first, second = (house.api.get(f"/v1/invoices/{made['id']}/pdf") for _ in range(2))
    assert first.content_type == "application/pdf"
    assert first.data == second.data
    assert first.data.startswith(b"%PDF")


def test_sending_needs_an_address_and_can_be_repeated(house: Any) -> None:
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    sent = house.post(f"/v1/invoices/{made['id']}/send", {}, 200)
    assert sent["sent_to"] == "member@example.com"
    assert (
        house.post(f"/v1/invoices/{made['id']}/send", {"to": "else@example.com"}, 200)["sent_to"] == "else@example.com"
    )
    house.member = house.add_member(email=None)
    silent = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    assert house.api.post(f"/v1/invoices/{silent['id']}/send").json["code"] == "no_email"


def test_members_see_their_own_and_billing_persons_their_companys(house: Any) -> None:
    """ACC-1."""
    company = house.add_company()
    mine = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    theirs = house.post("/v1/invoices", {"company_id": encode_id("com", company), "lines": [SETUP]})
    me = house.sign_in(house.app, house.organization_id, "member", member=str(house.member), company=str(company))
    assert [i["id"] for i in me.get("/v1/invoices").json["items"]] == [mine["id"]]
    assert me.get(f"/v1/invoices/{theirs['id']}").status_code == 404
    assert me.get(f"/v1/invoices/{theirs['id']}/pdf").status_code == 404
    assert me.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]}).status_code == 403
    payer = house.sign_in(
        house.app,
        house.organization_id,
        "member",
        member=str(house.member),
        company=str(company),
        billing_person=True,
    )
    assert len(payer.get("/v1/invoices").json["items"]) == 2


def test_another_organisation_sees_nothing(house: Any, build_house: Any) -> None:
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    stranger = build_house()
    assert stranger.api.get(f"/v1/invoices/{made['id']}").status_code == 404
    assert stranger.api.post(f"/v1/invoices/{made['id']}/void").status_code == 404
    refused = stranger.api.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP]})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"lines": []},
        {"lines": [{**SETUP, "unit_price": {"amount_minor": 1, "currency": "USD"}}]},
        {"lines": [{**SETUP, "tax_category": "AE"}]},
        {"lines": [{**SETUP, "tax_category": "X"}]},
        {"lines": [{**SETUP, "quantity": "0"}]},
        {"lines": [{**SETUP, "colour": "red"}]},
        {"discounts": [{"percent": "10", "amount": euro(1)}]},
        {"discounts": [{"amount": euro(1), "tax_percent": "7"}]},
        {"issue_date": "2027-02-02"},
        {"due_date": "2027-01-01"},
        {"member_id": None, "company_id": None},
        {"member_id": "nobody"},
        {"issue": "yes please"},
    ],
)
def test_a_faulty_invoice_is_refused_and_nothing_is_kept(house: Any, change: dict[str, Any]) -> None:
    answer = house.api.post("/v1/invoices", {"member_id": house.mem, "lines": [SETUP], **change})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.json
    assert house.invoices() == []


def test_a_purchase_paid_now_is_one_invoice_collected_at_once(house: Any) -> None:
    day_pass = house.add_plan(2500, kind="one_off", display_name="Day pass", passes=1)
    items = [
        {"plan_id": encode_id("pln", day_pass), "quantity": "2"},
        {"plan_id": encode_id("pln", house.plan), "start_date": "2027-02-12"},
    ]
    made = house.post("/v1/purchases", {"member_id": house.mem, "items": items, "pay": "now"})
    assert made["invoice"]["total"] == euro(5000 + 18214)
    assert (len(made["memberships"]), len(made["fees"])) == (1, 1)
    (issued,) = house.messages(InvoiceIssued)
    assert (issued.collect_now, issued.due_date) == (True, issued.issue_date)
    later = house.post("/v1/purchases", {"member_id": house.mem, "items": items[:1], "pay": "on_invoice"})
    assert (later["invoice"], later["fees"][0]["status"]) == (None, "unbilled")


def test_an_amended_fee_is_credited_and_charged_anew_in_one_command(house: Any) -> None:
    """DOC-6."""
    fee = house.post("/v1/fees", {"member_id": house.mem, "name": "Printing", "price": euro(1000)})
    house.post("/v1/fees", {"member_id": house.mem, "name": "Locker", "price": euro(500)})
    made = house.post("/v1/invoices", {"member_id": house.mem})
    amended = house.post(f"/v1/fees/{fee['id']}/amendment", {"price": euro(800)})
    assert amended["credit_note_id"].startswith("crn_")
    assert (amended["fee"]["price"], amended["fee"]["status"]) == (euro(800), "unbilled")
    assert house.get(f"/v1/invoices/{made['id']}")["payable"] == euro(500)
