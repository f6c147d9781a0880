"""The payments service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.http import Blueprint, ServiceApp
from common.service import Service
from contracts.subscriptions import ROUTING
from payments.api import actions, collections, gateways, methods, payments, payouts, reports, webhooks
from payments.config import PaymentsSettings
from payments.jobs import build_jobs
from payments.messages.handlers import handlers
from payments.models import Base
from payments.services.providers import Providers
from payments.services.resealing import reseal_credentials


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (
        gateways.blueprint,
        methods.blueprint,
        payments.blueprint,
        actions.blueprint,
        collections.blueprint,
        payouts.blueprint,
        webhooks.blueprint,
        reports.blueprint,
    )


def setup(app: ServiceApp, settings: PaymentsSettings) -> None:
    """Give the routes their way to providers."""
    app.extensions["providers"] = Providers(settings)


SERVICE = Service(
    name="payments",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=PaymentsSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
    build_jobs=build_jobs,
    setup=setup,
    prepare=reseal_credentials,
)
