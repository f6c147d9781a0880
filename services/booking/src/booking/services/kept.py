"""Documents that were read once stay in memory per version: a version never changes, so nothing can be stale."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Parsed documents by (id, version); when ``most`` are kept the oldest goes. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, V] = {}

    def get(self, key: Hashable, read: Callable[[], V]) -> V:
        """The document of a key, read when it is asked for the first time."""
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = read()
            if len(self._values) > self._most:
                self._values.pop(next(iter(self._values)), None)
        return value
