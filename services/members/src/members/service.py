"""The members service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.http import Blueprint
from common.service import Service
from contracts.subscriptions import ROUTING
from members.administration import COMMANDS, prepare
from members.api import api_keys, companies, imports, members, organizations, tokens, users
from members.api.internal import register_internal_routes
from members.config import MembersSettings
from members.messages.handlers import handlers
from members.models import Base


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (
        organizations.blueprint,
        tokens.blueprint,
        api_keys.blueprint,
        imports.blueprint,
        members.blueprint,
        companies.blueprint,
        users.blueprint,
    )


SERVICE = Service(
    name="members",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=MembersSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
    setup=register_internal_routes,
    prepare=prepare,
    commands=COMMANDS,
)
