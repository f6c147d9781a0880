"""The story of API.md inside invoicing: what is owed, when, and what is said about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from common.db.migrate import schema_differences
from common.db.plumbing import plumbing_metadata
from contracts.invoicing import InvoiceIssued, InvoicePaid, InvoiceSent
from invoicing.service import SERVICE

ALL_ON = {"automatic_generation": True, "automatic_sending": True, "automatic_collection": True}


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def test_models_agree_with_the_migrations(invoicing_app: Any) -> None:
    url = invoicing_app.extensions["database"].url
    assert schema_differences(url, [plumbing_metadata, SERVICE.metadata]) == []


def test_the_story_makes_two_invoices_on_their_days(house: Any) -> None:
    """PRO-3 182.14 on 12 Feb; BIL-1 300.00 + 45.00 on 1 Mar."""
    house.set(**ALL_ON, payment_terms_days=7)
    membership = house.join()
    assert (membership["status"], membership["next_invoice_on"]) == ("upcoming", "2027-02-12")
    house.feed(house.booking())
    house.advance(datetime(2027, 2, 11, 22, 59, tzinfo=UTC))
    assert house.invoices() == []
    house.advance(datetime(2027, 2, 11, 23, 0, tzinfo=UTC))
    (first,) = house.invoices()
    assert (first["issue_date"], first["due_date"]) == ("2027-02-12", "2027-02-19")
    assert (first["number"], first["total"]) == ("INV-2027-00001", euro(18214))
    assert (first["state"], first["payment_state"], first["overdue"]) == ("open", "unpaid", False)
    (line,) = first["lines"]
    assert line["explain"] == "17 of 28 days"
    assert line["period"] == {"start": "2027-02-12", "end": "2027-03-01"}
    house.feed(house.payment(first))
    house.advance(datetime(2027, 3, 10, 12, 0, tzinfo=UTC))
    paid, second = house.invoices()
    assert (paid["state"], paid["payment_state"], paid["payable"]) == ("paid", "paid", euro(0))
    assert (second["number"], second["issue_date"], second["due_date"]) == (
        "INV-2027-00002",
        "2027-03-01",
        "2027-03-08",
    )
    assert sorted(line["total"]["amount_minor"] for line in second["lines"]) == [4500, 30000]
    assert second["overdue"] is True
    issued = house.messages(InvoiceIssued)
    assert [(m.total.amount_minor, m.collect, len(m.booking_ids)) for m in issued] == [
        (18214, True, 0),
        (34500, True, 1),
    ]
    sent = house.messages(InvoiceSent)
    assert [(m.to, m.pdf[:4]) for m in sent] == [("member@example.com", b"%PDF")] * 2
    assert len(house.messages(InvoicePaid)) == 1


def test_generation_off_makes_nothing_and_switched_on_catches_up(house: Any) -> None:
    """BIL-9: period by period with the planned dates."""
    house.join()
    house.advance(datetime(2027, 4, 2, 12, 0, tzinfo=UTC))
    assert house.invoices() == []
    house.set(automatic_generation=True)
    house.advance(datetime(2027, 4, 2, 12, 0, tzinfo=UTC))
    made = [(i["number"], i["issue_date"], i["total"]["amount_minor"]) for i in house.invoices()]
    assert made == [
        ("INV-2027-00001", "2027-02-12", 18214),
        ("INV-2027-00002", "2027-03-01", 30000),
        ("INV-2027-00003", "2027-04-01", 30000),
    ]
    assert house.messages(InvoiceSent) == []
    assert not any(m.collect for m in house.messages(InvoiceIssued))


def test_a_dry_run_equals_the_real_one_and_a_second_run_is_empty(house: Any) -> None:
    """BIL-4."""
    house.join()
    house.feed(house.booking())
    body = {"as_of": "2027-03-01"}
    dry = house.post("/v1/billing-runs", {**body, "dry_run": True}, 200, headers={"Idempotency-Key": ""})
    assert (dry["status"], dry["counts"]["invoices"]) == ("dry_run", 2)
    assert house.invoices() == []
    real = house.post("/v1/billing-runs", body)
    assert (real["status"], real["counts"]) == ("completed", dry["counts"])
    for planned, made in zip(dry["invoices"], real["invoices"], strict=True):
        assert planned["customer"]["name"] == made["customer"]["name"]
        assert {k: planned[k] for k in ("issue_date", "due_date", "total", "tax_breakdown")} == {
            k: made[k] for k in ("issue_date", "due_date", "total", "tax_breakdown")
        }
        shown = [{k: v for k, v in line.items() if k != "id"} for line in made["lines"]]
        assert planned["lines"] == shown
    again = house.post("/v1/billing-runs", body)
    assert again["counts"]["invoices"] == 0
    assert len(house.invoices()) == 2
    assert house.get(f"/v1/billing-runs/{real['id']}")["invoices"] == real["invoices"]


def test_the_preview_shows_what_a_membership_would_cost(house: Any) -> None:
    from common.ids import encode_id

    house.feed(house.booking())
    body = {
        "member_id": house.mem,
        "as_of": "2027-03-01",
        "membership": {"plan_id": encode_id("pln", house.plan), "start_date": "2027-02-12", "end_date": None},
    }
    shown = house.post("/v1/invoices/preview", body, 200)["invoices"]
    assert [(i["issue_date"], i["total"]) for i in shown] == [("2027-02-12", euro(18214)), ("2027-03-01", euro(34500))]
    assert shown[0]["lines"][0]["explain"] == "17 of 28 days"
    assert house.get("/v1/memberships")["items"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"colour": "red"}, 422),
        ({"start_date": "soon"}, 422),
        ({"end_date": "2027-02-11"}, 422),
        ({"plan_id": "pln_" + "0" * 32}, 422),
        ({"member_id": "mem_" + "0" * 32}, 422),
        ({"member_id": None}, 422),
        ({"location_id": "loc_" + "0" * 32}, 422),
        ({"price": {"amount_minor": 100, "currency": "USD"}}, 422),
        ({"price": {"amount_minor": -1, "currency": "EUR"}}, 422),
        ({"quantity": "0"}, 422),
        ({"start_date": "0001-01-01"}, 422),
        ({"start_date": "9999-12-31"}, 422),
    ],
)
def test_a_faulty_membership_is_refused_and_nothing_is_kept(house: Any, change: dict[str, Any], status: int) -> None:
    from common.ids import encode_id

    body = {"plan_id": encode_id("pln", house.plan), "member_id": house.mem, "start_date": "2027-02-12", **change}
    answer = house.api.post("/v1/memberships", body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.json
    assert house.get("/v1/memberships")["items"] == []
