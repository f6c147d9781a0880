"""Billing runs by real processes of the operating system: two at once, and one that is killed (BIL-4, BIL-6, DOC-2)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from billing_crowd import MEMBERS, check_everything_billed_once, crowd, start

from common.ids import encode_id

# Says when it is ready, starts with the first line that it is told, and reports each turn. With a step it stops for
# good when it comes past that step for the second time: in the middle of a batch, with everything locked.
PROGRAM = """
import sys
from collections import Counter
from uuid import UUID
from common.db import Database
from invoicing.services.billing import issuing
from invoicing.services.billing.runs import work_on_run

url, organization, run, batch, step = sys.argv[1:]
reached = Counter()

def stop(at):
    reached[at] += 1
    if at == step and reached[at] == 2:
        print("stopped", flush=True)
        sys.stdin.readline()

issuing.fault_points.append(stop)
print("ready", flush=True)
sys.stdin.readline()
show = lambda run: print(run.status, flush=True)
work_on_run(Database(url), UUID(organization), UUID(run), batch=int(batch), progress=show)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def process(house: Any) -> Iterator[Start]:
    """Starts processes that work on a run, each ready to begin; what is left of them is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(run_id: Any, batch: int, step: str = "") -> subprocess.Popen[str]:
        arguments = [house.database.url, str(house.organization_id), str(run_id), str(batch), step]
        worker = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(worker)
        assert read(worker) == "ready"
        return worker

    yield begin
    for worker in started:
        worker.kill()
        worker.communicate()


def read(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def go(*workers: subprocess.Popen[str]) -> None:
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()


def finish(*workers: subprocess.Popen[str]) -> None:
    for worker in workers:
        assert worker.wait(timeout=60) == 0


def counts(house: Any, run_id: Any) -> dict[str, int]:
    return dict(house.get(f"/v1/billing-runs/{encode_id('run', run_id)}")["counts"])


def test_two_processes_on_one_run_bill_everything_once(house: Any, process: Start) -> None:
    crowd(house)
    run_id = start(house)
    workers = [process(run_id, batch) for batch in (2, 3)]
    go(*workers)
    finish(*workers)
    check_everything_billed_once(house)
    assert (counts(house, run_id)["customers"], counts(house, run_id)["errors"]) == (MEMBERS, 0)


def test_two_processes_on_two_runs_of_one_scope_bill_everything_once(house: Any, process: Start) -> None:
    crowd(house)
    runs = [start(house), start(house)]
    workers = [process(run_id, batch) for run_id, batch in zip(runs, (2, 3), strict=True)]
    go(*workers)
    finish(*workers)
    check_everything_billed_once(house)
    assert sum(counts(house, run_id)["invoices"] for run_id in runs) == 2 * MEMBERS
    assert sum(counts(house, run_id)["errors"] for run_id in runs) == 0


@pytest.mark.parametrize("step", ["planned", "numbered", "inserted", "stored", "sources settled", "announced"])
def test_a_process_killed_in_the_middle_of_a_batch_is_followed_by_another(
    house: Any, process: Start, step: str
) -> None:
    crowd(house, 5)
    run_id = start(house)
    first = process(run_id, 2, step)
    go(first)
    assert sorted([read(first), read(first)]) == ["running", "stopped"]
    second = process(run_id, 2)
    go(second)  # it waits for what the first has locked
    first.kill()
    finish(second)
    check_everything_billed_once(house, 5)
    assert (counts(house, run_id)["customers"], counts(house, run_id)["invoices"]) == (5, 10)


def test_a_process_killed_between_its_turns_is_followed_by_another(house: Any, process: Start) -> None:
    crowd(house)
    run_id = start(house)
    first = process(run_id, 1)
    go(first)
    assert read(first) == "running"
    first.kill()
    second = process(run_id, 5)
    go(second)
    finish(second)
    check_everything_billed_once(house)
    assert counts(house, run_id)["customers"] == MEMBERS
