"""``python -m gateway``: the command line of the gateway."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from common.cli import serve
from common.config import ConfigurationError
from common.telemetry import export_spans
from common.telemetry.logs import configure_logs
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings, load_gateway_settings


@click.group(help="Deskledger gateway.")
def main() -> None:
    pass


@main.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--threads", default=16, show_default=True, help="Threads in each process.")
def web(bind: str, workers: int, threads: int) -> None:
    """Answer HTTP requests (gunicorn)."""
    settings = _settings()
    with _counters_file(settings) as file:
        shared = replace(settings, rate_limit_file=file)
        serve(lambda: _app(shared), bind=bind, workers=workers, threads=threads)


def _app(settings: GatewaySettings) -> Any:
    export_spans("gateway", settings.otel_endpoint)
    return create_gateway_app(settings)


@contextmanager
def _counters_file(settings: GatewaySettings) -> Iterator[str]:
    """The file in which the worker processes count requests together; the first process removes its own at the end."""
    if settings.rate_limit_file:
        yield settings.rate_limit_file
        return
    first_process, folder = os.getpid(), tempfile.mkdtemp(prefix="deskledger-gateway-")
    try:
        yield str(Path(folder) / "rate-limits")
    finally:
        if os.getpid() == first_process:
            shutil.rmtree(folder, ignore_errors=True)


def _settings() -> GatewaySettings:
    settings = load_gateway_settings(os.environ)
    if not settings.urls():
        raise ConfigurationError("cannot start: set MEMBERS_URL, CATALOG_URL and the other services' addresses")
    configure_logs("gateway", settings.log_level, settings.log_format)
    return settings


if __name__ == "__main__":
    main()
