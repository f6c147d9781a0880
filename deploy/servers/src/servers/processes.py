"""The table of processes: which service runs what, and what each is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers.config import Settings

# Services with a database and a worker. Ports are given in this order, so append new ones at the end of SERVICES.
STORING = ("catalog", "booking", "invoicing", "payments", "notifications", "members")
SERVICES = ("gateway", *STORING, "portal")
# A web process for every service, then a worker's health and metrics for every storing one.
PORTS = len(SERVICES) + len(STORING)


@dataclass(frozen=True, slots=True)
class Process:
    """One process to keep alive; its name is also its log's."""

    service: str
    kind: str

    @property
    def name(self) -> str:
        """``booking-web``."""
        return f"{self.service}-{self.kind}"


def all_processes() -> Iterator[Process]:
    """A web process for every service, and a worker for each that has a database."""
    for service in SERVICES:
        yield Process(service, "web")
        if service in STORING:
            yield Process(service, "worker")


def command(process: Process, settings: Settings) -> list[str]:
    """What starts it: a service's own command line."""
    start = [sys.executable, "-m", process.service, process.kind]
    if process.kind != "web":
        return start
    host = settings.host if process.service == "gateway" else "127.0.0.1"
    bind = f"{host}:{settings.port_of(process.service)}"
    return [*start, "--bind", bind, "--workers", str(settings.web_workers)]


def environment(service: str, settings: Settings) -> dict[str, str]:
    """What a service is told besides what the launcher's own environment says."""
    told = {
        "AMQP_URL": settings.amqp_url,
        "DESKLEDGER_INTERNAL_TOKEN": settings.internal_token,
        "DESKLEDGER_SECRET": settings.secret,
        "PUBLIC_URL": settings.public_url,
        "MAIL_FOLDER": str(settings.data / "mail"),
        "LOG_LEVEL": settings.log_level,
        "LOG_FORMAT": settings.log_format,
        "PYTHONUNBUFFERED": "1",
    }
    if service in STORING:
        told["DATABASE_URL"] = settings.database_urls[service]
        told |= {"WORKER_PORT": str(settings.worker_port_of(service)), "METRICS_BIND": "127.0.0.1"}
    if service == "gateway":
        told |= {f"{name.upper()}_URL": settings.url_of(name) for name in SERVICES if name != "gateway"}
    if service == "portal":
        told["GATEWAY_URL"] = settings.url_of("gateway")
    return told
