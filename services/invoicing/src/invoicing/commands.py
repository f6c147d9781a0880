"""``invoicing admin verify-chain`` and ``invoicing admin billing-run``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import func, select, union

from common.config import load_settings
from common.db import Database, TenantSession
from common.db.plumbing import organization_table
from common.errors import DomainError
from common.ids import encode_id
from invoicing.config import InvoicingSettings
from invoicing.models import BillingRun, Fee, Membership
from invoicing.services.billing.runs import start_run, work_on_run
from invoicing.services.chain import verify_documents

console = Console()


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(load_settings(InvoicingSettings, os.environ).database_url)
    try:
        yield database
    finally:
        database.dispose()


def _organization(database: Database, slug: str) -> UUID:
    with database.system_session() as session:
        found = session.scalar(select(organization_table.c.id).where(organization_table.c.slug == slug))
    if found is None:
        raise click.ClickException(f"there is no organisation with the slug {slug}")
    return UUID(str(found))


@click.command("verify-chain")
@click.argument("slug")
def verify_chain_command(slug: str) -> None:
    """Check that every issued document of an organisation is as it was issued; exits with 1 when one is not."""
    with _database() as database, database.session(_organization(database, slug)) as session:
        report = verify_documents(session)
    if not report.intact:
        console.print(f"[red]✗[/red] position {report.broken_at}: {report.reason}")
        raise SystemExit(1)
    console.print(f"[green]✓[/green] {report.checked} documents are as they were issued; last {report.last_hash[:16]}")


@click.command("billing-run")
@click.argument("slug")
@click.argument("as_of", type=click.DateTime(["%Y-%m-%d"]))
def billing_run_command(slug: str, as_of: object) -> None:
    """Make an organisation's invoices that are planned up to a day (YYYY-MM-DD)."""
    with _database() as database:
        done = _run(database, slug, as_of.date())  # type: ignore[attr-defined]
    console.print(f"{encode_id('run', done.id)}: {done.status}, {done.counts['invoices']} invoices")
    for failure in done.errors:
        console.print(f"[red]✗[/red] {failure['customer_id']}: {failure['detail']}")
    if done.errors:
        raise SystemExit(1)


def _run(database: Database, slug: str, day: date) -> BillingRun:
    organization_id = _organization(database, slug)
    with database.session(organization_id) as session:
        try:
            run = start_run(session, as_of=day)
        except DomainError as error:
            raise click.ClickException(error.detail) from error
        customers = _customers(session, day)
        session.commit()
    _work(database, organization_id, run, customers)
    with database.session(organization_id) as session:
        return session.get_one(BillingRun, run.id)


def _customers(session: TenantSession, day: date) -> int:
    payers = union(
        select(Membership.payer_id).where(Membership.issue_on <= day), select(Fee.payer_id).where(Fee.issue_on <= day)
    ).subquery()
    return session.scalar(select(func.count()).select_from(payers)) or 0


def _work(database: Database, organization_id: UUID, run: BillingRun, customers: int) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} customers"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("invoicing", total=customers)

        def show(done: BillingRun) -> None:
            progress.update(task, completed=done.counts["customers"])

        work_on_run(database, organization_id, run.id, progress=show)
