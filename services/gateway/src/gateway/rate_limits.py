"""How often one address or one key may come, counted over a sliding minute."""

from __future__ import annotations

import math
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from limits import RateLimitItemPerMinute
from limits.strategies import SlidingWindowCounterRateLimiter

from common.clock import SystemClock
from common.errors import TooManyRequestsError
from gateway.config import GatewaySettings
from gateway.counters import SharedCounters


class RateLimits:
    """The limits of an installation; a limit of 0 is none."""

    def __init__(self, settings: GatewaySettings, counters: SharedCounters) -> None:
        self._clock = SystemClock()
        storage: Any = counters
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._address = _per_minute(settings.address_limit)
        self._key = _per_minute(settings.key_limit)
        self._sign_in = _per_minute(settings.sign_in_limit)

    def count_address(self, address: str, *, is_sign_in: bool) -> None:
        """Count a request of an address. Raises TooManyRequestsError."""
        place = _place(address)
        self._count(self._address, "address", place)
        if is_sign_in:
            self._count(self._sign_in, "sign-in", place)

    def count_key(self, key: str) -> None:
        """Count a request of a signed-in person or an API key. Raises TooManyRequestsError."""
        self._count(self._key, "key", key)

    def _count(self, limit: RateLimitItemPerMinute | None, kind: str, identifier: str) -> None:
        if limit is None or self._limiter.hit(limit, kind, identifier):
            return
        reset = self._limiter.get_window_stats(limit, kind, identifier).reset_time
        wait = reset - self._clock.now().timestamp()
        raise TooManyRequestsError(
            "too_many_requests",
            f"more than {limit.amount} requests in a minute by one {kind}; slow down",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )


@lru_cache(maxsize=10_000)
def _place(address: str) -> str:
    """What counts as one address: with version 6 a connection has 2**64 of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False))


def _per_minute(amount: int) -> RateLimitItemPerMinute | None:
    return RateLimitItemPerMinute(amount) if amount > 0 else None
