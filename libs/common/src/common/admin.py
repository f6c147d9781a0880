"""``<service> admin``: dead letters, resending, housekeeping and the doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.clock import SystemClock
from common.doctor import examine
from common.errors import DomainError
from common.messaging import deadletters
from common.messaging import resend as resend_messages
from common.runtime import ServiceRuntime
from common.service import Service

console = Console()

__all__ = ["admin_group", "examine"]


def admin_group(service: Service, runtime: Callable[[], ServiceRuntime]) -> click.Group:
    """The ``admin`` commands of a service; what they opened is closed when they end."""

    def opened() -> ServiceRuntime:
        running = runtime()
        click.get_current_context().call_on_close(running.close)
        return running

    @click.group(help="Look after the service's messages and tables.")
    def admin() -> None:
        pass

    admin.add_command(_dead_letters(opened))
    admin.add_command(_outbox(service, opened))

    @admin.command()
    def doctor() -> None:
        """Say in plain words what is wrong; exits with 1 when anything is."""
        running = opened()
        findings = examine(running.database, running.service.migrations, running.jobs)
        for finding in findings:
            console.print(f"[red]✗[/red] {escape(finding)}")
        if findings:
            raise SystemExit(1)
        console.print(f"[green]✓[/green] {service.name} is well")

    return admin


def _dead_letters(runtime: Callable[[], ServiceRuntime]) -> click.Group:
    @click.group("dead-letters", help="Messages that could not be handled.")
    def group() -> None:
        pass

    @group.command("list")
    @click.option("--all", "closed", is_flag=True, help="Also the replayed and dropped ones.")
    def list_letters(closed: bool) -> None:
        """Show what waits for somebody."""
        table = Table("id", "type", "attempts", "died at", "error")
        for letter in deadletters.list(runtime().database, closed=closed):
            table.add_row(
                str(letter.id), letter.type, str(letter.attempts), f"{letter.died_at:%F %T}", letter.error[:80]
            )
        console.print(table)

    @group.command()
    @click.argument("letter_id", type=UUID)
    def show(letter_id: UUID) -> None:
        """Show one message with its body and error."""
        with _plain_refusals():
            letter = deadletters.show(runtime().database, letter_id)
        console.print(letter.envelope, letter.body.decode(errors="replace"), letter.error)

    @group.command()
    @click.argument("letter_id", type=UUID)
    def replay(letter_id: UUID) -> None:
        """Handle a message again."""
        running = runtime()
        with _plain_refusals():
            outcome = deadletters.replay(running.database, running.consumer, letter_id)
        console.print(outcome.result.value, outcome.error or "")

    @group.command()
    @click.argument("letter_id", type=UUID)
    def drop(letter_id: UUID) -> None:
        """Give a message up for good."""
        with _plain_refusals():
            deadletters.drop(runtime().database, letter_id)

    return group


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        raise click.ClickException(error.detail) from error


def _outbox(service: Service, runtime: Callable[[], ServiceRuntime]) -> click.Group:
    @click.group(help="Messages that this service wrote.")
    def outbox() -> None:
        pass

    @outbox.command()
    @click.argument("to_service")
    @click.option("--days", default=3650, show_default=True, help="How far back.")
    def resend(to_service: str, days: int) -> None:
        """Send this service's messages to one consumer again, with the same ids (builds a new service's copies)."""
        if not runtime().settings.amqp_url:
            raise click.ClickException("set AMQP_URL: messages are resent through the broker")
        from common.messaging.rabbit import RabbitTransport, Topology

        running = runtime()
        topology = Topology(service.subscriptions, prefix=running.settings.amqp_prefix)
        transport = RabbitTransport(running.settings.amqp_url, topology)
        since = SystemClock().now() - timedelta(days=days)
        count = resend_messages(running.database, transport, to_service, since=since)
        console.print(f"{count} messages sent to {to_service}")

    return outbox
