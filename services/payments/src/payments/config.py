"""Settings of the payments service; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import Settings, from_env


@dataclass(frozen=True, kw_only=True)
class PaymentsSettings(Settings):
    """What collecting needs.

    ``public_url`` is the address under which people reach the gateway, ``charge_workers`` how many charges run at once
    in a worker, ``charges_per_second`` how many one account at a provider is asked for at most. The ``…_api_base``
    addresses are only set against test servers.
    """

    secret: str = from_env("DESKLEDGER_SECRET")
    public_url: str = from_env("PUBLIC_URL", "http://localhost:8000")
    charge_workers: int = from_env("PAYMENTS_CHARGE_WORKERS", 8)
    charges_per_second: int = from_env("PAYMENTS_CHARGES_PER_SECOND", 80)
    stripe_api_base: str = from_env("STRIPE_API_BASE", "")
    gocardless_api_base: str = from_env("GOCARDLESS_API_BASE", "")
