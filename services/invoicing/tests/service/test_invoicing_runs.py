"""Billing runs under fire: two processes, kills at every step, failures of single customers (BIL-4, BIL-6, DOC-2)."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import pytest
from billing_crowd import MEMBERS, check_everything_billed_once, crowd, start
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from common.ids import encode_id
from invoicing.models import Invoice
from invoicing.services.billing import issuing
from invoicing.services.billing.runs import resume_runs, start_run, work_on_run
from invoicing.services.chain import verify_documents


class Killed(BaseException):
    """The process died here."""


def test_two_processes_on_two_runs_of_one_scope_bill_everything_once(house: Any) -> None:
    crowd(house)
    runs = [start(house), start(house)]
    barrier = threading.Barrier(2)

    def work(run_id: Any) -> None:
        barrier.wait()
        work_on_run(house.database, house.organization_id, run_id, batch=3)

    threads = [threading.Thread(target=work, args=(run_id,)) for run_id in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_everything_billed_once(house)
    counts = [house.get(f"/v1/billing-runs/{encode_id('run', run_id)}")["counts"] for run_id in runs]
    assert sum(count["invoices"] for count in counts) == 2 * MEMBERS
    assert sum(count["errors"] for count in counts) == 0


def test_two_processes_on_one_run_share_it(house: Any) -> None:
    crowd(house)
    run_id = start(house)
    threads = [
        threading.Thread(target=work_on_run, args=(house.database, house.organization_id, run_id), kwargs={"batch": 2})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_everything_billed_once(house)


@pytest.mark.parametrize("step", ["planned", "numbered", "inserted", "stored", "sources settled", "announced"])
def test_a_run_killed_at_any_step_is_resumed_and_bills_everything_once(
    house: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(house, 5)
    run_id = start(house)
    reached: Counter[str] = Counter()

    def die(at: str) -> None:
        reached[at] += 1
        if at == step and reached[at] == 2:
            raise Killed

    monkeypatch.setattr(issuing, "fault_points", [die])
    with pytest.raises(Killed):
        work_on_run(house.database, house.organization_id, run_id, batch=2)
    assert len(house.invoices()) == 4, "the first batch was committed, the second was lost whole"
    monkeypatch.setattr(issuing, "fault_points", [])
    resume_runs(house.database, house.organization_id, house.now)
    check_everything_billed_once(house, 5)
    shown = house.get(f"/v1/billing-runs/{encode_id('run', run_id)}")
    assert (shown["status"], shown["counts"]["invoices"], shown["counts"]["customers"]) == ("completed", 10, 5)


def test_one_customers_failure_stops_nobody_else(house: Any) -> None:
    """BIL-4: a tax rate without sense on one membership."""
    crowd(house, 4)
    broken = house.get("/v1/memberships")["items"][1]
    with house.database.system_session() as session:
        session.execute(
            text("UPDATE membership SET tax_category = 'AE', tax_percent = 19 WHERE id = CAST(:id AS uuid)"),
            {"id": broken["id"].removeprefix("mbs_")},
        )
        session.commit()
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert (run["status"], run["counts"]["invoices"], run["counts"]["errors"]) == ("completed_with_errors", 6, 1)
    assert run["errors"][0]["customer_id"] == broken["member_id"]
    assert run["errors"][0]["code"] == "invalid_tax_percent"


def test_what_the_database_refuses_of_one_customer_stops_nobody_else(house: Any) -> None:
    """BIL-4: an amount beyond its column, among so many that their rows are written by COPY."""
    crowd(house, 26)
    broken = house.get("/v1/memberships")["items"][1]
    with house.database.system_session() as session:
        session.execute(
            text("UPDATE membership SET price_minor = 9e18, quantity = 1000 WHERE id = CAST(:id AS uuid)"),
            {"id": broken["id"].removeprefix("mbs_")},
        )
        session.commit()
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert (run["status"], run["counts"]["invoices"], run["counts"]["errors"]) == ("completed_with_errors", 50, 1)
    assert (run["errors"][0]["customer_id"], run["errors"][0]["code"]) == (broken["member_id"], "cannot_be_billed")


def test_progress_is_what_was_committed(house: Any) -> None:
    crowd(house, 5)
    seen = []

    def look(run: Any) -> None:
        with house.database.session(house.organization_id) as session:
            stored = session.scalar(select(func.count()).select_from(Invoice))
        seen.append((run.status, run.counts["customers"], run.counts["invoices"], stored))

    work_on_run(house.database, house.organization_id, start(house), batch=2, progress=look)
    done = [("running", 2, 4, 4), ("running", 4, 8, 8), ("running", 5, 10, 10), ("completed", 5, 10, 10)]
    assert seen == done


def test_a_run_that_is_left_early_is_finished_by_another(house: Any) -> None:
    """What was planned ahead is let go, with its locks."""
    crowd(house, 6)
    run_id = start(house)
    work_on_run(house.database, house.organization_id, run_id, batch=2, until=lambda: True)
    assert len(house.invoices()) == 4
    work_on_run(house.database, house.organization_id, run_id, batch=2)
    check_everything_billed_once(house, 6)


def test_many_invoices_at_once_are_written_whole(house: Any) -> None:
    """So many that their rows are written by COPY; what is read back is what a dry run showed."""
    crowd(house, 25)
    dry = house.post("/v1/billing-runs", {"as_of": "2027-03-01", "dry_run": True}, 200)
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert (run["counts"], run["status"]) == (dry["counts"], "completed")
    check_everything_billed_once(house, 25)
    shown = ("issue_date", "due_date", "member_id", "subtotal", "tax_total", "total", "tax_breakdown")
    key = itemgetter("issue_date", "member_id")
    planned, made = (sorted(each["invoices"], key=key) for each in (dry, run))
    assert [[each[name] for name in shown] for each in made] == [[each[name] for name in shown] for each in planned]


def test_the_database_itself_refuses_a_period_twice(house: Any) -> None:
    crowd(house, 1)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    with house.database.system_session() as session, pytest.raises(DBAPIError, match="uq_invoice_line_membership"):
        session.execute(
            text(
                "INSERT INTO invoice_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', "
                "gen_random_uuid()))).* FROM invoice_line l WHERE l.organization_id = :id AND kind = 'membership'"
            ),
            {"id": house.organization_id},
        )


def test_a_changed_document_is_found_by_the_chain(house: Any) -> None:
    """DOC-3."""
    crowd(house, 2)
    house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    with house.database.system_session() as session:
        session.execute(
            text(
                "UPDATE chained_document SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'), "
                "'18214', '18215'), 'UTF8') WHERE organization_id = :id AND position = 2"
            ),
            {"id": house.organization_id},
        )
        session.commit()
    with house.database.session(house.organization_id) as session:
        report = verify_documents(session)
    assert (report.broken_at, report.reason) == (2, "its content is not what was issued")


def test_the_scope_narrows_to_a_location_or_a_customer(house: Any) -> None:
    crowd(house, 2)
    elsewhere = house.add_location(display_name="Dock 2", code="D2")
    house.member = house.add_member(location_id=elsewhere)
    house.join("2027-02-12", location_id=encode_id("loc", elsewhere))
    body = {"as_of": "2027-02-12", "dry_run": True}
    assert house.post("/v1/billing-runs", body, 200)["counts"]["invoices"] == 3
    for scope in ({"location_id": encode_id("loc", elsewhere)}, {"member_id": house.mem}):
        assert house.post("/v1/billing-runs", {**body, **scope}, 200)["counts"]["invoices"] == 1


def test_what_is_locked_is_not_billed_and_late_work_is_dated_after_the_lock(house: Any) -> None:
    """BIL-8."""
    house.join("2027-02-12")
    house.advance(datetime(2027, 3, 5, 12, tzinfo=UTC))
    house.set(lock_date="2027-02-28")
    refused = house.api.post("/v1/billing-runs", {"as_of": "2027-02-20"})
    assert (refused.status_code, refused.json["code"]) == (409, "billing_locked")
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01"})
    assert [(i["issue_date"], len(i["lines"])) for i in run["invoices"]] == [("2027-03-01", 2)]
    fee = {"member_id": house.mem, "name": "Print", "price": {"amount_minor": 100, "currency": "EUR"}}
    assert house.api.post("/v1/fees", {**fee, "date": "2027-02-28"}).json["code"] == "billing_locked"
    assert house.api.patch("/v1/settings/billing", {"lock_date": "2027-03-05"}).status_code == 422


def test_memberships_and_usage_can_be_kept_apart(house: Any) -> None:
    """BIL-5."""
    house.set(invoice_per="membership_and_usage")
    house.join("2027-02-12")
    house.feed(house.booking())
    run = house.post("/v1/billing-runs", {"as_of": "2027-03-01", "dry_run": True}, 200)
    assert [len(i["lines"]) for i in run["invoices"]] == [1, 1, 1]


def test_the_same_key_answers_with_the_same_run(house: Any) -> None:
    crowd(house, 1)
    headers = {"Idempotency-Key": "march"}
    first = house.post("/v1/billing-runs", {"as_of": "2027-03-01"}, headers=headers)
    again = house.api.post("/v1/billing-runs", {"as_of": "2027-03-01"}, headers=headers)
    assert (again.status_code, again.json, again.headers["Idempotent-Replayed"]) == (201, first, "true")
    assert (
        house.api.post("/v1/billing-runs", {"as_of": "2027-03-01"}, headers={"Idempotency-Key": ""}).status_code == 400
    )
    other = house.api.post("/v1/billing-runs", {"as_of": "2027-04-01"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_twenty_requests_at_once_with_one_key_start_one_run(house: Any) -> None:
    crowd(house, 3)
    ready, headers = threading.Barrier(20), {"Idempotency-Key": "all at once"}

    def begin(_number: int) -> str:
        ready.wait()
        return str(house.post("/v1/billing-runs", {"as_of": "2027-03-01"}, headers=headers)["id"])

    with ThreadPoolExecutor(20) as pool:
        (run_id,) = set(pool.map(begin, range(20)))
    assert [run["id"] for run in house.get("/v1/billing-runs")["items"]] == [run_id]
    assert house.get(f"/v1/billing-runs/{run_id}")["counts"]["invoices"] == len(house.get("/v1/invoices")["items"])


def test_a_run_that_was_left_is_finished_and_nobody_else_is_billed(house: Any) -> None:
    """Automatic generation is off: the worker finishes what somebody began, and begins nothing by itself."""
    crowd(house, 2)
    house.advance(datetime(2027, 3, 2, 12, tzinfo=UTC))
    with house.database.session(house.organization_id) as session:
        run = start_run(session, as_of=date(2027, 3, 1), payer_id=house.member)
        session.commit()
    house.advance(datetime(2027, 3, 2, 13, tzinfo=UTC))
    assert {invoice["member_id"] for invoice in house.invoices()} == {house.mem}
    (only,) = house.get("/v1/billing-runs")["items"]
    assert (only["id"], only["status"]) == (encode_id("run", run.id), "completed")


def test_a_slip_in_the_year_bills_nobody_for_decades(house: Any) -> None:
    """Dry runs, real ones and the command refuse it alike: issued invoices cannot be taken back."""
    house.join("2027-02-01")
    for dry_run in (True, False):
        refused = house.api.post("/v1/billing-runs", {"as_of": "2072-03-01", "dry_run": dry_run})
        assert (refused.status_code, refused.json["code"]) == (422, "invalid_as_of")
        assert refused.json["errors"][0]["pointer"] == "/as_of"
    assert house.get("/v1/billing-runs")["items"] == []
