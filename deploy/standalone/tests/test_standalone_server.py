"""Stopping the suite's web server: what was asked is answered, nothing more is taken, and nobody complains."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from standalone.server import serving


class Slow:
    """An app whose answers can be waited for and held back."""

    def __init__(self) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.asked.set()
            self.go_on.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x" * 500_000]


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def test_a_request_under_way_is_answered_when_the_server_stops(port: int, caplog: pytest.LogCaptureFixture) -> None:
    slow, origin = Slow(), f"http://127.0.0.1:{port}"
    resting = urllib3.PoolManager(retries=False)
    with ThreadPoolExecutor(1) as elsewhere:
        with serving(slow, "127.0.0.1", port):
            assert resting.request("GET", origin).status == 200  # its connection stays open
            answer = elsewhere.submit(urllib3.request, "GET", f"{origin}/slow", retries=False)
            assert slow.asked.wait(10)
            threading.Timer(0.3, slow.go_on.set).start()
        assert (answer.result().status, len(answer.result().data)) == (200, 500_000)
    with pytest.raises(urllib3.exceptions.HTTPError):
        resting.request("GET", origin)
    assert [record.getMessage() for record in caplog.records if record.name == "waitress"] == []


def test_a_request_that_never_ends_does_not_keep_the_server(port: int) -> None:
    slow = Slow()
    with ThreadPoolExecutor(1) as elsewhere:
        with serving(slow, "127.0.0.1", port, patience=0.2):
            answer = elsewhere.submit(urllib3.request, "GET", f"http://127.0.0.1:{port}/slow", retries=False)
            assert slow.asked.wait(10)
        slow.go_on.set()
        with pytest.raises(urllib3.exceptions.HTTPError):
            answer.result()


def test_a_port_that_is_taken_is_an_error_of_the_system(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(OSError, match="in use"), serving(Slow(), "127.0.0.1", port):
            pass
