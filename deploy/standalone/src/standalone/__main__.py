"""``deskledger up``: start the suite; Ctrl-C stops it cleanly."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from common.runtime import stop_on_signals
from common.telemetry import export_spans
from common.telemetry.logs import configure_logs
from standalone.administration import admin
from standalone.config import SuiteSettings, load_suite_settings
from standalone.demo import DEMO_LOGINS, load_demo
from standalone.server import serving

console = Console()


@click.group()
def main() -> None:
    """Deskledger, the whole suite as one process."""


@main.command()
def up() -> None:
    """Start on DESKLEDGER_PORT (8000) with the data in DESKLEDGER_DATA (./var); DESKLEDGER_DEMO=0 starts empty.

    The settings of the services (SMTP_URL, PUBLIC_URL, …) are read under the names in their READMEs.
    """
    settings = load_suite_settings()
    configure_logs("standalone", settings.log_level, os.environ.get("LOG_FORMAT", "text"))
    stop = threading.Event()
    stop_on_signals(stop)
    export_spans("deskledger", os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
    from standalone.suite import running_suite

    with running_suite(settings) as suite, _served(suite.wsgi, settings):
        _announce(settings)
        if settings.demo:
            load_demo(suite.wsgi, settings.data, console)
            _announce_logins(settings)
        while not stop.wait(0.5):
            pass
        console.print("stopping …")
    console.print("stopped; the data is kept in", str(settings.data))


@main.command()
def doctor() -> None:
    """Say in plain words what is wrong; exits with 1 when anything is."""
    settings = load_suite_settings()
    configure_logs("standalone", "ERROR", "text")
    from standalone.doctor import findings

    is_well = True
    for part, wrong in findings(settings):
        for finding in wrong:
            console.print(f"[red]✗[/red] {part}: {escape(finding)}", soft_wrap=True)
        if not wrong:
            console.print(f"[green]✓[/green] {part} is well")
        is_well = is_well and not wrong
    if not is_well:
        raise SystemExit(1)


main.add_command(admin)


@contextmanager
def _served(wsgi: Any, settings: SuiteSettings) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(serving(wsgi, settings.host, settings.port))
        except OSError as error:
            raise SystemExit(
                f"cannot listen on port {settings.port}: {error.strerror}. Set DESKLEDGER_PORT."
            ) from error
        yield


def _announce(settings: SuiteSettings) -> None:
    console.print("\n[bold]Deskledger is up.[/bold]")
    console.print(f"  Admin Portal    {settings.origin}/admin")
    console.print(f"  Member Portal   {settings.origin}/portal")
    console.print(f"  API documents   {settings.origin}/docs")


def _announce_logins(settings: SuiteSettings) -> None:
    console.print(f"  Storefront      {settings.origin}/hub/{DEMO_LOGINS.organization}")
    console.print(f"\n  Organisation    {DEMO_LOGINS.organization}")
    console.print(f"  Owner           {DEMO_LOGINS.owner}  ·  {DEMO_LOGINS.password}")
    console.print(f"  Member          {DEMO_LOGINS.member}  ·  {DEMO_LOGINS.password}")
    console.print("\nCtrl-C stops it; the data is kept.\n")


if __name__ == "__main__":
    main()
