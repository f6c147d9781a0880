"""Settings of the catalog service; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import Settings, from_env


@dataclass(frozen=True, kw_only=True)
class CatalogSettings(Settings):
    """What the catalog needs besides what every service needs."""

    max_picture_bytes: int = from_env("MAX_PICTURE_BYTES", 10_485_760)
