"""Counters that several gateway processes share without a server: a small file mapped into the memory of all of them.

One slot of 24 bytes per key: hash of the key, number of the current window, requests in this and the previous window.
A key looks for its slot in a short row; when the row is full, the slot that rested longest is taken over. So memory is
bounded whatever comes, and a counter is lost (in the caller's favour) only when there are far more keys than slots.

Behind the slots stands how often API keys were withdrawn, by which processes hear of it from each other.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from limits.storage import SlidingWindowCounterSupport, Storage

from common.clock import Clock, SystemClock

_SLOT = struct.Struct("<QQII")  # key, window, current, previous
_SLOTS = 1 << 16
_ROW = 8
_WITHDRAWALS = struct.Struct("<Q")  # behind the slots
_WITHDRAWALS_AT = _SLOT.size * _SLOTS
SIZE = _WITHDRAWALS_AT + _WITHDRAWALS.size


class SharedCounters(Storage, SlidingWindowCounterSupport):
    """Storage of the `limits` package in a file that processes share; without a path in this process only."""

    STORAGE_SCHEME = None

    def __init__(self, path: str = "", clock: Clock | None = None) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._thread_lock = threading.Lock()
        self._file = _open(path) if path else None
        self._memory = mmap.mmap(self._file if self._file is not None else -1, SIZE)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What `limits` may see fail: nothing of ours."""
        return OSError

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` if the weighted count of this and the last window stays within ``limit``."""
        now = self._now()
        with self._locked():
            wanted = _hash(key)
            place, window, current, previous = self._read(wanted, expiry, now)
            if _weighted(current, previous, expiry, now) + amount > limit:
                return False
            _SLOT.pack_into(self._memory, place, wanted, window, current + amount, previous)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """(previous count, its seconds left, current count, its seconds left), as `limits` wants them."""
        now = self._now()
        with self._locked():
            _, _, current, previous = self._read(_hash(key), expiry, now)
        left = expiry - now % expiry
        return previous, left if previous else 0.0, current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""
        with self._locked():
            wanted = _hash(key)
            place, window, _, _ = self._read(wanted, expiry, self._now())
            _SLOT.pack_into(self._memory, place, wanted, window, 0, 0)

    @property
    def withdrawals(self) -> int:
        """How often keys were withdrawn: what was kept about keys before the last time may be wrong."""
        count: int = _WITHDRAWALS.unpack_from(self._memory, _WITHDRAWALS_AT)[0]
        return count

    def count_withdrawal(self) -> None:
        """Let every process know that a key has been withdrawn."""
        with self._locked():
            _WITHDRAWALS.pack_into(self._memory, _WITHDRAWALS_AT, self.withdrawals + 1)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _read(self, wanted: int, expiry: int, now: float) -> tuple[int, int, int, int]:
        """A key's place, by its hash, and its (window, current, previous), brought forward to the present window."""
        window, place = int(now // expiry), self._place(wanted)
        found, at, current, previous = _SLOT.unpack_from(self._memory, place)
        if found != wanted or at < window - 1:
            return place, window, 0, 0
        return (place, window, 0, current) if at == window - 1 else (place, window, current, previous)

    def _place(self, wanted: int) -> int:
        first = wanted % _SLOTS
        row = [(first + step) % _SLOTS * _SLOT.size for step in range(_ROW)]
        oldest, oldest_window = row[0], 1 << 64
        for place in row:
            found, window, _, _ = _SLOT.unpack_from(self._memory, place)
            if found == wanted:
                return place
            if window < oldest_window:
                oldest, oldest_window = place, window
        return oldest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread_lock:
            if self._file is None:
                yield
                return
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def check(self) -> bool:
        """The memory is always there."""
        return True

    def reset(self) -> int | None:
        """Forget every key."""
        with self._locked():
            self._memory[:_WITHDRAWALS_AT] = bytes(_WITHDRAWALS_AT)
        return None

    # The other strategies of `limits` are not used here.
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def clear(self, key: str) -> None:
        raise NotImplementedError


def _weighted(current: int, previous: int, expiry: int, now: float) -> int:
    """The requests of the sliding window: this window's, and the share of the last one's that still lies in it."""
    return current + int(previous * (1 - now % expiry / expiry))


def _hash(key: str) -> int:
    # Never 0, which marks a slot that was never used.
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little") or 1


def _open(path: str) -> int:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if os.fstat(file).st_size < SIZE:
        os.ftruncate(file, SIZE)
    return file
