"""What the launcher is told: the only reader of its environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from servers.processes import PORTS, SERVICES, STORING


class SettingsError(Exception):
    """The environment does not say enough; the text says what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the servers are and where the processes listen.

    Ports: the gateway on ``port``, the other web processes after it, then the workers' health and metrics.
    """

    database_urls: Mapping[str, str]
    amqp_url: str
    host: str
    port: int
    data: Path
    web_workers: int
    internal_token: str
    secret: str
    public_url: str
    log_level: str
    log_format: str

    def port_of(self, service: str) -> int:
        """The gateway has ``port`` itself; the others follow in the order of the table."""
        return self.port + SERVICES.index(service)

    def worker_port_of(self, service: str) -> int:
        """Where a service's worker tells its health and metrics: after the web processes, in the same order."""
        return self.port + len(SERVICES) + STORING.index(service)

    def url_of(self, service: str) -> str:
        """Where a service's web process answers, on this machine."""
        return f"http://127.0.0.1:{self.port_of(service)}"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; raises SettingsError with a sentence that says what to set."""
    data = Path(environment.get("DESKLEDGER_DATA", "var/servers")).resolve()
    return Settings(
        database_urls={name: _database_url(name, environment) for name in STORING},
        amqp_url=_required(environment, "AMQP_URL", "amqp://user:password@host:5672/vhost"),
        host=environment.get("DESKLEDGER_HOST", "127.0.0.1"),
        port=_number(environment, "DESKLEDGER_PORT", 8000),
        data=data,
        web_workers=_number(environment, "DESKLEDGER_WEB_WORKERS", 2),
        internal_token=environment.get("DESKLEDGER_INTERNAL_TOKEN") or _kept(data / "internal-token"),
        secret=environment.get("DESKLEDGER_SECRET") or _kept(data / "secret"),
        public_url=environment.get("PUBLIC_URL") or f"http://localhost:{_number(environment, 'DESKLEDGER_PORT', 8000)}",
        log_level=environment.get("LOG_LEVEL", "INFO"),
        log_format=environment.get("LOG_FORMAT", "console"),
    )


def database_on(server_url: str, database: str) -> str:
    """The server's URL with another database in it."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def _database_url(service: str, environment: Mapping[str, str]) -> str:
    own = environment.get(f"{service.upper()}_DATABASE_URL")
    if own:
        return own
    example = "postgresql://user:password@host:5432"
    return database_on(_required(environment, "DESKLEDGER_POSTGRES_URL", example), f"deskledger_{service}")


def _required(environment: Mapping[str, str], name: str, example: str) -> str:
    value = environment.get(name)
    if not value:
        raise SettingsError(f"Set {name}, for example {name}={example}")
    return value


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536 - PORTS:
        raise SettingsError(f"{name} is {text!r}; set it to a whole number such as {default}")
    return int(text)


def _kept(path: Path) -> str:
    """A secret that all processes share, made once per data folder so that a restart agrees with it.

    It becomes visible complete and with its owner's rights only, however many launchers start at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()
