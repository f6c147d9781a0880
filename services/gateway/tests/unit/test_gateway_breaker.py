"""The circuit breaker."""

from __future__ import annotations

from gateway.upstreams.breaker import Breaker


def test_a_failing_service_is_left_alone_and_tried_by_one_caller_after_a_rest() -> None:
    now = [100.0]
    breaker = Breaker(threshold=3, rest=2.0, monotonic=lambda: now[0])
    for _ in range(3):
        assert breaker.seconds_to_wait() == 0
        breaker.failed()
    assert breaker.seconds_to_wait() == 2.0
    now[0] += 2.0
    assert breaker.seconds_to_wait() == 0
    assert breaker.seconds_to_wait() > 0
    breaker.succeeded()
    assert breaker.seconds_to_wait() == 0


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(threshold=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.seconds_to_wait() == 0
