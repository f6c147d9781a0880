"""``deskledger admin <service>``: every service's own ``admin`` commands, on the suite's databases."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import click

from common.cli import service_cli
from common.clock import SystemClock
from common.messaging import LocalTransport, resend
from common.service import Service
from contracts.subscriptions import ROUTING
from standalone.config import SuiteSettings, load_suite_settings
from standalone.postgres import database_url, present_server
from standalone.services import ALL_SERVICES
from standalone.suite import make_runtime


@dataclass(frozen=True)
class Installation:
    """The suite's settings, and the server that has its databases."""

    settings: SuiteSettings
    server_url: str


@click.group()
@click.pass_context
def admin(context: click.Context) -> None:
    """Look after one service: dead letters, resending, signing keys. The suite may be running meanwhile."""
    if context.obj is None:
        settings = load_suite_settings()
        if settings.database_url is None and not (settings.data / "postgres").exists():
            raise click.ClickException(f"there are no data in {settings.data}: set DESKLEDGER_DATA")
        context.obj = Installation(settings, context.with_resource(present_server(settings)))


def _commands_of(service: Service) -> click.Group:
    @click.group(service.name, help=f"Look after {service.name}.")
    @click.pass_obj
    def group(installation: Installation) -> None:
        # The commands are the same as on servers of their own, and read what they need from there.
        settings, name = installation.settings, f"{installation.settings.database_prefix}{service.name}"
        os.environ.update(settings.environment(database_url(installation.server_url, name)))

    for command in cast(click.Group, service_cli(service).commands["admin"]).commands.values():
        group.add_command(command)
    group.add_command(_outbox(service))  # without a broker messages go another way
    return group


def _outbox(service: Service) -> click.Group:
    @click.group(help="Messages that this service wrote.")
    def outbox() -> None:
        pass

    @outbox.command("resend")
    @click.argument("to_service", type=click.Choice([each.name for each in ALL_SERVICES]))
    @click.option("--days", default=3650, show_default=True, help="How far back.")
    @click.pass_obj
    def resend_command(installation: Installation, to_service: str, days: int) -> None:
        """Send this service's messages to one consumer again, with the same ids: what it has handled, it drops."""
        since = SystemClock().now() - timedelta(days=days)
        sender, receiver = (
            make_runtime(each, installation.settings, installation.server_url)
            for name in (service.name, to_service)
            for each in ALL_SERVICES
            if each.name == name
        )
        transport = LocalTransport({to_service: receiver.consumer}, ROUTING)
        count = resend(sender.database, transport, to_service, since=since)
        for runtime in (sender, receiver):
            runtime.close()
        click.echo(f"{count} messages sent to {to_service}")

    return outbox


for _service in ALL_SERVICES:
    admin.add_command(_commands_of(_service))
