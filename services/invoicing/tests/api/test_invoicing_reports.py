"""Reports add up to the documents, as JSON and CSV."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def line(amount_minor: int, account: str, description: str = "x") -> dict[str, Any]:
    return {"description": description, "unit_price": euro(amount_minor), "revenue_account": account}


def test_revenue_is_invoiced_less_credited_by_account(house: Any) -> None:
    made = house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(10000, "4400"), line(5000, "4300")]})
    void = house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(7000, "4400")]})
    house.post(f"/v1/invoices/{void['id']}/void", {}, 200)
    credit = {"lines": [{"invoice_line_id": made["lines"][0]["id"], "amount": euro(2500)}]}
    house.post(f"/v1/invoices/{made['id']}/credit-notes", credit)
    rows = house.get("/v1/reports/revenue?from=2027-01-01&to=2027-12-31")["items"]
    assert [(r["month"], r["revenue_account"], r["net"]["amount_minor"]) for r in rows] == [
        ("2027-02", "4300", 5000),
        ("2027-02", "4400", 7500),
    ]
    csv = house.api.get("/v1/reports/revenue?format=csv")
    assert csv.content_type.startswith("text/csv")
    assert "2027-02,4400,100.00,25.00,0.00,75.00" in csv.text
    assert house.api.get("/v1/reports/revenue?from=2027-02-02&to=2027-02-01").status_code == 422


def test_receivables_are_sorted_by_age(house: Any) -> None:
    house.set(payment_terms_days=0, reminders=[], block_bookings_after_days=None)
    house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(10000, "1")]})
    house.advance(datetime(2027, 3, 15, 12, tzinfo=UTC))
    house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(500, "1")]})
    (row,) = house.get("/v1/reports/receivables")["items"]
    assert (row["not_due"], row["days_31_60"], row["total"]) == (euro(500), euro(10000), euro(10500))


def test_recurring_revenue_counts_a_year_as_twelve_months(house: Any) -> None:
    house.join("2027-02-01")
    house.join("2027-01-01", plan=house.add_plan(120000, interval="year", display_name="Year"))
    house.join("2027-03-01")
    (row,) = house.get("/v1/reports/mrr?from=2027-01-15")["items"]
    assert (row["mrr"], row["new_mrr"], row["active_memberships"]) == (euro(40000), euro(30000), 2)


def test_a_paused_membership_recurs_no_more_and_is_not_lost(house: Any) -> None:
    house.join("2027-01-01")
    made = house.join("2027-01-01")
    house.post(f"/v1/memberships/{made['id']}/pause", {"from": "2027-02-01"}, 200)
    (row,) = house.get("/v1/reports/mrr?from=2027-01-15")["items"]
    assert (row["mrr"], row["active_memberships"], row["ended_memberships"]) == (euro(30000), 1, 0)
    (later,) = house.get("/v1/reports/mrr?from=2027-01-15&to=2027-01-31")["items"]
    assert later["mrr"] == euro(60000)


def test_unbilled_items_and_a_text_that_looks_like_a_formula(house: Any) -> None:
    house.post("/v1/fees", {"member_id": house.mem, "name": "=1+1", "price": euro(100), "quantity": "2.5"})
    (row,) = house.get("/v1/reports/unbilled-items")["items"]
    assert (row["amount"], row["next_invoice_on"]) == (euro(250), "2027-03-01")
    assert "'=1+1" in house.api.get("/v1/reports/unbilled-items?format=csv").text
    assert house.get("/v1/reports/deposits")["items"] == []
    member = house.sign_in(house.app, house.organization_id, "member", member=str(house.member))
    assert member.get("/v1/reports/unbilled-items").status_code == 403


def test_the_summary_says_in_one_look_what_the_reports_say(house: Any) -> None:
    house.set(payment_terms_days=0, reminders=[], block_bookings_after_days=None)
    house.join("2027-02-01")
    house.join("2027-01-01", plan=house.add_plan(120000, interval="year", display_name="Year"))
    house.join("2027-03-01")
    house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(10000, "1")]})
    house.advance(datetime(2027, 2, 15, 12, tzinfo=UTC))
    house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(500, "1")]})
    found = house.get("/v1/reports/summary")
    (recurring,) = house.get("/v1/reports/mrr")["items"]
    owed = house.get("/v1/reports/receivables")["items"]
    earned = house.get("/v1/reports/revenue")["items"]
    assert (found["mrr"], found["active_memberships"]) == (recurring["mrr"], recurring["active_memberships"])
    assert found["receivable"]["amount_minor"] == sum(row["total"]["amount_minor"] for row in owed)
    late = sum(row["total"]["amount_minor"] - row["not_due"]["amount_minor"] for row in owed)
    assert found["overdue"]["amount_minor"] == late >= 10000
    assert [row["month"] for row in found["revenue"]][-2:] == ["2027-01", "2027-02"]
    assert found["revenue"][-1]["net"]["amount_minor"] == sum(
        row["net"]["amount_minor"] for row in earned if row["month"] == "2027-02"
    )


def test_unbilled_items_show_what_they_will_cost(house: Any) -> None:
    """TAX-4: after their own discounts."""
    body = {"member_id": house.mem, "name": "Key", "price": {"amount_minor": 1003, "currency": "EUR"}}
    house.post("/v1/fees", {**body, "quantity": "3", "discount_percent": "10"})
    (item,) = house.get("/v1/reports/unbilled-items")["items"]
    preview = house.post("/v1/invoices/preview", {"member_id": house.mem, "as_of": "2027-03-01"}, 200)
    assert item["amount"]["amount_minor"] == 2708
    assert preview["invoices"][0]["subtotal"] == item["amount"]


def test_a_deposit_is_revenue_when_it_is_forfeited_and_not_before(house: Any) -> None:
    """What is held is owed; what is kept is earned, in the month in which it is kept."""
    house.join("2027-02-01", deposit=euro(50000))
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-02-01"})["invoices"]
    house.feed(house.payment(invoice))
    (deposit,) = house.get("/v1/deposits")["items"]
    house.post(f"/v1/deposits/{deposit['id']}/release", {"kind": "returned", "amount": euro(10000)}, 200)
    house.advance(datetime(2027, 3, 15, 12, tzinfo=UTC))
    house.post(f"/v1/deposits/{deposit['id']}/release", {"kind": "forfeited", "amount": euro(15000)}, 200)
    rows = house.get("/v1/reports/revenue?from=2027-01-01&to=2027-12-31")["items"]
    assert [(row["month"], row["forfeited"], row["net"]) for row in rows] == [
        ("2027-02", euro(0), euro(30000)),
        ("2027-03", euro(15000), euro(15000)),
    ]
    assert house.get("/v1/reports/summary")["revenue"][-1]["net"] == euro(15000)


def test_what_came_and_went_is_told_apart_from_what_was_replaced(house: Any) -> None:
    """New and lost memberships, a change of plan which is neither, one that never ran, and odd prices, each rounded."""
    stays = house.join("2027-01-01", price=euro(10001), quantity="3", discount_percent="33.3")
    for _ in range(2):
        house.join("2027-01-01", plan=house.add_plan(10007, interval="week", display_name="Week"))
    gone = house.join("2027-01-01", price=euro(20000))
    house.post(f"/v1/memberships/{gone['id']}/end", {"end_date": "2027-02-10"}, 200)
    never = house.join("2027-02-05")
    house.post(f"/v1/memberships/{never['id']}/end", {"end_date": "2027-02-01"}, 200)
    office = house.add_plan(45000, display_name="Office")
    change = {"plan_id": f"pln_{office.hex}", "date": "2027-02-08"}
    house.post(f"/v1/memberships/{stays['id']}/plan-change", change, 200)
    house.join("2027-02-03", price=euro(5000))
    house.advance(datetime(2027, 2, 20, 12, tzinfo=UTC))
    (row,) = house.get("/v1/reports/mrr?from=2027-02-01")["items"]
    weekly = 2 * 43512  # 100.07 x 365.2425 / 7 / 12, rounded for each
    assert row["mrr"] == euro(90045 + weekly + 5000), "3 x 450.00 less 33.3 %, which goes on with the new plan"
    assert (row["new_mrr"], row["lost_mrr"]) == (euro(5000), euro(20000))
    numbers = (row["active_memberships"], row["new_memberships"], row["ended_memberships"])
    assert (numbers, row["churn_percent"]) == ((4, 1, 1), "25")
    found = house.get("/v1/reports/summary")
    assert (found["mrr"], found["active_memberships"]) == (row["mrr"], row["active_memberships"])


def test_receivables_put_the_largest_debt_first_and_every_age_in_its_column(house: Any) -> None:
    house.set(payment_terms_days=0, reminders=[], block_bookings_after_days=None)
    company = house.add_company()
    debts = ((1, 100), (1, 200), (31, 400), (32, 800), (61, 1600), (62, 3200), (92, 6400), (93, 12800))
    start = datetime(2027, 2, 1, 12, tzinfo=UTC)
    for day, minor in debts:
        house.advance(start + timedelta(days=day))
        house.post("/v1/invoices", {"member_id": house.mem, "lines": [line(minor, "1")]})
    house.post("/v1/invoices", {"company_id": f"com_{company.hex}", "lines": [line(99000, "1")]})
    first, second = house.get("/v1/reports/receivables")["items"]
    assert (first["company_id"], first["member_id"], first["name"]) == (f"com_{company.hex}", None, "Example Ltd")
    assert (second["member_id"], second["name"]) == (house.mem, "Example Member")
    ages = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "total")
    assert [second[age]["amount_minor"] for age in ages] == [12800, 6400, 3200 + 1600, 800 + 400, 300, 25500]


def test_setup_tells_the_switches_and_what_should_have_been_invoiced(house: Any) -> None:
    house.set(automatic_generation=False, automatic_sending=True)
    before = house.get("/v1/setup/invoicing")
    assert before["problems"] == []
    assert before["facts"]["automatic_sending"] is True
    assert before["facts"]["automatic_generation"] is False
    house.post("/v1/fees", {"member_id": house.mem, "name": "Printing", "price": euro(100)})
    house.join("2027-02-10")
    house.advance(datetime(2027, 3, 15, 12, tzinfo=UTC))
    found = house.get("/v1/setup/invoicing")
    assert (found["facts"]["fees_unbilled"], found["facts"]["memberships_unbilled"]) == (1, 1)
    assert [(each["code"], each["about"]) for each in found["problems"]] == [("unbilled_items", "2")]
    house.post("/v1/billing-runs", {"as_of": "2027-03-15"})
    assert house.get("/v1/setup/invoicing")["problems"] == []
    member = house.sign_in(house.app, house.organization_id, "member", member=str(house.member))
    assert member.get("/v1/setup/invoicing").status_code == 403
