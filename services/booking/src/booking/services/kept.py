"""Documents that were read once stay in memory per version: a version never changes, so nothing can be stale."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Parsed documents by (id, version); when ``most`` are kept the oldest goes. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, V] = {}
        self._lock = Lock()

    def get(self, key: Hashable, read: Callable[[], V]) -> V:
        """The document of a key, read when it is asked for the first time."""
        value = self._values.get(key)
        if value is None:
            value = read()
            with self._lock:
                self._values[key] = value
                if len(self._values) > self._most:
                    del self._values[next(iter(self._values))]
        return value
