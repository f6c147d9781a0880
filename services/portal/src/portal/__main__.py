"""``python -m portal web``."""

from __future__ import annotations

import os

import click

from common.cli import serve
from common.config import load_settings
from common.telemetry.logs import configure_logs
from portal import catalogues
from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import HttpGateway


@click.group()
def main() -> None:
    """Deskledger portal."""


@main.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--threads", default=8, show_default=True, help="Threads in each process.")
def web(bind: str, workers: int, threads: int) -> None:
    """Serve the pages (gunicorn)."""
    settings = load_settings(PortalSettings, os.environ)
    configure_logs("portal", settings.log_level, settings.log_format)
    gateway_url = settings.gateway_url
    serve(lambda: create_portal_app(settings, HttpGateway(gateway_url)), bind=bind, workers=workers, threads=threads)


@main.command()
def translations() -> None:
    """Take new texts of the sources into the catalogues, and drop those that are gone."""
    for language, lacking in catalogues.update().items():
        click.echo(f"{language}: {lacking} texts to translate")


if __name__ == "__main__":
    main()
