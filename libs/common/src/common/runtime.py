"""Building a service's parts from its definition: web app, consumer, worker threads."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from common.config import Settings
from common.db import Database
from common.db.migrate import upgrade_database
from common.housekeeping import Housekeeping
from common.http import ServiceApp, create_service_app
from common.jobs import Scheduler
from common.messaging import Consumer, Relay, Transport
from common.service import Service

logger = structlog.get_logger(__name__)


class ServiceRuntime:
    """One service with its settings: the database is opened once and shared by its web app and its worker."""

    def __init__(self, service: Service, settings: Settings, database: Database | None = None) -> None:
        self.service = service
        self.settings = settings
        self.database = database or Database(settings.database_url, pool_size=settings.pool_size)
        self.consumer = Consumer(service.name, self.database, service.handlers)

    def migrate(self) -> None:
        """Bring the service's database to its newest revision."""
        upgrade_database(self.settings.database_url, self.service.migrations)
        if self.service.prepare is not None:
            self.service.prepare(self.database, self.settings)

    def web(self) -> ServiceApp:
        """The WSGI application."""
        return create_service_app(self.service, self.settings, self.database)

    def worker_loops(self, transport: Transport) -> Mapping[str, Callable[[threading.Event], None]]:
        """Relay, scheduler and housekeeping; a broker's consumer loop joins them in `run_worker`."""
        jobs = self.service.build_jobs(self.settings)
        return {
            "housekeeping": Housekeeping(self.database, self.service.name).run,
            "relay": Relay(self.database, transport, self.service.name).run,
            "scheduler": Scheduler(self.database, jobs, self.service.name).run,
        }

    def run_worker(self, stop: threading.Event) -> None:
        """The worker process on RabbitMQ: consume, relay and schedule until ``stop``."""
        # The standalone suite has no broker and need not load kombu.
        from common.messaging.rabbit import RabbitConsumerLoop, RabbitTransport, Topology

        topology = Topology(self.service.subscriptions, prefix=self.settings.amqp_prefix)
        loops = dict(self.worker_loops(RabbitTransport(self.settings.amqp_url, topology)))
        loops["consumer"] = RabbitConsumerLoop(self.settings.amqp_url, topology, self.consumer).run
        run_threads(self.service.name, loops, stop)

    def close(self) -> None:
        """Close the database's connections."""
        self.database.dispose()


def run_threads(name: str, loops: Mapping[str, Callable[[threading.Event], None]], stop: threading.Event) -> None:
    """Run loops in threads until ``stop`` is set, then wait for them to finish what they are doing."""
    threads = start_threads(name, loops, stop)
    while not stop.wait(1.0):
        if not all(thread.is_alive() for thread in threads):
            logger.error("worker_thread_died", service=name)
            stop.set()
    for thread in threads:
        thread.join(timeout=20)


def start_threads(
    name: str, loops: Mapping[str, Callable[[threading.Event], None]], stop: threading.Event
) -> list[threading.Thread]:
    """Start one daemon thread per loop."""
    threads = [
        threading.Thread(target=loop, args=(stop,), name=f"{name}-{part}", daemon=True) for part, loop in loops.items()
    ]
    for thread in threads:
        thread.start()
    return threads


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` on SIGTERM and Ctrl-C."""

    def handle(_number: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
