"""A dry run beside the last run: who is new, who is gone, who pays something else."""

from __future__ import annotations

from typing import Any

from portal.admin.run_diff import compare


def run(as_of: str, **totals: int) -> dict[str, Any]:
    invoices = [
        {"member_id": f"mem_{name}", "customer_name": name, "total": {"amount_minor": total, "currency": "EUR"}}
        for name, total in totals.items()
    ]
    return {"as_of": as_of, "counts": {"total_minor": sum(totals.values())}, "invoices": invoices}


def test_differences_come_with_the_greatest_first(built_portal: Any) -> None:
    with built_portal.test_request_context():
        diff = compare(run("2027-02-01", ada=30000, bo=10000, cy=500), run("2027-03-01", ada=30000, bo=12000, di=40000))
    assert [(one.name, one.before, one.now, one.change) for one in diff.differences] == [
        ("di", None, 40000, 40000),
        ("bo", 10000, 12000, 2000),
        ("cy", 500, None, -500),
    ]
    assert (diff.same, diff.change, diff.as_of) == (1, 41500, "2027-02-01")


def test_several_invoices_of_a_customer_count_together(built_portal: Any) -> None:
    dry = run("2027-03-01", ada=10000)
    dry["invoices"].append({**dry["invoices"][0], "total": {"amount_minor": 2500, "currency": "EUR"}})
    with built_portal.test_request_context():
        diff = compare(run("2027-02-01", ada=10000), dry)
    assert [one.change for one in diff.differences] == [2500]
