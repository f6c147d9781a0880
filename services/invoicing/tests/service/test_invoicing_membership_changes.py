"""Ending, pausing and changing memberships that were billed (BIL-7, PRO-4, PRO-6, PRO-8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from common.ids import encode_id
from contracts.invoicing import CreditNoteIssued, MembershipChanged


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def billed(house: Any, until: str = "2027-03-01", **values: Any) -> Any:
    """A membership from 1 Mar, billed for March."""
    membership = house.join("2027-03-01", **values)
    house.post("/v1/billing-runs", {"as_of": until})
    return membership


def test_an_end_before_billed_until_is_credited_and_taking_it_back_bills_the_rest(house: Any) -> None:
    """BIL-7: 20 of 31 days used; 11 credited, and billed again when the end is taken back."""
    made = billed(house)
    ended = house.post(f"/v1/memberships/{made['id']}/end", {"end_date": "2027-03-20"}, 200)
    assert (ended["end_date"], ended["billed_until"], ended["next_invoice_on"]) == ("2027-03-20", "2027-03-21", None)
    (note,) = house.messages(CreditNoteIssued)
    assert note.total.amount_minor == 30000 - 19355
    house.post(f"/v1/memberships/{made['id']}/end", {"end_date": None}, 200)
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-21"})
    (line,) = run["invoices"][0]["lines"]
    assert (line["period"], line["explain"]) == ({"start": "2027-03-21", "end": "2027-04-01"}, "11 of 31 days")
    assert line["net"] == euro(10645)


def test_a_cancelled_membership_never_costs(house: Any) -> None:
    made = house.join("2027-03-01")
    ended = house.post(f"/v1/memberships/{made['id']}/end", {"end_date": "2027-02-10"}, 200)
    assert (ended["status"], ended["next_invoice_on"]) == ("cancelled", None)
    assert house.post("/v1/billing-runs", {"as_of": "2027-06-01"})["counts"]["invoices"] == 0


def test_notice_and_minimum_term_bind_unless_staff_overrides(house: Any) -> None:
    """PRO-8."""
    made = house.join("2027-02-01", minimum_term_months=3, notice_days=30)
    refused = house.api.post(f"/v1/memberships/{made['id']}/end", {"end_date": "2027-03-31"})
    assert (refused.status_code, refused.json["code"]) == (409, "commitment")
    assert refused.json["earliest_end"] == "2027-04-30"
    house.post(f"/v1/memberships/{made['id']}/end", {"end_date": "2027-03-31", "override": True}, 200)


def test_a_pause_credits_billed_days_and_skips_a_whole_period(house: Any) -> None:
    """PRO-6: paused 22 Mar to 30 Apr; 10 of 31 days of March come back, April costs nothing."""
    made = billed(house)
    house.post(f"/v1/memberships/{made['id']}/pause", {"from": "2027-03-22", "to": "2027-04-30"}, 200)
    (note,) = house.messages(CreditNoteIssued)
    assert note.total.amount_minor == 30000 - 20323
    run = house.post("/v1/billing-runs", {"as_of": "2027-05-01"})
    periods = [line["period"]["start"] for invoice in run["invoices"] for line in invoice["lines"]]
    assert periods == ["2027-05-01"]


def test_an_open_pause_ends_when_it_is_resumed(house: Any) -> None:
    made = billed(house)
    paused = house.post(f"/v1/memberships/{made['id']}/pause", {"from": "2027-04-01"}, 200)
    assert paused["next_invoice_on"] is None
    resumed = house.post(f"/v1/memberships/{made['id']}/resume", {"date": "2027-04-16"}, 200)
    assert resumed["next_invoice_on"] == "2027-04-01"
    run = house.post("/v1/billing-runs", {"as_of": "2027-04-16"})
    assert run["invoices"][0]["total"] == euro(15000)
    house.post(f"/v1/memberships/{made['id']}/resume", {"date": "2027-04-10"}, 200)
    (fee,) = house.get("/v1/fees")["items"]
    assert (fee["source"], fee["price"]) == ("pause", euro(6000)), "6 of 30 days that had been billed as paused"


def test_a_plan_change_previews_what_it_does(house: Any) -> None:
    """PRO-4: from 15 Mar, 17 of 31 days of 300.00 back, 17 of 31 of 450.00 charged."""
    made = billed(house)
    office = house.add_plan(45000, display_name="Dedicated desk")
    body = {"plan_id": encode_id("pln", office), "date": "2027-03-15"}
    path = f"/v1/memberships/{made['id']}/plan-change"
    shown = house.post(path, {**body, "preview": True}, 200)
    assert [(line["kind"], line["net"]["amount_minor"]) for line in shown["lines"]] == [
        ("credit", -16452),
        ("charge", 24677),
    ]
    assert shown["net"] == euro(8225)
    assert house.messages(CreditNoteIssued) == []
    done = house.post(path, body, 200)
    assert (done["lines"], done["net"]) == (shown["lines"], shown["net"])
    assert [n.total.amount_minor for n in house.messages(CreditNoteIssued)] == [16452]
    run = house.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    lines = [(line["description"], line["net"]["amount_minor"]) for i in run["invoices"] for line in i["lines"]]
    assert lines == [("Dedicated desk", 24677), ("Dedicated desk", 45000)]
    old = house.get(f"/v1/memberships/{made['id']}")
    assert (old["end_date"], done["membership"]["replaces_id"]) == ("2027-03-14", made["id"])
    assert {m.membership_id for m in house.messages(MembershipChanged)} == {
        m.membership_id for m in house.messages(MembershipChanged)
    }


def test_a_downgrade_waits_for_the_end_of_the_period(house: Any) -> None:
    made = billed(house)
    small = house.add_plan(10000, display_name="Small")
    done = house.post(f"/v1/memberships/{made['id']}/plan-change", {"plan_id": encode_id("pln", small)}, 200)
    assert (done["date"], done["timing"], done["net"]) == ("2027-04-01", "period_end", euro(10000))
    assert done["credit_note_ids"] == []


def test_setup_fee_and_deposit_come_once_and_the_deposit_is_held_when_paid(house: Any) -> None:
    """PRO-5 and the ledger of deposits."""
    house.set(tax_percent="19")
    house.join("2027-02-12", setup_fee=euro(5000), deposit=euro(60000))
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    first, second = run["invoices"]
    assert [line["net"]["amount_minor"] for line in first["lines"]] == [5000, 60000, 18214]
    assert first["tax_total"] == euro(4411)
    assert len(second["lines"]) == 1
    house.feed(house.payment(first))
    (deposit,) = house.get("/v1/deposits")["items"]
    assert (deposit["state"], deposit["held"]) == ("held", euro(60000))
    part = house.post(f"/v1/deposits/{deposit['id']}/release", {"kind": "forfeited", "amount": euro(10000)}, 200)
    assert part["held"] == euro(50000)
    house.post(f"/v1/deposits/{deposit['id']}/release", {"kind": "applied"}, 200)
    assert house.api.post(f"/v1/deposits/{deposit['id']}/release", {"kind": "returned"}).status_code == 409
    made = house.post(
        "/v1/invoices", {"member_id": house.mem, "lines": [{"description": "x", "unit_price": euro(10000)}]}
    )
    assert made["credited"] == euro(11900)


def test_a_billing_day_change_replans_what_is_not_billed(house: Any) -> None:
    from contracts.members import MemberChanged

    made = house.join("2027-02-12")
    changed = MemberChanged(
        member_id=house.member, display_name="M", location_id=house.location, billing_day=15, version=2
    )
    house.feed(changed)
    run = house.post("/v1/billing-runs", {"as_of": "2027-02-15", "dry_run": True}, 200)
    assert [i["issue_date"] for i in run["invoices"]] == ["2027-02-12", "2027-02-15"]
    assert house.get(f"/v1/memberships/{made['id']}")["next_invoice_on"] == "2027-02-12"


def test_n_days_before_the_period(house: Any) -> None:
    """BIL-3 with N = 10: the March invoice is made on 19 Feb, with a booking of 15 Feb but not of 20 Feb."""
    house.set(automatic_generation=True, generate_days_before=10)
    house.join("2027-02-12")
    late = datetime(2027, 2, 20, 9, 0, tzinfo=UTC)
    house.feed(house.booking(), house.booking(start=late, end=late.replace(hour=10), amount_minor=1500))
    house.advance(datetime(2027, 3, 25, 12, 0, tzinfo=UTC))
    made = [(i["issue_date"], sorted(line["net"]["amount_minor"] for line in i["lines"])) for i in house.invoices()]
    assert made == [("2027-02-02", [18214]), ("2027-02-19", [4500, 30000]), ("2027-03-22", [1500, 30000])]
