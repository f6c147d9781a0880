"""Settings of the standalone suite; the only reader of its environment."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_POOL_SIZE = 6
_MEANINGLESS = {"AMQP_URL", "AMQP_PREFIX", "WORKER_PORT", "METRICS_BIND", "OTEL_EXPORTER_OTLP_ENDPOINT"}


@dataclass(frozen=True)
class SuiteSettings:
    """Where the suite listens, where it keeps its data, and the secrets that it made for itself.

    ``environ`` is what else its environment says: the services' own settings, by the names in their READMEs.
    """

    port: int
    data: Path
    demo: bool
    internal_token: str
    secret: str
    log_level: str = "WARNING"
    host: str = "127.0.0.1"
    database_url: str | None = None
    database_prefix: str = "deskledger_"
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def environment(self, database_url: str = "") -> dict[str, str]:
        """What a service, the gateway or the portal reads its settings from: what the suite knows better comes first.

        There is no broker, no other service's address, no port of a worker's own, and spans have one sender.
        """
        defaults = {
            "PUBLIC_URL": self.origin,
            "MAIL_FOLDER": str(self.data / "mail"),
            "DATABASE_POOL_SIZE": str(_POOL_SIZE),
        }
        known = {
            "DATABASE_URL": database_url,
            "DESKLEDGER_INTERNAL_TOKEN": self.internal_token,
            "DESKLEDGER_SECRET": self.secret,
            "LOG_LEVEL": self.log_level,
        }
        said = {name: value for name, value in self.environ.items() if value and name not in _MEANINGLESS}
        return defaults | said | known

    @property
    def origin(self) -> str:
        """Address of the suite for people."""
        return f"http://localhost:{self.port}"


def load_suite_settings(environ: Mapping[str, str] = os.environ) -> SuiteSettings:
    """Read DESKLEDGER_PORT, DESKLEDGER_HOST, DESKLEDGER_DATA, DESKLEDGER_DEMO, DESKLEDGER_POSTGRES_URL, LOG_LEVEL.

    DESKLEDGER_SECRET and DESKLEDGER_INTERNAL_TOKEN take the place of the secrets that the suite made for itself.
    """
    data = Path(environ.get("DESKLEDGER_DATA", "./var")).resolve()
    data.mkdir(parents=True, exist_ok=True)
    port = environ.get("DESKLEDGER_PORT", "8000")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SystemExit(f"cannot start: DESKLEDGER_PORT must be a port number, not {port!r}")
    return SuiteSettings(
        port=int(port),
        data=data,
        demo=environ.get("DESKLEDGER_DEMO", "1") != "0",
        log_level=environ.get("LOG_LEVEL", "WARNING"),
        host=environ.get("DESKLEDGER_HOST", "127.0.0.1"),
        database_url=environ.get("DESKLEDGER_POSTGRES_URL"),
        environ=dict(environ),
        **_secrets(environ, data / "secrets.json"),
    )


def _secrets(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    own = _own_secrets(path)
    return {name: environ.get(f"DESKLEDGER_{name.upper()}") or own[name] for name in ("internal_token", "secret")}


def _own_secrets(path: Path) -> dict[str, str]:
    """Secrets of this installation, made at the first start and kept readable for its owner only."""
    if not path.exists():
        made = {"internal_token": secrets.token_urlsafe(32), "secret": secrets.token_urlsafe(32)}
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        draft.replace(path)
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded
