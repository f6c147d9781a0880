"""Rate limits: counted over a sliding minute, also by several processes together."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.clock import FixedClock
from gateway import counters
from gateway.counters import SharedCounters

MINUTE = datetime(2027, 2, 1, 8, tzinfo=UTC)


def take(path: str, key: str, limit: int) -> bool:
    return SharedCounters(path).acquire_sliding_window_entry(key, limit, 60)


def take_many(path: str, key: str, limit: int, times: int) -> int:
    shared = SharedCounters(path)
    return sum(shared.acquire_sliding_window_entry(key, limit, 60) for _ in range(times))


@pytest.fixture
def clock() -> FixedClock:
    """Stands at the beginning of a minute."""
    return FixedClock(MINUTE)


def after(seconds: int) -> datetime:
    return MINUTE + timedelta(seconds=seconds)


def test_the_limit_is_reached_exactly(clock: FixedClock) -> None:
    shared = SharedCounters(clock=clock)
    assert [shared.acquire_sliding_window_entry("a", 3, 60) for _ in range(5)] == [True] * 3 + [False] * 2
    assert shared.acquire_sliding_window_entry("b", 3, 60)


def test_the_window_slides(clock: FixedClock) -> None:
    shared = SharedCounters(clock=clock)
    assert [shared.acquire_sliding_window_entry("a", 4, 60) for _ in range(4)] == [True] * 4
    clock.move_to(after(61))
    assert shared.acquire_sliding_window_entry("a", 4, 60)  # 4 × 59/60 still count as 3
    assert not shared.acquire_sliding_window_entry("a", 4, 60)
    clock.move_to(after(90))
    assert shared.acquire_sliding_window_entry("a", 4, 60)
    clock.move_to(after(600))
    assert [shared.acquire_sliding_window_entry("a", 4, 60) for _ in range(5)] == [True] * 4 + [False]


def test_processes_count_together(tmp_path: Path) -> None:
    path = str(tmp_path / "counters")
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        taken = pool.starmap(take_many, [(path, "a", 150, 100)] * 2)
    assert sum(taken) == 150


def test_threads_count_together(clock: FixedClock) -> None:
    shared = SharedCounters(clock=clock)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: shared.acquire_sliding_window_entry("a", 100, 60), range(400)))
    assert sum(taken) == 100


def test_far_more_keys_than_slots_never_refuse_a_first_request(
    clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_SLOTS", 64)
    shared = SharedCounters(clock=clock)
    assert all(shared.acquire_sliding_window_entry(f"key {number}", 1, 60) for number in range(1000))
