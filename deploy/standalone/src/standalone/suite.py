"""All services, their workers, gateway and portal in one process.

The gateway reaches the services in-process, and the local transport hands messages straight to their consumers:
the same code as on many machines, without sockets and broker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from common.config import load_settings
from common.db.migrate import create_database
from common.messaging import Consumer, LocalTransport, Transport
from common.runtime import ServiceRuntime, start_threads
from common.service import Service
from contracts.subscriptions import ROUTING
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings
from gateway.upstreams import WsgiUpstream
from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import WsgiGateway
from standalone.config import SuiteSettings
from standalone.postgres import database_url, embedded_server, given_server
from standalone.services import ALL_SERVICES

Consumers = Mapping[str, Consumer]


class Suite:
    """The running suite; ``wsgi`` is its one public door."""

    def __init__(
        self, settings: SuiteSettings, server_url: str, transport: Callable[[Consumers], Transport] | None = None
    ) -> None:
        self.settings = settings
        self._server_url = server_url
        self._transport = transport or (lambda consumers: LocalTransport(consumers, ROUTING))
        self.runtimes = [make_runtime(service, settings, server_url) for service in ALL_SERVICES]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.wsgi: Any = None

    def start(self) -> None:
        """Migrate every database, start every worker, build the door."""
        for runtime in self.runtimes:
            create_database(self._server_url, runtime.database.engine.url.database or "")
            runtime.migrate()
        transport = self._transport({r.service.name: r.consumer for r in self.runtimes})
        for runtime in self.runtimes:
            self._threads += start_threads(runtime.service.name, runtime.worker_loops(transport), self._stop)
        self.wsgi = self._door()

    def _door(self) -> Any:
        upstreams: dict[str, Any] = {r.service.name: WsgiUpstream(r.service.name, r.web()) for r in self.runtimes}
        environment = self.settings.environment()
        gateway_settings = load_settings(GatewaySettings, environment)
        gateway = create_gateway_app(gateway_settings, upstreams)
        portal_settings = load_settings(PortalSettings, environment)
        upstreams["portal"] = WsgiUpstream("portal", create_portal_app(portal_settings, WsgiGateway(gateway)))
        return gateway

    def stop(self) -> None:
        """Let the workers finish what they are doing, then close all connections."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)
        for runtime in self.runtimes:
            runtime.close()


def make_runtime(service: Service, settings: SuiteSettings, server_url: str) -> ServiceRuntime:
    """One service of the suite on its database. Raises ConfigurationError for a setting that is malformed."""
    environment = settings.environment(database_url(server_url, f"{settings.database_prefix}{service.name}"))
    return ServiceRuntime(service, load_settings(service.settings_type, environment))


@contextmanager
def running_suite(settings: SuiteSettings) -> Iterator[Suite]:
    """The suite from start to clean stop, on its embedded server or the given one."""
    with ExitStack() as stack:
        server = (
            given_server(settings.database_url)
            if settings.database_url
            else embedded_server(settings.data / "postgres")
        )
        suite = Suite(settings, stack.enter_context(server))
        stack.callback(suite.stop)
        suite.start()
        yield suite
