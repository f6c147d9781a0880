"""Charges per second of automatic collection, with a provider that answers after 50 ms, beside the ideal.

One worker process with a pool of 8 charges at once, on real PostgreSQL: intents claimed and committed, the provider
called outside any transaction, outcomes and messages recorded. The provider is a double that sleeps and says yes.
The ideal is workers / latency: a pool that never waits for anything else. Beside it: the same pool with no database.
Another organisation's invoices are collected before, to warm up.

    python bench/collection.py [--invoices 1500] [--workers 8] [--latency-ms 50]
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, make_url, select

from common.db import Database
from common.db.migrate import create_database, drop_databases, upgrade_database
from common.ids import new_id
from common.jobs import JobRun
from common.tenancy import store_organization
from payments.config import PaymentsSettings
from payments.gateways.port import ChargeOutcome, ChargeRequest, ChargeState
from payments.gateways.sandbox import SandboxGateway
from payments.models import BillingSettings, Collection, Gateway, Invoice, Payment, PaymentMethod
from payments.service import SERVICE
from payments.services.collecting import collect_due
from payments.services.providers import Providers

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
_WARM_UP = 100  # invoices
NOW = datetime(2027, 2, 19, 8, tzinfo=UTC)


class SlowYes(SandboxGateway):
    """The sandbox's adapter, as far away as a real provider."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Yes, after a while."""
        time.sleep(self._seconds)
        return ChargeOutcome(ChargeState.SUCCEEDED, f"ch_{request.idempotency_key}")


@contextmanager
def database() -> Iterator[Database]:
    """A migrated database of our own, dropped afterwards."""
    name = f"bench_collection_{secrets.token_hex(4)}"
    create_database(SERVER, name)
    url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    upgrade_database(url, SERVICE.migrations)
    opened = Database(url)
    try:
        yield opened
    finally:
        opened.dispose()
        drop_databases(SERVER, name)


def furnish(opened: Database, invoices: int) -> UUID:
    """An organisation with a gateway, and as many members with a card and an invoice that is due."""
    organization_id, gateway_id = new_id(), new_id()
    with opened.system_session() as session:
        store_organization(
            session,
            {
                "id": organization_id, "slug": f"bench-{organization_id.hex}", "name": "Bench", "country": "DE",
                "currency": "EUR", "timezone": "Europe/Berlin", "mode": "rehearsal", "clock_now": NOW, "version": 1,
                "clock_version": 1,
            },
        )  # fmt: skip
        session.commit()
    mine: dict[str, Any] = {"organization_id": organization_id}
    members = [new_id() for _ in range(invoices)]
    with opened.session(organization_id) as session:
        session.execute(
            insert(Gateway),
            [{**mine, "id": gateway_id, "version": 1, "provider": "sandbox", "label": "Slow", "methods": ["card"],
              "has_webhook_secret": False, "is_live": False, "state": "connected", "created_at": NOW}],
        )  # fmt: skip
        session.execute(
            insert(BillingSettings),
            [{**mine, "id": organization_id, "automatic_collection": True, "pay_now": True, "charge_hour": 9,
              "retry_days": [1, 3, 5, 7], "version": 1}],
        )  # fmt: skip
        session.execute(insert(PaymentMethod), [_method(mine, gateway_id, member) for member in members])
        session.execute(insert(Invoice), [_invoice(mine, member, place) for place, member in enumerate(members)])
        ids = session.scalars(select(Invoice.id)).all()
        planned = {"due_at": NOW, "next_attempt_at": NOW, "state": "scheduled", "failures": 0}
        session.execute(insert(Collection), [{**mine, **planned, "id": invoice_id} for invoice_id in ids])
        session.commit()
    return organization_id


def _method(mine: dict[str, Any], gateway_id: UUID, member: UUID) -> dict[str, Any]:
    return {
        **mine, "id": new_id(), "version": 1, "gateway_id": gateway_id, "provider": "sandbox", "owner_id": member,
        "member_id": member, "customer_reference": f"cus_{member.hex}", "reference": f"pm_{member.hex}", "kind": "card",
        "brand": "visa", "last4": "4242", "announced": [], "is_default": True, "wants_default": True, "state": "active",
        "since": NOW, "created_at": NOW,
    }  # fmt: skip


def _invoice(mine: dict[str, Any], member: UUID, place: int) -> dict[str, Any]:
    return {
        **mine, "id": new_id(), "number": f"INV-{place:06}", "state": "open", "payer_id": member,
        "customer": {"member_id": str(member), "company_id": None, "name": "Example Member"},
        "issue_date": date(2027, 2, 12), "due_date": date(2027, 2, 19), "timezone": "Europe/Berlin", "currency": "EUR",
        "total_minor": 30000, "credited_minor": 0, "kept_minor": 0, "noted_minor": 0, "collect": True,
        "collect_now": False, "booking_ids": [], "received_at": NOW, "version": 1,
    }  # fmt: skip


def ceiling(workers: int, seconds: float, charges: int) -> float:
    """Charges per second of the bare pool."""
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: time.sleep(seconds), range(charges)))
    return charges / (time.perf_counter() - started)


def collect(workers: int, seconds: float, invoices: int) -> tuple[float, float]:
    """Charges per second of the job, from the first claim to the last recorded outcome; CPU milliseconds for each."""
    with database() as opened:
        settings = PaymentsSettings(
            database_url=opened.url, internal_token="bench", secret="bench", charge_workers=workers,
            charges_per_second=1_000_000,
        )  # fmt: skip
        providers = Providers(settings, lambda *_: SlowYes(seconds))
        # A worker lives for weeks: its first statements and its connections are not what is asked about.
        collect_due(JobRun(opened, furnish(opened, _WARM_UP), NOW), providers)
        organization_id = furnish(opened, invoices)
        started, used = time.perf_counter(), time.process_time()
        collect_due(JobRun(opened, organization_id, NOW), providers)
        took, used = time.perf_counter() - started, time.process_time() - used
        with opened.session(organization_id) as session:
            statement = select(func.count()).select_from(Payment).where(Payment.state == "succeeded")
            assert session.scalar(statement) == invoices
    return invoices / took, 1000 * used / invoices


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--latency-ms", type=int, default=50)
    asked = parser.parse_args()
    seconds = asked.latency_ms / 1000
    print(f"rig: {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, PostgreSQL at {SERVER}")
    ideal = asked.workers / seconds
    bare = ceiling(asked.workers, seconds, 400)
    reached, cpu = collect(asked.workers, seconds, asked.invoices)
    print(f"ideal (workers / latency)   {ideal:8.1f} charges/s")
    print(f"pool without a database     {bare:8.1f} charges/s")
    print(f"automatic collection        {reached:8.1f} charges/s = {100 * reached / ideal:.0f} % of the ideal")
    print(
        f"CPU of this process         {cpu:8.2f} ms per charge, of {1000 / ideal:.2f} ms that the ideal leaves for each"
    )


if __name__ == "__main__":
    main()
