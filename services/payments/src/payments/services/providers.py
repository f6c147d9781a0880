"""The way to providers: adapters for stored gateways, kept while nothing about them changes, and paced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from uuid import UUID

from common.ids import encode_id
from payments.config import PaymentsSettings
from payments.gateways.gocardless import GoCardlessConnection
from payments.gateways.port import PaymentGateway
from payments.gateways.registry import Connections, build_gateway
from payments.gateways.stripe import StripeConnection
from payments.models import Gateway
from payments.services.vault import Vault

Build = Callable[[str, Mapping[str, str], Connections], PaymentGateway]


class Pace:
    """At most ``per_second`` starts a second, evenly; callers wait their turn."""

    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until it is the caller's turn."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        rest = turn - time.monotonic()
        if rest > 0:
            time.sleep(rest)


class Providers:
    """Opens adapters; shared by all threads of a process."""

    def __init__(
        self, settings: PaymentsSettings, build: Build = build_gateway, connections: Connections | None = None
    ) -> None:
        self.vault = Vault(*settings.secrets)
        self.public_url = settings.public_url.rstrip("/")
        self.charge_workers = settings.charge_workers
        self._per_second = settings.charges_per_second
        self._connections = connections or Connections(
            StripeConnection(api_base=settings.stripe_api_base or None),
            GoCardlessConnection(base_url=settings.gocardless_api_base or None),
        )
        self._build = build
        self._open: dict[UUID, tuple[int, PaymentGateway]] = {}
        self._paces: dict[UUID, Pace] = {}
        self._lock = threading.Lock()

    def make(self, provider: str, credentials: Mapping[str, str]) -> PaymentGateway:
        """An adapter for credentials that are not stored yet. Raises InvalidError for malformed ones."""
        return self._build(provider, credentials, self._connections)

    def open(self, row: Gateway) -> PaymentGateway:
        """The adapter of a stored gateway; no network."""
        known = self._open.get(row.id)
        if known is not None and known[0] == row.version:
            return known[1]
        adapter = self.make(row.provider, self.vault.open(row.credentials))
        self._open[row.id] = (row.version, adapter)
        return adapter

    def pace(self, gateway_id: UUID) -> Pace:
        """What keeps charges through one account below its provider's limit."""
        with self._lock:
            return self._paces.setdefault(gateway_id, Pace(self._per_second))

    def action_url(self, payment_id: UUID) -> str:
        """Public page on which a member confirms a charge with their bank."""
        public_id = encode_id("pay", payment_id)
        return f"{self.public_url}/v1/payments/{public_id}/action?key={self.vault.link_token(public_id)}"
