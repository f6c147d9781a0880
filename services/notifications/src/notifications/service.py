"""The notifications service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.http import Blueprint, ServiceApp
from common.jobs import Job
from common.service import Service
from contracts.subscriptions import ROUTING
from notifications.api import notifications, settings, templates, webhooks
from notifications.commands import read_bounce_command
from notifications.config import NotificationsSettings
from notifications.jobs import build_jobs
from notifications.mail.links import LINKS
from notifications.messages.handlers import handlers
from notifications.models import Base
from notifications.services.sealing import reseal_secrets


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (notifications.blueprint, templates.blueprint, webhooks.blueprint, settings.blueprint)


def _setup(_app: ServiceApp, settings: NotificationsSettings) -> None:
    LINKS.use(settings.public_url)


def _jobs(settings: NotificationsSettings) -> Sequence[Job]:
    # The worker's message handlers write links, and get to know the settings here.
    LINKS.use(settings.public_url)
    return build_jobs(settings)


SERVICE = Service(
    name="notifications",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=NotificationsSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
    build_jobs=_jobs,
    setup=_setup,
    prepare=reseal_secrets,
    commands=(read_bounce_command,),
)
