"""A database per service: made when it is not there, and brought to the newest schema."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from servers.config import Settings, database_on
from servers.processes import environment


class MigrationError(Exception):
    """A service's schema could not be brought up to date; the text is what its command printed."""


def create_absent(database_urls: Mapping[str, str]) -> list[str]:
    """Create each URL's database unless it exists; gives the new ones' services. psycopg.Error without a server."""
    return [service for service, url in database_urls.items() if _create_absent(url)]


def _create_absent(url: str) -> bool:
    if _connects(url):  # a managed server may let us use our databases, and nothing else
        return False
    name = unquote(urlsplit(url).path.removeprefix("/"))
    with psycopg.connect(_plain(database_on(url, "postgres")), autocommit=True, connect_timeout=10) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return False  # somebody was quicker
    return True


def _connects(url: str) -> bool:
    try:
        psycopg.connect(_plain(url), connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def _plain(url: str) -> str:
    """SQLAlchemy's ``postgresql+psycopg://`` names a driver, which libpq does not know."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def migrate_all(settings: Settings) -> None:
    """Run ``python -m <service> migrate`` for every service with a database; MigrationError at the first fault."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda service: _migrate(service, settings), settings.database_urls))


def _migrate(service: str, settings: Settings) -> None:
    done = subprocess.run(  # noqa: S603 -- our own interpreter and package
        [sys.executable, "-m", service, "migrate"],
        env=os.environ | environment(service, settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MigrationError(f"{service}: migrate failed\n{done.stdout}{done.stderr}")
