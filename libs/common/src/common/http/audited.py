"""The audit log's general entry: every successful change through the API leaves one, in the transaction of the change.

A use case that calls `common.audit.record` tells more than can be seen from here; its entry then stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from flask import Request, Response, g

from common import audit
from common.auth.access import Principal
from common.http.idempotency import REPLAYED_HEADER
from common.http.work import current_session

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REMOVED = "removed"
# Secrets have no place in the log, and addresses of people would outlive their erasure.
_SECRET = re.compile(
    r"passw|secret|token|credential|api_?key|private|authorization|signature|card_?number|cvc|iban|account_number"
    r"|sort_code|mail|phone",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_PLACE = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_TEXT = 200
_ENTRIES = 20
_FIELDS = 50
_DEPTH = 5
_BYTES = 4096


class _Made(msgspec.Struct):
    """As much of an answer as tells what was made."""

    id: str


ChangesNothing = bool | Callable[[Request], bool]


def changes_nothing(view: Any = None, *, when: Callable[[Request], bool] | None = None) -> Any:
    """Mark a POST view that only computes (a quote, a preview) or signs in: it leaves no entry in the audit log.

    ``@changes_nothing`` always; ``@changes_nothing(when=…)`` for the requests that the function says. Requests with a
    true ``dry_run`` or ``preview`` need no mark.
    """

    def decorate(marked: Any) -> Any:
        marked.changes_nothing = when or True
        return marked

    return decorate if view is None else decorate(view)


def record_change(asked: Request, view: Any, response: Response) -> None:
    """Write the general entry for the running request, unless it changed nothing or the use case wrote its own."""
    principal: Principal | None = g.get("principal")
    if principal is None or not _is_change(asked, view, response):
        return
    session = current_session()
    # A public route may have turned to the organisation that it serves; the caller's own has not changed then.
    if session.organization_id != principal.organization_id or audit.is_recorded(session):
        return
    made = _made_id(response)
    audit.record(session, _action(asked), _subject(asked, made), _changes(asked, made))


def _is_change(asked: Request, view: Any, response: Response) -> bool:
    if asked.method in _SAFE or response.status_code >= 400 or REPLAYED_HEADER in response.headers:
        return False
    mark: ChangesNothing = getattr(view, "changes_nothing", False)
    return not (_is_rehearsed(asked) or (mark(asked) if callable(mark) else mark))


def _is_rehearsed(asked: Request) -> bool:
    body = _body(asked)
    if isinstance(body, dict) and (body.get("dry_run") is True or body.get("preview") is True):
        return True
    return bool(asked.query_string) and asked.args.get("dry_run", "").lower() in {"1", "true", "t", "yes", "on"}


def _body(asked: Request) -> Any:
    return asked.get_json(silent=True) if asked.is_json else None


def _action(asked: Request) -> str:
    """``POST /v1/bookings/{booking_id}/cancellation``."""
    return f"{asked.method} {_template(asked.url_rule.rule if asked.url_rule else asked.path)}"


@lru_cache(maxsize=2048)
def _template(rule: str) -> str:
    return _PLACE.sub(r"{\1}", rule)


def _subject(asked: Request, made: str | None) -> str:
    """The ids in the path, else the id that was made, else the path itself (settings have no id)."""
    named = [_REMOVED if _is_secret(name) else str(value) for name, value in (asked.view_args or {}).items()]
    return "/".join(named) or made or asked.path.removeprefix("/v1/")


def _made_id(response: Response) -> str | None:
    if not response.is_json:
        return None
    try:
        return msgspec.json.decode(response.get_data(), type=_Made).id
    except msgspec.MsgspecError:
        return None


def _changes(asked: Request, made: str | None) -> dict[str, Any]:
    changes = _asked_for(asked)
    if made and made not in (asked.view_args or {}).values() and asked.view_args:
        changes["made"] = made
    if len(msgspec.json.encode(changes)) > _BYTES:
        return {"fields": sorted(changes), "shortened": True}
    return changes


def _asked_for(asked: Request) -> dict[str, Any]:
    body = _body(asked)
    if isinstance(body, dict):
        return without_secrets(body)
    if asked.content_length:
        return {"content_type": asked.mimetype, "bytes": asked.content_length}
    return {}


def without_secrets(body: Mapping[str, Any]) -> dict[str, Any]:
    """A shortened copy of a request's body without secrets and without addresses of people."""
    return {
        str(name)[:_TEXT]: _REMOVED if _is_secret(str(name)) else _shortened(value, 1)
        for name, value in list(body.items())[:_FIELDS]
    }


@lru_cache(maxsize=2048)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


def _shortened(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        value = value[: 4 * _TEXT]
        value = _ADDRESS.sub(_REMOVED, value) if "@" in value else value
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}…"
    if not isinstance(value, (dict, list)):
        return value
    if depth >= _DEPTH:
        return "…"
    if isinstance(value, dict):
        return {
            str(name)[:_TEXT]: _REMOVED if _is_secret(str(name)) else _shortened(part, depth + 1)
            for name, part in list(value.items())[:_FIELDS]
        }
    return [_shortened(part, depth + 1) for part in value[:_ENTRIES]]
