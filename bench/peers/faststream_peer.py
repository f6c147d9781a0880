"""FastStream over RabbitMQ: awaited publishing with confirms, one consumer process that acks after the handler."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from faststream.rabbit import Channel, RabbitBroker, RabbitQueue


def consume(url: str, queue: str, handled: Any) -> None:
    """One consumer process, until it is terminated."""
    asyncio.run(_consume(url, queue, handled))


async def _consume(url: str, queue: str, handled: Any) -> None:
    broker = RabbitBroker(url, logger=None, log_level=logging.CRITICAL)

    @broker.subscriber(RabbitQueue(queue, durable=True), channel=Channel(prefetch_count=100))
    async def ticked(_number: int, _sent_ns: int, _note: str) -> None:
        handled.value += 1

    await broker.start()
    await asyncio.Event().wait()


def publish(url: str, queue: str, bodies: list[tuple[int, int, str]]) -> None:
    """Each message waits for its confirm."""
    asyncio.run(_publish(url, queue, bodies))


async def _publish(url: str, queue: str, bodies: list[tuple[int, int, str]]) -> None:
    names = ("_number", "_sent_ns", "_note")
    async with RabbitBroker(url, logger=None) as broker:
        for body in bodies:
            await broker.publish(dict(zip(names, body, strict=True)), queue, persist=True)
