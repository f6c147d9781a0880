"""Celery: a task per message, one worker process with the solo pool."""

from __future__ import annotations

import multiprocessing
import secrets
import time
from typing import Any

from celery import Celery

NOTE = "a desk by the window, from nine to five, with a screen and a plant" * 3


def make_app(amqp_url: str, queue: str, counter: Any) -> Celery:
    """An app with one task that counts; its queue goes away with it."""
    app = Celery("bench", broker=amqp_url)
    app.conf.update(
        broker_transport_options={"confirm_publish": True},
        task_default_queue=queue,
        task_ignore_result=True,
        worker_prefetch_multiplier=100,
        worker_hijack_root_logger=False,
    )

    @app.task(name="ticked")
    def ticked(_number: int, _note: str) -> None:
        counter.value += 1

    return app


def work(amqp_url: str, queue: str, counter: Any) -> None:
    """The worker process."""
    app = make_app(amqp_url, queue, counter)
    app.worker_main(["worker", "--pool=solo", "--without-gossip", "--without-mingle", "--loglevel=CRITICAL"])


def celery_rate(amqp_url: str, messages: int) -> float:
    """Messages per second from the first publish to the last handled task."""
    counter, queue = multiprocessing.Value("q", 0), f"bench-celery-{secrets.token_hex(4)}"
    worker = multiprocessing.Process(target=work, args=(amqp_url, queue, counter), daemon=True)
    worker.start()
    app = make_app(amqp_url, queue, counter)
    task = app.tasks["ticked"]
    task.apply_async((0, NOTE))
    while counter.value < 1:
        time.sleep(0.05)
    started = time.perf_counter()
    for number in range(messages):
        task.apply_async((number, NOTE))
    while counter.value < messages + 1:
        time.sleep(0.005)
    elapsed = time.perf_counter() - started
    worker.terminate()
    worker.join()
    with app.connection() as connection:
        connection.channel().queue_delete(queue)
    return messages / elapsed
