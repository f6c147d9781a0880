"""How the SDK reaches Stripe: over connections that all threads of the process share and keep open.

The SDK's own client has a session for each thread, so that each round of collecting would greet Stripe anew, and it
spends more time on a request than the rest of the SDK together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import stripe
import urllib3
from urllib3.exceptions import HTTPError, SSLError

_KEPT = 32
_HOST = "api.stripe.com"


class KeptConnections(stripe.HTTPClient):
    """A client for `stripe.StripeClient`; times in seconds. ``HTTPS_PROXY`` and ``NO_PROXY`` are honoured."""

    name = "urllib3"

    def __init__(self, connect_timeout: float, read_timeout: float) -> None:
        super().__init__()
        usual: dict[str, Any] = {
            "maxsize": _KEPT,
            "timeout": urllib3.Timeout(connect=connect_timeout, read=read_timeout),
            "ca_certs": stripe.ca_bundle_path,
        }
        proxy = None if proxy_bypass(_HOST) else getproxies().get("https")
        self._pool: Any = urllib3.ProxyManager(proxy, **usual) if proxy else urllib3.PoolManager(**usual)

    def request(  # type: ignore[override]  # the SDK's own clients narrow it the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises stripe.APIConnectionError; the SDK repeats it when that is of use."""
        try:
            answer = self._pool.request(
                method.upper(), url, body=post_data, headers=headers, retries=False, redirect=False
            )
        except SSLError as error:
            raise _unreached(f"no safe connection to Stripe: {error}", again=False) from error
        except HTTPError as error:
            raise _unreached(f"Stripe cannot be reached: {error}", again=True) from error
        return answer.data, answer.status, answer.headers

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()


def _unreached(message: str, *, again: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(message, should_retry=again)  # type: ignore[no-untyped-call]  # the SDK's


@lru_cache
def kept_connections(connect_timeout: float, read_timeout: float) -> KeptConnections:
    """The process's client with these timeouts, for all accounts: the key is in the request."""
    return KeptConnections(connect_timeout, read_timeout)
