"""The suite's web server: waitress, with a stop that answers what was asked.

waitress's own `close` takes sockets and pipes away under its threads: they then complain of bad file descriptors, and
requests under way are cut off. Here its loop closes them itself, when the last answer has left.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

_TURN_SECONDS = 1.0
_LAST_TURN_SECONDS = 0.1


@contextmanager
def serving(wsgi: Any, host: str, port: int, *, patience: float = 20.0) -> Iterator[None]:
    """Serve while the block runs; then finish the requests under way, for at most ``patience`` seconds.

    Raises OSError when nobody can listen there.
    """
    server = _Server(wsgi, host, port)
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop(patience)
        thread.join()


class _Server:
    """waitress's parts: what listens, and the connections, by their file descriptors."""

    def __init__(self, wsgi: Any, host: str, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._waitress: Any = waitress.create_server(
                wsgi, map=self._sockets, host=host, port=port, threads=16, ident="deskledger", channel_timeout=120
            )
        except OSError:
            wasyncore.close_all(self._sockets)
            raise
        self._listening = self._all(BaseWSGIServer)
        self._stopping = threading.Event()
        self._until = 0.0

    def run(self) -> None:
        """Body of the server's thread: all sockets are its own."""
        while not self._stopping.is_set():
            self._turn(_TURN_SECONDS)
        for each in self._listening:
            wasyncore.dispatcher.close(each)
        while self._is_busy() and monotonic() < self._until:
            self._turn(_LAST_TURN_SECONDS)
        self._waitress.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)

    def stop(self, patience: float) -> None:
        """Let the thread end, by any thread."""
        self._until = monotonic() + patience
        self._stopping.set()
        for each in self._listening:
            each.pull_trigger()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, map=self._sockets, count=1)

    def _is_busy(self) -> bool:
        """Whether an answer is still to be given; connections that rest are closed, or they would ask for more."""
        connections = self._all(HTTPChannel)
        busy = [each for each in connections if each.requests or each.total_outbufs_len]
        for each in connections:
            if each not in busy:
                each.handle_close()
        return bool(busy)

    def _all(self, kind: type[Any]) -> list[Any]:
        return [each for each in list(self._sockets.values()) if isinstance(each, kind)]
