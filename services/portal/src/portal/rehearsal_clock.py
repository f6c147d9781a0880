"""The organisation's time: the real one, or a rehearsal's own clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app, g, session

from portal.api import api
from portal.formats import parse_instant
from portal.seats import current_seat

_REMEMBERED_SECONDS = 60


def now() -> datetime:
    """The organisation's time."""
    if current_seat().is_rehearsal and (told := read_clock().get("now")):
        return parse_instant(told)
    instant: datetime = current_app.extensions["clock"].now()
    return instant


def read_clock(*, fresh: bool = False) -> dict[str, Any]:
    """The rehearsal's clock. It stands still until somebody advances it, so that pages need not ask each time."""
    if "clock" in g:
        return dict(g.clock)
    kept = session.get("clock") or {}
    read_at = int(current_app.extensions["clock"].now().timestamp())
    if fresh or kept.get("of") != current_seat().organization["id"] or read_at - kept["at"] > _REMEMBERED_SECONDS:
        found = api().maybe("/v1/organization/clock", wait="false") or {}
        kept = {**found, "of": current_seat().organization["id"], "at": read_at}
        session["clock"] = kept
    return kept
