"""``deskledger-servers``: start, look at and stop every process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import psycopg

from servers.config import Settings, SettingsError, read_settings
from servers.databases import MigrationError, create_absent, migrate_all
from servers.processes import STORING, Process, all_processes, command, environment
from servers.supervision import Running, control, run, wait_until_ready, write_configuration

# As long as a busy machine with two cores may take.
READY_SECONDS = 240.0


@click.group()
def main() -> None:
    """Every Deskledger process on given PostgreSQL and RabbitMQ servers."""


@main.command()
def up() -> None:
    """Migrate, start everything, and keep it running until Ctrl-C."""
    settings = _settings()
    _prepare(settings)
    write_configuration(settings.data, all_processes())
    # supervisord starts in the data folder, so a relative name of it would mean another place there.
    told = os.environ | {"DESKLEDGER_DATA": str(settings.data)}
    sys.exit(run(settings.data, told, lambda running: _announce(settings, running)))


@main.command()
def migrate() -> None:
    """Create the databases that are absent and bring every schema up to date."""
    _prepare(_settings())


@main.command()
def status() -> None:
    """What runs, for how long, as which process."""
    click.echo(control(_settings().data, "status"), nl=False)


@main.command(name="exec", hidden=True)
@click.argument("service")
@click.argument("kind")
def exec_(service: str, kind: str) -> None:
    """Become one of the processes (what supervisord starts)."""
    settings = _settings()
    process = Process(service, kind)
    start = command(process, settings)
    told = os.environ | environment(service, settings)
    if kind == "web":
        told["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics_folder(settings.data / "metrics" / process.name))
    os.execve(start[0], start, told)  # noqa: S606 -- our own interpreter


def _settings() -> Settings:
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _metrics_folder(path: Path) -> Path:
    """gunicorn's processes add up their metrics in files, which must not outlive them.

    A process that outlives its killed master for a moment keeps its files: it still answers requests.
    """
    path.mkdir(parents=True, exist_ok=True)
    for file in path.glob("*.db"):
        if not Path(f"/proc/{file.stem.rpartition('_')[2]}").exists():
            file.unlink(missing_ok=True)
    return path


def _prepare(settings: Settings) -> None:
    try:
        for service in create_absent(settings.database_urls):
            click.echo(f"created the database of {service}")
        migrate_all(settings)
    except (psycopg.Error, MigrationError) as error:
        raise click.ClickException(str(error).strip()) from error
    click.echo(f"{len(STORING)} databases are up to date")


def _announce(settings: Settings, running: Running) -> None:
    gateway = settings.url_of("gateway")
    click.echo(f"starting; logs in {settings.data / 'logs'}")
    if wait_until_ready(f"{gateway}/readyz", READY_SECONDS, running):
        click.echo(f"Deskledger answers at {gateway}\nCtrl-C stops it")
    elif running():
        click.echo(f"{gateway}/readyz has not answered within {READY_SECONDS:.0f} s:", err=True)
        click.echo(control(settings.data, "status"), nl=False, err=True)


if __name__ == "__main__":
    main()
