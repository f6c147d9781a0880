"""Building a service's parts from its definition: web app, consumer, worker threads."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from common.config import Settings
from common.db import Database
from common.db.migrate import upgrade_database
from common.db.revisions import database_fault
from common.housekeeping import Housekeeping
from common.http import ServiceApp, create_service_app
from common.jobs import Job, Scheduler
from common.measurements import Measurements
from common.messaging import Consumer, Relay, Transport
from common.service import Service
from common.telemetry import export_spans
from common.worker_http import worker_http

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

    @property
    def jobs(self) -> Sequence[Job]:
        """The service's scheduled work."""
        return self.service.build_jobs(self.settings)

    def export_spans(self) -> None:
        """Send this process's spans to the collector, when one is set."""
        export_spans(self.service.name, self.settings.otel_endpoint)

    def web(self) -> ServiceApp:
        """The WSGI application."""
        return create_service_app(self.service, self.settings, self.database)

    def worker_loops(
        self, transport: Transport, depth: Callable[[], Mapping[str, int] | None] | None = None
    ) -> Mapping[str, Callable[[threading.Event], None]]:
        """Relay, scheduler, housekeeping and measuring; a broker's consumer loop joins them in `run_worker`."""
        jobs = self.jobs
        return {
            "housekeeping": Housekeeping(self.database, self.service.name).run,
            "measurements": Measurements(self.database, self.service.name, jobs, depth).run,
            "relay": Relay(self.database, transport, self.service.name, batch=transport.batch).run,
            "scheduler": Scheduler(self.database, jobs, self.service.name).run,
        }

    def run_worker(self, stop: threading.Event) -> None:
        """The worker process on RabbitMQ: consume, relay and schedule until ``stop``."""
        # The standalone suite has no broker and need not load kombu.
        from common.messaging.depth import QueueDepth
        from common.messaging.rabbit import RabbitConsumerLoop, RabbitTransport, Topology

        self.export_spans()
        url, name = self.settings.amqp_url, self.service.name
        topology = Topology(self.service.subscriptions, prefix=self.settings.amqp_prefix)
        consuming = RabbitConsumerLoop(url, topology, self.consumer)
        loops = dict(self.worker_loops(RabbitTransport(url, topology), QueueDepth(url, topology, name)))
        loops["consumer"] = consuming.run
        threads = start_threads(name, loops, stop)

        def unready() -> list[str]:
            fault = database_fault(self.database, self.service.migrations)
            away = None if consuming.consuming.is_set() else "the broker cannot be reached: no messages are consumed"
            return [each for each in (fault, away) if each]

        settings = self.settings
        with worker_http(
            name, settings.metrics_bind, settings.worker_port, dead=lambda: _ended(threads), unready=unready
        ):
            wait_for_threads(name, threads, stop)

    def close(self) -> None:
        """Close the database's connections."""
        self.database.dispose()


def run_threads(name: str, loops: Mapping[str, Callable[[threading.Event], None]], stop: threading.Event) -> None:
    """Run loops in threads until ``stop`` is set, then wait for them to finish what they are doing."""
    wait_for_threads(name, start_threads(name, loops, stop), stop)


def wait_for_threads(name: str, threads: Sequence[threading.Thread], stop: threading.Event) -> None:
    """Wait until ``stop`` is set (or set it, when a thread has died), then for the threads to finish."""
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


def _ended(threads: Sequence[threading.Thread]) -> list[str]:
    return [f"the thread {thread.name} has ended" for thread in threads if not thread.is_alive()]


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` on SIGTERM and Ctrl-C."""

    def handle(_number: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
