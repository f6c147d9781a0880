"""How far collecting works ahead of its pool: enough for it never to wait, and no further (PAY-1)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from payments_house import House
from sqlalchemy import func, select

from common.jobs import JobRun
from payments.gateways.port import ChargeOutcome, ChargeRequest
from payments.gateways.sandbox import SandboxGateway
from payments.models import Payment
from payments.services import collecting
from payments.services.providers import Providers

WORKERS, INVOICES = 1, 40
BATCH, BACKLOG = 2, 4


class Watched(SandboxGateway):
    """The sandbox, a little slower, which looks at each charge how many intents wait for it."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self.waiting: list[int] = []

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """As the sandbox."""
        with self._house.database.session(self._house.id) as session:
            made = session.scalar(select(func.count()).select_from(Payment)) or 0
        self.waiting.append(made - len(self.waiting))
        time.sleep(0.02)
        return super().charge(request)


def test_what_a_killed_worker_leaves_open_is_bounded_however_many_invoices_are_due(
    app: Any, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_BATCH_PER_WORKER", BATCH)
    monkeypatch.setattr(collecting, "_BACKLOG_PER_WORKER", BACKLOG)
    house.save_method("sandbox_ok")
    house.switch_on(automatic=False)
    for _ in range(INVOICES):
        house.issue(100, due="2027-02-01")
    house.switch_on()
    house._set_clock(house.now().replace(hour=9))
    watched = Watched(house)
    settings = replace(app.extensions["settings"], charge_workers=WORKERS)
    collecting.collect_due(JobRun(house.database, house.id, house.now()), Providers(settings, lambda *_: watched))
    assert len(watched.waiting) == INVOICES
    assert max(watched.waiting) <= WORKERS * (BATCH + BACKLOG) + WORKERS, watched.waiting
    with house.database.session(house.id) as session:
        states = session.execute(select(Payment.state, func.count()).group_by(Payment.state)).all()
    assert [tuple(row) for row in states] == [("succeeded", INVOICES)]
