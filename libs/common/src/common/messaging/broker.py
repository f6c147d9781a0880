"""A connection to RabbitMQ: kombu's, with our time limits, and typed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from amqp import Channel
from amqp.exceptions import AMQPError
from kombu.connection import Connection

# What the socket and py-amqp raise when a connection or channel is done for (IndexError: a torn frame).
CONNECTION_ERRORS = (AMQPError, OSError, IndexError)

HEARTBEAT = 30
_READ_AHEAD = 16 * 1024
_NO_WAIT = 0.0005


class BrokerConnection:
    """An open connection; every method but `drop` raises what `CONNECTION_ERRORS` lists when it breaks."""

    def __init__(self, url: str, *, heartbeat: int = HEARTBEAT) -> None:
        limits = {"read_timeout": 60, "write_timeout": 30}
        make: Any = Connection  # kombu is untyped
        self._kombu = make(url, connect_timeout=5, heartbeat=heartbeat, transport_options=limits)
        self._kombu.connect()
        # Kept, for py-amqp connects anew when a lost connection is asked for its transport.
        self._socket: socket.socket = self._kombu.connection.transport.sock
        _read_ahead(self._kombu.connection.transport)

    def channel(self) -> Channel:
        """A new channel."""
        return self._kombu.channel()

    def wait(self, seconds: float) -> bool:
        """Take in what the broker says; False when it said nothing for so long.

        Only positive times: with 0, py-amqp loses the head of a frame that has arrived in part.
        """
        try:
            self._kombu.drain_events(timeout=seconds)
        except TimeoutError:
            return False
        return True

    def take_in(self, seconds: float, is_enough: Callable[[], bool]) -> None:
        """Wait so long for the broker to say something, then take in what else has arrived, until it is enough.

        The socket's time limit is set once instead of twice for each of a message's frames.
        """
        if not self.wait(seconds):
            return
        usual = self._socket.gettimeout()
        self._socket.settimeout(_NO_WAIT)
        try:
            while not is_enough():
                self._kombu.drain_events()
        except TimeoutError:
            pass
        finally:
            self._socket.settimeout(usual)

    def beat(self) -> None:
        """Send a heartbeat if one is due, and raise if the broker's stay out; call about once a second."""
        self._kombu.heartbeat_check()

    def drop(self) -> None:
        """Close the socket without AMQP's farewells, which a broken connection would wait for."""
        with suppress(*CONNECTION_ERRORS):
            self._kombu.collect()


@contextmanager
def gathered(connected: socket.socket) -> Iterator[None]:
    """Let the kernel put what is sent into full packets, where it can; the rest leaves at the end.

    A packet for each message costs the broker twice the work, and the publisher half as much again.
    """
    _cork(connected, True)
    try:
        yield
    finally:
        _cork(connected, False)


def _cork(connected: socket.socket, is_on: bool) -> None:
    if hasattr(socket, "TCP_CORK"):
        with suppress(OSError):  # a closed socket is found out by what is sent
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, is_on)


def _read_ahead(transport: Any) -> None:
    """Let py-amqp read what is there instead of a few bytes at a time: a fifth of a consumer's time.

    Its reader keeps any surplus in its own buffer; the attribute is private, so without it all works as before.
    """
    if hasattr(transport, "_quick_recv"):
        receive = transport.sock.recv
        transport._quick_recv = lambda size: receive(max(size, _READ_AHEAD))
