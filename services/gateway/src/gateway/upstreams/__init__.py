"""How the gateway reaches the services: over HTTP, or in the same process."""

from gateway.upstreams.http import HttpUpstream
from gateway.upstreams.pool import Upstreams
from gateway.upstreams.port import Answer, Upstream, UpstreamDownError, UpstreamTimeoutError
from gateway.upstreams.wsgi import WsgiUpstream

__all__ = [
    "Answer",
    "HttpUpstream",
    "Upstream",
    "UpstreamDownError",
    "UpstreamTimeoutError",
    "Upstreams",
    "WsgiUpstream",
]
