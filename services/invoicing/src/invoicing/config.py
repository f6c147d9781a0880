"""Settings of the invoicing service; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import Settings


@dataclass(frozen=True, kw_only=True)
class InvoicingSettings(Settings):
    """Nothing beyond what every service needs."""
