"""Pauses on billed days: taken back, shortened, made again; the days add up whatever the sequence (PRO-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.ids import encode_id
from contracts.invoicing import CreditNoteIssued
from contracts.parts import ParallelTax
from invoicing.domain.periods import Anchor, boundary, period_index


def billed(house: Any, **values: Any) -> Any:
    """A membership from 1 Mar, billed for March (310.00, 10.00 a day)."""
    membership = house.join("2027-03-01", price={"amount_minor": 31000, "currency": "EUR"}, **values)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    return membership["id"]


def pause(house: Any, membership: str, first: str, last: str | None) -> Any:
    return house.post(f"/v1/memberships/{membership}/pause", {"from": first, "to": last}, 200)


def resume(house: Any, membership: str, day: str, status: int = 200) -> Any:
    return house.post(f"/v1/memberships/{membership}/resume", {"date": day}, status)


def credits_made(house: Any) -> list[int]:
    return [note.total.amount_minor for note in house.messages(CreditNoteIssued)]


def pause_fees(house: Any) -> list[tuple[str, int]]:
    fees = house.get("/v1/fees?source=pause&limit=200")["items"]
    return [(fee["status"], fee["price"]["amount_minor"]) for fee in reversed(fees)]


def test_a_pause_taken_back_charges_its_days_again(house: Any) -> None:
    made = billed(house)
    pause(house, made, "2027-03-11", "2027-03-20")
    assert resume(house, made, "2027-03-11")["pauses"] == []
    assert (credits_made(house), pause_fees(house)) == ([10000], [("unbilled", 10000)])
    run = house.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    lines = [line for invoice in run["invoices"] for line in invoice["lines"]]
    assert sorted((line["kind"], line["net"]["amount_minor"]) for line in lines) == [
        ("membership", 31000),
        ("pause", 10000),
    ]
    assert "Flex desk: pause ended early (10 of 31 days more)" in {line["description"] for line in lines}


def test_days_after_a_pause_bear_the_parallel_taxes_of_their_plan(house: Any) -> None:
    """TAX-2: as the line did that they were taken off."""
    rates = {"GST": Decimal(5), "PST": Decimal(7)}
    plan = house.add_plan(taxes=[ParallelTax(name=name, percent=rate) for name, rate in rates.items()])
    made = billed(house, plan=plan)
    pause(house, made, "2027-03-11", "2027-03-20")
    resume(house, made, "2027-03-11")
    run = house.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    lines = [line for invoice in run["invoices"] for line in invoice["lines"]]
    taxes = {line["kind"]: [tax["tax"]["amount_minor"] for tax in line["taxes"]] for line in lines}
    assert taxes == {"membership": [1550, 2170], "pause": [500, 700]}


def test_a_shortened_pause_charges_the_days_it_lost(house: Any) -> None:
    made = billed(house)
    pause(house, made, "2027-03-11", "2027-03-20")
    assert resume(house, made, "2027-03-16")["pauses"] == [{"from": "2027-03-11", "to": "2027-03-15"}]
    assert pause_fees(house) == [("unbilled", 5000)]


def test_days_paused_once_more_come_off_the_fee_that_is_not_billed_yet(house: Any) -> None:
    made = billed(house)
    pause(house, made, "2027-03-11", "2027-03-20")
    resume(house, made, "2027-03-11")
    pause(house, made, "2027-03-11", "2027-03-14")
    assert (credits_made(house), pause_fees(house)) == ([10000], [("unbilled", 6000)])
    pause(house, made, "2027-03-15", "2027-03-20")
    assert (credits_made(house), pause_fees(house)) == ([10000], [("removed", 0)])


def test_days_charged_again_by_an_invoiced_fee_are_credited_there_first(house: Any) -> None:
    """PRO-4: no line is credited beyond what it carries, and none of the money is forgotten."""
    made = billed(house)
    pause(house, made, "2027-03-11", "2027-03-20")
    resume(house, made, "2027-03-11")
    house.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    house.post(f"/v1/memberships/{made}/end", {"end_date": "2027-03-05"}, 200)
    assert sum(credits_made(house)) == 31000 - 5000 + 10000 + 31000
    assert sum(invoice["credited"]["amount_minor"] for invoice in house.invoices()) == sum(credits_made(house))


def test_a_whole_billed_period_can_be_paused_and_taken_back(house: Any) -> None:
    made = billed(house)
    pause(house, made, "2027-03-01", "2027-03-31")
    assert credits_made(house) == [31000]
    resume(house, made, "2027-03-01")
    assert pause_fees(house) == [("unbilled", 31000)]


def test_days_left_out_before_what_is_billed_are_refused_with_a_way_out(house: Any) -> None:
    made = billed(house)
    pause(house, made, "2027-04-01", "2027-04-30")
    house.post("/v1/billing-runs", {"as_of": "2027-05-01"})
    refused = resume(house, made, "2027-04-10", 409)
    assert (refused["code"], refused["resume_from"]) == ("pause_left_out", "2027-05-01")
    assert "charge the days before as a fee" in refused["detail"]
    assert resume(house, made, "2027-05-01", 409)["code"] == "not_paused"


def test_a_plan_that_does_not_prorate_charges_nothing_for_days_of_a_billed_period(house: Any) -> None:
    """PRO-1."""
    plan = house.add_plan(31000, prorate=False)
    made = billed(house, plan=plan)
    pause(house, made, "2027-03-11", "2027-03-20")
    resume(house, made, "2027-03-11")
    assert (credits_made(house), pause_fees(house)) == ([], [])


def test_an_end_that_is_taken_back_is_billed_once_after_a_pause_too(house: Any) -> None:
    """BIL-4: the line of the paused days frees its place before the run bills the period anew."""
    made = billed(house)
    pause(house, made, "2027-03-01", "2027-03-31")
    house.post(f"/v1/memberships/{made}/end", {"end_date": "2027-02-28"}, 200)
    house.post(f"/v1/memberships/{made}/end", {"end_date": None}, 200)
    resume(house, made, "2027-03-01")
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-31"})
    assert (run["counts"]["errors"], run["counts"]["total_minor"], pause_fees(house)) == (0, 31000, [])


# 377580 cents is a whole number of cents a day in months of 28, 29, 30 and 31 days: nothing is rounded.
MONTHLY = 377580
DAY = st.integers(0, 100).map(lambda days: date(2028, 1, 10) + timedelta(days=days))
STEP = st.one_of(
    st.tuples(st.just("pause"), DAY, st.one_of(st.none(), st.integers(0, 40))),
    st.tuples(st.just("resume"), DAY, st.none()),
    st.tuples(st.just("end"), st.one_of(st.none(), DAY), st.none()),
    st.tuples(st.just("change"), DAY, st.integers(1, 3)),
    st.tuples(st.just("run"), DAY, st.none()),
)


def take(house: Any, membership_id: str, step: tuple[str, Any, Any]) -> str:
    """One step as an operator takes it; what does not fit is refused and changes nothing. Returns the membership that
    the next step is about: after a change of the plan the new one."""
    kind, day, more = step
    if kind == "run":
        answer = house.api.post("/v1/billing-runs", {"as_of": day.isoformat()})
        assert answer.json["counts"]["errors"] == 0, answer.json
        return membership_id
    bodies = {
        "pause": lambda: {
            "from": day.isoformat(),
            "to": None if more is None else (day + timedelta(days=more)).isoformat(),
        },
        "resume": lambda: {"date": day.isoformat()},
        "end": lambda: {"end_date": day and day.isoformat(), "override": True},
        "change": lambda: {
            "plan_id": encode_id("pln", house.plan),
            "date": day.isoformat(),
            "price": {"amount_minor": MONTHLY * more, "currency": "EUR"},
        },
    }
    path = f"/v1/memberships/{membership_id}/{'plan-change' if kind == 'change' else kind}"
    answer = house.api.post(path, bodies[kind]())
    assert answer.status_code in (200, 409, 422), answer.json
    changed = kind == "change" and answer.status_code == 200
    return str(answer.json["membership"]["id"] if changed else membership_id)


def days_used(membership: dict[str, Any]) -> dict[date, int]:
    """Charged days by month of the billed time, as the membership stands in the end."""
    if membership["billed_until"] is None:
        return {}
    until = date.fromisoformat(membership["billed_until"])
    if membership["end_date"]:
        until = min(until, date.fromisoformat(membership["end_date"]) + timedelta(days=1))
    day, used = date.fromisoformat(membership["start_date"]), {}
    while day < until:
        paused = any(p["from"] <= day.isoformat() <= (p["to"] or "9") for p in membership["pauses"])
        used[day.replace(day=1)] = used.get(day.replace(day=1), 0) + (not paused)
        day += timedelta(days=1)
    return used


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=3, max_size=9))
def test_whatever_the_sequence_what_was_billed_adds_up_to_the_days_used(build_house: Any, steps: list[Any]) -> None:
    """BIL-7, PRO-1, PRO-6: lines and fees less credits are the price of the days, and a second run is empty."""
    house = build_house(datetime(2028, 1, 10, 8, 0, tzinfo=UTC))
    made = house.join("2028-01-10", price={"amount_minor": MONTHLY, "currency": "EUR"})
    current = made["id"]
    for step in steps:
        current = take(house, current, step)
    house.post("/v1/billing-runs", {"as_of": "2028-04-20"})
    assert house.post("/v1/billing-runs", {"as_of": "2028-04-20"})["counts"]["invoices"] == 0
    charged = sum(invoice["total"]["amount_minor"] for invoice in house.invoices())
    charged += sum(minor for status, minor in pause_fees(house) if status == "unbilled")
    expected, anchor = 0, Anchor(date(2028, 1, 1), "month")
    for membership in house.get("/v1/memberships?limit=200")["items"]:
        for month, days in days_used(membership).items():
            n = period_index(anchor, month)
            price = membership["price"]["amount_minor"]
            expected += price * days // (boundary(anchor, n + 1) - boundary(anchor, n)).days
    assert charged - sum(credits_made(house)) == expected


@pytest.fixture
def newest_only(house: Any) -> list[dict[str, Any]]:
    """The invoices of March and April of one membership."""
    house.join("2027-03-01")
    return list(house.post("/v1/billing-runs", {"as_of": "2027-04-01"})["invoices"])


def test_only_the_newest_invoice_of_a_membership_can_be_voided(house: Any, newest_only: list[dict[str, Any]]) -> None:
    """BIL-2: voiding an older one would leave a hole that no run fills."""
    march, april = newest_only
    refused = house.post(f"/v1/invoices/{march['id']}/void", {}, 409)
    assert refused["code"] == "not_the_newest_invoice"
    assert april["number"] in refused["detail"]
    house.post(f"/v1/invoices/{april['id']}/void", {}, 200)
    house.post(f"/v1/invoices/{march['id']}/void", {}, 200)
    again = house.post("/v1/billing-runs", {"as_of": "2027-04-01"})
    assert sorted(line["period"]["start"] for i in again["invoices"] for line in i["lines"]) == [
        "2027-03-01",
        "2027-04-01",
    ]


def test_the_fee_of_a_shortened_pause_goes_with_its_voided_line(house: Any) -> None:
    """The period is billed anew with the days that the fee was for."""
    membership = house.join("2027-03-01", price={"amount_minor": 31000, "currency": "EUR"})["id"]
    pause(house, membership, "2027-03-11", "2027-03-20")
    (invoice,) = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})["invoices"]
    resume(house, membership, "2027-03-11")
    assert pause_fees(house) == [("unbilled", 10000)]
    house.post(f"/v1/invoices/{invoice['id']}/void", {}, 200)
    assert pause_fees(house) == [("removed", 10000)]
    again = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert again["counts"]["total_minor"] == 31000


def test_a_draft_of_an_older_period_cannot_be_dropped_either(house: Any) -> None:
    house.join("2027-02-01")
    draft = house.post("/v1/invoices", {"member_id": house.mem, "issue": False})
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert house.api.delete(f"/v1/invoices/{draft['id']}").status_code == 409
