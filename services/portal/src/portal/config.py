"""Settings of the portal; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import from_env


@dataclass(frozen=True, kw_only=True)
class PortalSettings:
    """The portal keeps no data: it needs the gateway and a secret that signs its cookies."""

    gateway_url: str = from_env("GATEWAY_URL", "http://127.0.0.1:8000")
    secret: str = from_env("DESKLEDGER_SECRET")
    secure_cookies: bool = from_env("PORTAL_SECURE_COOKIES", False)
    log_level: str = from_env("LOG_LEVEL", "INFO")
    log_format: str = from_env("LOG_FORMAT", "json")
