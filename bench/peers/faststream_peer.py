"""FastStream: one subscriber process, publishing with confirms in groups."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import secrets
import time
from typing import Any

from faststream import FastStream
from faststream.rabbit import RabbitBroker, RabbitQueue

NOTE = "a desk by the window, from nine to five, with a screen and a plant" * 3
GROUP = 50


def subscribe(amqp_url: str, name: str, counter: Any) -> None:
    """The subscriber process."""
    broker = RabbitBroker(amqp_url, logger=None)

    @broker.subscriber(RabbitQueue(name, durable=True))
    async def ticked(message: dict[str, Any]) -> None:  # noqa: ARG001 - the handler only counts
        counter.value += 1

    asyncio.run(FastStream(broker, logger=None).run(log_level=logging.CRITICAL))


async def publish(amqp_url: str, name: str, messages: int, counter: Any) -> float:
    """Publish all and wait for the last handler; seconds."""
    broker = RabbitBroker(amqp_url, logger=None)
    await broker.connect()
    await broker.publish({"number": 0, "note": NOTE}, queue=RabbitQueue(name, durable=True))
    while counter.value < 1:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.05)
    started = time.perf_counter()
    for first in range(0, messages, GROUP):
        group = (broker.publish({"number": n, "note": NOTE}, queue=name) for n in range(first, first + GROUP))
        await asyncio.gather(*group)
    while counter.value < messages + 1:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.005)
    elapsed = time.perf_counter() - started
    await broker.stop()
    return elapsed


def faststream_rate(amqp_url: str, messages: int) -> float:
    """Messages per second from the first publish to the last handled one."""
    counter, name = multiprocessing.Value("q", 0), f"bench-faststream-{secrets.token_hex(4)}"
    subscriber = multiprocessing.Process(target=subscribe, args=(amqp_url, name, counter), daemon=True)
    subscriber.start()
    time.sleep(2)
    messages -= messages % GROUP
    elapsed = asyncio.run(publish(amqp_url, name, messages, counter))
    subscriber.terminate()
    subscriber.join()
    _delete(amqp_url, name)
    return messages / elapsed


def _delete(amqp_url: str, name: str) -> None:
    import kombu

    with kombu.Connection(amqp_url) as connection:
        connection.channel().queue_delete(name)
