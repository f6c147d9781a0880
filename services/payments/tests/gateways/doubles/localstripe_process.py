"""localstripe as a process of its own, and the SDK's HTTP client for it.

localstripe follows an old API: what it has never heard of is left out or renamed on the way, and nothing else is
touched. It does not honour idempotency keys, takes debits at once and knows no listing by customer.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import stripe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API_KEY = "sk_test_localstripe"
WEBHOOK_SECRET = "whsec_localstripe"

# Its own command listens on all addresses and writes its state to a file shared by all copies; ours does neither.
_PROGRAM = """
import sys
from aiohttp import web
from localstripe import resources
resources.Store.dump_to_disk = lambda self: None
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""

_UNKNOWN_FIELDS = re.compile(r"(?:^|&)(?:description|setup_future_usage|automatic_payment_methods%?\w*\[?[^=]*)=[^&]*")


class LocalstripeClient(stripe.RequestsClient):
    """Speaks localstripe's dialect of the API."""

    def request(  # type: ignore[override]  # the SDK's own RequestsClient narrows it the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request; the parts that localstripe does not know are dropped."""
        if method == "get" and "/v1/payment_intents?" in url:
            url = re.sub(r"customer=[^&]*&?", "", url)
        if method == "get" and "/v1/payouts?" in url:
            url = re.sub(r"created[^=]*=[^&]*&?", "", url)
        if post_data and "/v1/payment_intents" in url:
            post_data = _UNKNOWN_FIELDS.sub("", post_data).lstrip("&")
        if post_data and "/v1/setup_intents" in url:
            post_data = post_data.replace("allowed_payment_method_types", "payment_method_types")
        return super().request(method, url, headers, post_data)


@contextmanager
def running_localstripe() -> Iterator[str]:
    """The address of a localstripe that lives as long as the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(port)])
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("localstripe did not start")
