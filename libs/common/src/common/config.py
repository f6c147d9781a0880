"""Settings from the environment, read once; what is missing or wrong stops the start with a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Any dataclass of `from_env` fields: the gateway has no database and its own settings.
SettingsT = TypeVar("SettingsT", bound="DataclassInstance")


class ConfigurationError(SystemExit):
    """The environment is not fit to start with; the message says what to set."""


def from_env(name: str, default: Any = dataclasses.MISSING) -> Any:
    """A settings field read from the variable ``name``; without a default the variable is required."""
    return field(default=default, metadata={"env": name})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service needs to know. URLs as usual: ``postgresql://user@host/db``, ``amqp://user@host/vhost``."""

    database_url: str = from_env("DATABASE_URL")
    amqp_url: str = from_env("AMQP_URL", "")
    amqp_prefix: str = from_env("AMQP_PREFIX", "")
    internal_token: str = from_env("DESKLEDGER_INTERNAL_TOKEN")
    secret: str = from_env("DESKLEDGER_SECRET", "")
    # Comma-separated: they still open what they sealed, until `migrate` has sealed it anew.
    previous_secrets: str = from_env("DESKLEDGER_PREVIOUS_SECRETS", "")
    log_level: str = from_env("LOG_LEVEL", "INFO")
    log_format: str = from_env("LOG_FORMAT", "json")
    otel_endpoint: str = from_env("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    # Where a worker answers /livez, /readyz and /metrics; port 0: nowhere.
    worker_port: int = from_env("WORKER_PORT", 0)
    metrics_bind: str = from_env("METRICS_BIND", "127.0.0.1")
    pool_size: int = from_env("DATABASE_POOL_SIZE", 10)
    max_body_bytes: int = from_env("MAX_BODY_BYTES", 1_048_576)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret that seals, then the earlier ones (`common.sealing`)."""
        return (self.secret, *filter(None, self.previous_secrets.split(",")))


def load_settings(kind: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """Read ``kind`` from the environment; raises ConfigurationError naming every missing or malformed variable."""
    hints, values, faults = get_type_hints(kind), {}, []
    for item in dataclasses.fields(kind):
        name = item.metadata["env"]
        raw = environ.get(name)
        if raw is None or raw == "":
            if item.default is dataclasses.MISSING:
                faults.append(f"set {name}")
            continue
        try:
            values[item.name] = _parse(raw, hints[item.name])
        except ValueError:
            faults.append(f"{name} must be of the kind {hints[item.name].__name__}, not {raw!r}")
    if faults:
        raise ConfigurationError("cannot start: " + "; ".join(faults))
    return kind(**values)


def _parse(raw: str, kind: type[Any]) -> Any:
    if kind is bool:
        if raw.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise ValueError(raw)
        return raw.lower() in {"1", "true", "yes"}
    return kind(raw)
