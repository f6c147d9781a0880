"""A circuit breaker: a service that keeps failing is left alone for a moment, so that callers do not queue up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Opens after ``threshold`` failures in a row; after ``rest`` seconds one caller may try again."""

    def __init__(
        self, *, threshold: int = 5, rest: float = 2.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold, self._rest, self._monotonic = threshold, rest, monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    def seconds_to_wait(self) -> float:
        """0 when a call may be made; the caller is then the one that tries, if the circuit was open."""
        if self._failures < self._threshold:
            return 0.0
        with self._lock:
            now = self._monotonic()
            if now < self._closed_again_at:
                return self._closed_again_at - now
            # The others keep waiting while this caller tries.
            self._closed_again_at = now + self._rest
            return 0.0

    def succeeded(self) -> None:
        """The call was answered, whatever the answer said."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def failed(self) -> None:
        """The call was not answered."""
        with self._lock:
            self._failures += 1
            self._closed_again_at = self._monotonic() + self._rest
