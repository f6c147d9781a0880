"""What a service is made of: one definition from which its web app, worker and commands are built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from common.config import Settings
from common.db import Database
from common.jobs import Job
from common.messaging import Handlers

if TYPE_CHECKING:
    import click

    from common.http.app import ServiceApp
    from common.http.blueprint import Blueprint


@dataclass(frozen=True)
class Service:
    """The definition of a service.

    ``subscriptions`` maps every service's name to the routing keys it listens to (the map of the whole system).
    ``setup`` may hang adapters onto the app (``app.extensions``); ``build_jobs`` gets the same settings; ``prepare``
    runs after each migration (a first signing key, say).
    """

    name: str
    metadata: MetaData
    migrations: Path
    settings_type: type[Settings]
    blueprints: Callable[[], Sequence[Blueprint]]
    handlers: Handlers
    subscriptions: Mapping[str, Sequence[str]]
    build_jobs: Callable[[Any], Sequence[Job]] = lambda _settings: ()
    setup: Callable[[ServiceApp, Any], None] | None = None
    prepare: Callable[[Database, Any], None] | None = None
    commands: Sequence[click.Command] = field(default_factory=tuple)
