"""The invoicing service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.http import Blueprint
from common.service import Service
from contracts.subscriptions import ROUTING
from invoicing.api import (
    account_credits,
    billing_runs,
    credit_notes,
    deposits,
    fees,
    invoices,
    memberships,
    promo_code_uses,
    purchases,
    reports,
    settings,
    setup,
)
from invoicing.commands import billing_run_command, verify_chain_command
from invoicing.config import InvoicingSettings
from invoicing.jobs import build_jobs
from invoicing.messages.handlers import handlers
from invoicing.models import Base


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (
        settings.blueprint,
        memberships.blueprint,
        fees.blueprint,
        purchases.blueprint,
        billing_runs.blueprint,
        invoices.blueprint,
        credit_notes.blueprint,
        deposits.blueprint,
        account_credits.blueprint,
        reports.blueprint,
        promo_code_uses.blueprint,
        setup.blueprint,
    )


SERVICE = Service(
    name="invoicing",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=InvoicingSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
    build_jobs=build_jobs,
    commands=(verify_chain_command, billing_run_command),
)
