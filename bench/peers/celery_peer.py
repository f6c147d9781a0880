"""Celery over RabbitMQ: ``task.delay`` with publisher confirms, one worker process that acks after the task."""

from __future__ import annotations

import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning


def make_app(url: str, queue: str) -> Celery:
    """An app whose tasks go to one durable queue and leave no result."""
    app = Celery("peer", broker=url, set_as_current=False)
    app.conf.update(
        broker_transport_options={"confirm_publish": True},
        task_acks_late=True,
        task_default_queue=queue,
        task_ignore_result=True,
        worker_prefetch_multiplier=100,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def make_task(app: Celery, handled: Any) -> Any:
    """The handler: counts, nothing else."""

    @app.task(name="ticked")
    def ticked(_number: int, _sent_ns: int, _note: str) -> None:
        handled.value += 1

    return ticked


def consume(url: str, queue: str, handled: Any) -> None:
    """One worker process, until it is terminated."""
    app = make_app(url, queue)
    make_task(app, handled)
    warnings.simplefilter("ignore", SecurityWarning)
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=CRITICAL"]
    app.worker_main(["--quiet", "worker", "--pool=solo", *quiet])


def publish(url: str, queue: str, bodies: list[tuple[int, int, str]]) -> None:
    """Each message waits for its confirm."""
    app = make_app(url, queue)
    ticked = make_task(app, None)
    with app.producer_or_acquire() as producer:
        for body in bodies:
            ticked.apply_async(body, producer=producer)
