"""Money that goes back, programs that are told again, and people out of a file: all in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from portal_walks import Space, press
from story import euro

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def bill(space: Space, minor: int, what: str = "Printing", **more: Any) -> dict[str, Any]:
    """An issued invoice of one line; each is for a member of its own, so that no credit lowers another's."""
    line = {"description": what, "unit_price": euro(minor), "tax_percent": "0"}
    return dict(space.owner.post("/v1/invoices", {"lines": [line], "issue": True, **more}))


def new_member(space: Space, name: str) -> str:
    return str(space.owner.post("/v1/members", {"name": name, "email": f"{name.lower()}@harbour.example"})["id"])


def take_cash(space: Space, invoice: dict[str, Any]) -> None:
    body = {"method": "cash", "amount": invoice["payable"]}
    space.owner.post(f"/v1/invoices/{invoice['id']}/payments", body)


def credit_all(page: Page, invoice: dict[str, Any]) -> None:
    """A credit note of the whole invoice, and on to its page."""
    page.goto(f"/admin/invoices/{invoice['id']}")
    page.get_by_label("Reason").fill("Too much")
    press(page, "Make a credit note")
    expect(page.get_by_role("status").filter(has_text="is made.")).to_be_visible()
    page.goto("/admin/credit-notes")
    page.get_by_role("main").get_by_role("link", name="CN-").first.click()
    expect(page.get_by_text("To the customer's account")).to_be_visible()


def test_a_credit_note_of_a_paid_invoice_is_paid_back(page: Page, space: Space) -> None:
    invoice = bill(space, 5000, member_id=new_member(space, "Brigitte"))
    take_cash(space, invoice)
    credit_all(page, invoice)
    press(page, "Give back what is left")
    expect(page.get_by_text("The money is on its way back.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Given back")
    expect(page.get_by_text("To the customer's account")).to_have_count(0)


def test_what_was_credited_pays_another_open_invoice(page: Page, space: Space) -> None:
    member = new_member(space, "Carla")
    paid, other = bill(space, 4000, member_id=member), bill(space, 2500, "Locker", member_id=member)
    take_cash(space, paid)
    credit_all(page, paid)
    page.get_by_label("Use it for an open invoice").select_option(other["id"])
    press(page, "Use it")
    expect(page.get_by_text("The invoice is credited.")).to_be_visible()
    expect(page.get_by_label("Use it for an open invoice")).to_have_count(0)
    used = space.owner.get(f"/v1/invoices/{other['id']}")
    assert (used["state"], used["credited"], used["payable"]) == ("paid", euro(2500), euro(0))
    press(page, "Give back what is left")
    expect(page.get_by_text("The money is on its way back.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Given back€15.00")


def test_a_deposit_is_kept_in_part_and_given_back_from_the_members_page(page: Page, space: Space) -> None:
    member = new_member(space, "Dorothea")
    space.owner.post("/v1/fees", {"member_id": member, "name": "Key", "price": euro(5000), "is_refundable": True})
    take_cash(space, space.owner.post("/v1/invoices", {"member_id": member, "issue": True}))
    page.goto(f"/admin/members/{member}/money")
    row = page.get_by_role("row").filter(has_text="Key")
    expect(row).to_contain_text("€50.00")
    row.get_by_role("link", name="Settle").click()
    page.get_by_label("Keep it").check()
    page.get_by_label("Amount").fill("20")
    press(page, "Save")
    expect(row).to_contain_text("€30.00")
    row.get_by_role("link", name="Settle").click()
    press(page, "Save")
    expect(row).to_contain_text("€0.00")
    assert space.owner.get(f"/v1/deposits?member_id={member}")["items"][0]["held"] == euro(0)


def test_members_out_of_a_file_are_looked_at_with_their_faults_and_then_taken_in(page: Page, space: Space) -> None:
    lines = "name,email\nElsa Berg,elsa@harbour.example\nFritz Nowhere,not an address\n"
    page.goto("/admin/members/import")
    page.get_by_label("CSV file").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    )
    press(page, "Look at it first")
    expect(page.get_by_role("heading", name="1 of 2 rows are good")).to_be_visible()
    fault = page.get_by_role("table", name="Rows with faults").get_by_role("row").last
    expect(fault).to_contain_text("3")
    expect(fault).to_contain_text("email")
    assert not space.owner.get("/v1/members?q=elsa")["items"], "a look takes nobody in"
    press(page, "Take 1 row in")
    expect(page.get_by_text("1 row is taken in.")).to_be_visible()
    expect(page.get_by_role("table", name="Rows with faults")).to_contain_text("email")
    found = space.owner.get("/v1/members?q=elsa")["items"]
    assert [member["name"] for member in found] == ["Elsa Berg"]
    assert not space.owner.get("/v1/members?q=fritz")["items"]


def test_a_delivery_is_sent_again_from_the_log(page: Page, space: Space) -> None:
    body = {"url": "https://door.example/hook", "event_types": ["member-changed"]}
    endpoint = space.owner.post("/v1/webhook-endpoints", body)["id"]
    page.goto(f"/admin/webhook-endpoints/{endpoint}")
    press(page, "Send a test")
    expect(page.get_by_text("A test is on its way; see below how it went.")).to_be_visible()
    log = f"/v1/webhook-endpoints/{endpoint}/deliveries"
    delivery = space.owner.get(log)["items"][0]["id"]
    page.goto(f"/admin/webhook-endpoints/{endpoint}")
    page.get_by_role("main").locator(f"a[href$='{delivery}']").first.click()
    tries = page.get_by_role("table", name="Attempts").get_by_role("row")
    expect_tries(page, tries, 1)
    press(page, "Send again")
    expect(page.get_by_text("It is delivered again.")).to_be_visible()
    expect_tries(page, tries, 2)


def expect_tries(page: Page, tries: Any, count: int) -> None:
    """The log holds so many attempts, perhaps in a moment: nobody answers there, and each is written down."""
    for _ in range(40):
        if tries.count() > count:
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(page.get_by_role("main").inner_text())
