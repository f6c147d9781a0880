"""The commands of every service: ``web``, ``worker``, ``migrate`` and ``admin``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, cast

import click
from gunicorn.app.base import BaseApplication

from common.admin import admin_group
from common.config import load_settings
from common.runtime import ServiceRuntime, stop_on_signals
from common.service import Service
from common.telemetry.logs import configure_logs


class _Gunicorn(BaseApplication):
    """gunicorn around an application factory; each worker process builds its own app and connections."""

    def __init__(self, build: Callable[[], Any], options: dict[str, Any]) -> None:
        self._build, self._options = build, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._build()


def serve(build: Callable[[], Any], *, bind: str, workers: int, threads: int) -> None:
    """Serve a WSGI app with gunicorn until SIGTERM; requests under way are finished first."""
    options = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "graceful_timeout": 20,
        "timeout": 60,
        "keepalive": 30,
        "child_exit": _forget_process,
        "control_socket_disable": True,
    }
    _Gunicorn(build, options).run()


def _forget_process(_server: Any, worker: Any) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def service_cli(service: Service) -> click.Group:
    """The command line of a service."""

    def runtime() -> ServiceRuntime:
        settings = load_settings(service.settings_type, os.environ)
        configure_logs(service.name, settings.log_level, settings.log_format)
        return ServiceRuntime(service, settings)

    @click.group(help=f"Deskledger {service.name}.")
    def cli() -> None:
        pass

    @cli.command()
    @click.option("--bind", default="127.0.0.1:8000", show_default=True)
    @click.option("--workers", default=2, show_default=True, help="Processes.")
    @click.option("--threads", default=8, show_default=True, help="Threads in each process.")
    def web(bind: str, workers: int, threads: int) -> None:
        """Answer HTTP requests (gunicorn)."""
        runtime().close()

        def build() -> Any:
            running = runtime()
            running.export_spans()
            return running.web()

        serve(build, bind=bind, workers=workers, threads=threads)

    @cli.command()
    def worker() -> None:
        """Consume messages, relay the outbox, run scheduled jobs."""
        stop = threading.Event()
        stop_on_signals(stop)
        running = runtime()
        if not running.settings.amqp_url:
            raise SystemExit("cannot start: set AMQP_URL (without a broker use the standalone suite)")
        running.run_worker(stop)

    @cli.command()
    def migrate() -> None:
        """Create or update the database's tables."""
        runtime().migrate()
        click.echo(f"{service.name}: the database is up to date")

    cli.add_command(admin_group(service, runtime))
    for command in service.commands:
        cast(click.Group, cli.commands["admin"]).add_command(command)
    return cli
