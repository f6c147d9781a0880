"""``Idempotency-Key``: one mechanism for every POST, in the same transaction as the effect (API.md, conventions).

A stored answer is replayed; a refusal changes nothing and is not stored, so that the same key may be used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from flask import Request, Response, g, request

from common.auth.access import Principal
from common.clock import SystemClock
from common.db import TenantSession
from common.db.collected import Collected
from common.db.statements import Rows
from common.errors import BadRequestError, ConflictError, InvalidError
from common.http.work import bind_session, current_session
from common.telemetry import current_trace

REPLAYED_HEADER = "Idempotent-Replayed"
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")
Required = bool | Callable[[Request], bool]


class Options(NamedTuple):
    """How a POST view deals with keys; see `idempotent`."""

    required: Required = False
    by_effect: bool = False
    along: bool = False


def idempotent(*, required: Required = False, by_effect: bool = False, along: bool = False) -> Callable[[Any], Any]:
    """Mark a POST view: the key is ``required``, or the use case itself is idempotent by key (``by_effect``).

    ``by_effect`` is for use cases with several transactions (a charge at a provider): they find their earlier effect
    by the key and answer with its present state and `REPLAYED_HEADER`; their entry in the audit log belongs into the
    first transaction, with the intent.

    ``along`` spares a round trip: the key is looked up with the view's first statement, for views that before it only
    read what was sent. What is wrong with that is then said first, also to a request with a key that was used.
    """

    def decorate(view: Any) -> Any:
        view.idempotency = Options(required, by_effect, along)
        return view

    return decorate


def idempotency_key() -> str | None:
    """The key of the running request, checked for its form; None without one."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= 255 and key.isprintable()):
        raise BadRequestError("idempotency_key_invalid", "Idempotency-Key must have 1 to 255 printable characters")
    return key


def options_of(view: Any) -> Options:
    """The options of a view, marked or not."""
    options: Options = getattr(view, "idempotency", _UNMARKED)
    return options


_UNMARKED = Options()


class _AnsweredEarlier(Exception):  # noqa: N818 - no error
    """Leaves a view whose answer is there already."""

    def __init__(self, response: Response) -> None:
        self.response = response


def run_once(asked: Request, view: Callable[[], Response], options: Options) -> Response:
    """Run a POST view under its key: replay a stored answer, refuse another body, or store this one."""
    required, key = options.required, idempotency_key()
    if key is None:
        if required(asked) if callable(required) else required:
            raise BadRequestError("idempotency_key_missing", "this request needs an Idempotency-Key header")
        return view()
    if options.by_effect:
        return view()
    session = _session()
    scope, fingerprint = _scope(asked), _fingerprint(asked)
    _look_up(session, scope, key, fingerprint)
    try:
        if not options.along:
            session.start()
        response = view()
        if session.is_asking_ahead:
            session.start()
    except _AnsweredEarlier as earlier:
        return earlier.response
    if response.status_code < 400:
        _store(_session(), scope, key, fingerprint, response)
    return response


def _session() -> TenantSession:
    if g.get("principal") is not None or g.get("session") is not None:
        return current_session()
    return bind_session(None)


def _scope(asked: Request) -> str:
    principal: Principal | None = g.get("principal")
    caller = f"{principal.organization_id}/{principal.subject}" if principal else f"public/{current_trace().address}"
    return f"{caller} {asked.method} {asked.path}"


def _fingerprint(asked: Request) -> str:
    return hashlib.sha256(asked.query_string + b"\n" + asked.get_data()).hexdigest()


# Two statements: the second one is sure to see what the last holder of the lock has committed.
_LOCK = "SELECT pg_try_advisory_xact_lock($1)"
_STORED = "SELECT fingerprint, status, headers, body FROM idempotency_key WHERE scope = $1 AND key = $2"
# Only a request that commits on its way, and so gives up the lock, can find another answer there: the first one stays.
_STORE = """
INSERT INTO idempotency_key (scope, key, fingerprint, status, headers, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""


def _look_up(session: TenantSession, scope: str, key: str, fingerprint: str) -> None:
    """Look for an earlier answer when the transaction begins, and leave the view with it when there is one."""
    lock = int.from_bytes(hashlib.sha256(f"{scope}\n{key}".encode()).digest()[:8], "big", signed=True)

    def judge(found: list[Rows]) -> None:
        ((got,),), stored = found
        if not got:
            raise ConflictError("idempotency_key_in_use", "a request with this key is still running")
        if stored:
            raise _AnsweredEarlier(_replay(fingerprint, *stored[0]))

    session.ask_ahead([(_LOCK, (lock,)), (_STORED, (scope, key))], judge)


def _replay(fingerprint: str, known: str, status: int, headers: dict[str, str], body: bytes) -> Response:
    if known != fingerprint:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    response = Response(body, status, headers=headers)
    response.headers[REPLAYED_HEADER] = "true"
    return response


def _store(session: TenantSession, scope: str, key: str, fingerprint: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    text = msgspec.json.encode(headers).decode()
    answer = (scope, key, fingerprint, response.status_code, text, response.get_data(), SystemClock().now())
    _ANSWERS.add(session, answer)


# A request has one answer.
_ANSWERS: Collected[tuple[Any, ...]] = Collected(lambda answers: [(_STORE, answers[-1])])
