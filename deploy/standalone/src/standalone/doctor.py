"""``deskledger doctor``: what is wrong with this installation, in plain words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

from common.doctor import examine
from common.service import Service
from standalone.config import SuiteSettings
from standalone.postgres import present_server
from standalone.services import ALL_SERVICES
from standalone.suite import make_runtime

_SECONDS = 5


def findings(settings: SuiteSettings) -> Iterator[tuple[str, list[str]]]:
    """(part, what is wrong with it) for the gateway and every service; an empty list: it is well."""
    yield "gateway", _ask_gateway(settings)
    if settings.database_url is None and not (settings.data / "postgres").exists():
        yield "database", [f"there are no data in {settings.data}: the suite has never been started with this folder"]
        return
    with present_server(settings) as server_url:
        for service in ALL_SERVICES:
            yield service.name, _examine(settings, server_url, service)


def _ask_gateway(settings: SuiteSettings) -> list[str]:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - where it listens
    address = f"http://{host}:{settings.port}/readyz"
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS):
            return []
    except urllib.error.HTTPError as error:
        return [_told(error)]
    except OSError:
        return [f"nothing answers on port {settings.port}: start the suite, or set DESKLEDGER_PORT to where it runs"]


def _told(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"something else than Deskledger answers there (status {error.code})"


def _examine(settings: SuiteSettings, server_url: str, service: Service) -> list[str]:
    runtime = make_runtime(service, settings, server_url)
    try:
        return examine(runtime.database, service.migrations, runtime.jobs)
    finally:
        runtime.close()
