"""Settings of the gateway; the only reader of its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.config import from_env, load_settings

SERVICES = ("members", "catalog", "booking", "invoicing", "payments", "notifications")


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """Where the services are and how much the door lets through. Times in seconds, limits per minute (0: none)."""

    internal_token: str = from_env("DESKLEDGER_INTERNAL_TOKEN")
    members_url: str = from_env("MEMBERS_URL", "")
    catalog_url: str = from_env("CATALOG_URL", "")
    booking_url: str = from_env("BOOKING_URL", "")
    invoicing_url: str = from_env("INVOICING_URL", "")
    payments_url: str = from_env("PAYMENTS_URL", "")
    notifications_url: str = from_env("NOTIFICATIONS_URL", "")
    portal_url: str = from_env("PORTAL_URL", "")
    log_level: str = from_env("LOG_LEVEL", "INFO")
    log_format: str = from_env("LOG_FORMAT", "json")
    otel_endpoint: str = from_env("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    max_body_bytes: int = from_env("MAX_BODY_BYTES", 16 * 1024 * 1024)
    upstream_seconds: float = from_env("UPSTREAM_TIMEOUT_SECONDS", 60.0)
    connect_seconds: float = from_env("UPSTREAM_CONNECT_SECONDS", 1.0)
    pool_size: int = from_env("UPSTREAM_POOL_SIZE", 32)
    # Comma separated addresses or networks whose X-Forwarded-For and -Proto are believed.
    trusted_proxies: str = from_env("TRUSTED_PROXIES", "127.0.0.0/8,::1")
    # Comma separated origins whose pages may call the API, or * for all.
    cors_origins: str = from_env("CORS_ORIGINS", "")
    address_limit: int = from_env("RATE_LIMIT_PER_ADDRESS", 6000)
    key_limit: int = from_env("RATE_LIMIT_PER_KEY", 6000)
    sign_in_limit: int = from_env("RATE_LIMIT_SIGN_IN", 300)
    # Where several processes count together: a file that all of them can map; empty: each counts for itself.
    rate_limit_file: str = from_env("RATE_LIMIT_FILE", "")
    own_writes_seconds: float = from_env("READ_OWN_WRITES_SECONDS", 3.0)
    clock_advance_seconds: float = from_env("CLOCK_ADVANCE_SECONDS", 25.0)
    clock_status_seconds: float = from_env("CLOCK_STATUS_SECONDS", 10.0)

    def urls(self) -> dict[str, str]:
        """The configured services, and the portal, with their base addresses."""
        named = {name: getattr(self, f"{name}_url") for name in (*SERVICES, "portal")}
        return {name: url for name, url in named.items() if url}


def load_gateway_settings(environ: Mapping[str, str]) -> GatewaySettings:
    """Read the environment; raises ConfigurationError naming what to set."""
    return load_settings(GatewaySettings, environ)
