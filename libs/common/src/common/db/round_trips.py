"""Several statements in one round trip: libpq's pipeline mode, without the layers above it."""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

from psycopg import OperationalError
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

# The name of a prepared statement, its values and their formats.
Call = tuple[bytes, Any, Sequence[int] | None]
_ENDS_ROUND = ExecStatus.PIPELINE_SYNC


def send_together(pgconn: PGconn, calls: Sequence[Call]) -> list[PGresult]:
    """Send calls of prepared statements at once and return their results.

    After one that fails the others are not run: their results say so. Raises psycopg.OperationalError when the
    connection is lost. Waiting lets other threads work, for they may hold the locks that are waited for.
    """
    try:
        pgconn.enter_pipeline_mode()
        for name, values, formats in calls:
            pgconn.send_query_prepared(name, values, formats)
        pgconn.pipeline_sync()
        results = _read_round(pgconn)
        pgconn.exit_pipeline_mode()
    except BaseException:
        pgconn.finish()  # half a round is of no use to whoever would get the connection next
        raise
    return results


def _read_round(pgconn: PGconn) -> list[PGresult]:
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        poll.poll()
        pgconn.consume_input()
    poll.modify(pgconn.socket, select.POLLIN)
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            poll.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # the end of one statement's results
            if pgconn.status != ConnStatus.OK:
                raise OperationalError(pgconn.get_error_message())
            continue
        if result.status == _ENDS_ROUND:
            return results
        results.append(result)
