"""Who is asking: access tokens are checked early, API keys are exchanged for access tokens.

Every service checks tokens again for itself. So when the public keys cannot be had, a token is passed on unchecked
instead of refusing everybody.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import jwt
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from common.auth.tokens import read_token, unauthenticated
from common.clock import SystemClock
from common.errors import DomainError, TooManyRequestsError, UnauthenticatedError, UnavailableError
from gateway.counters import SharedCounters
from gateway.upstreams import Answer, Upstreams

logger = structlog.get_logger(__name__)
API_KEY_PREFIX = "dk_"
_KEYS_PATH = "/v1/.well-known/jwks.json"
_REFRESH_SECONDS = 30.0  # also without an unknown key, so that withdrawn keys are forgotten
_REFRESH_AT_MOST_EVERY = 1.0
_REMEMBERED = 10_000
_LONGEST_SECONDS = 60.0  # a key that was withdrawn on another machine lives on here for this long at most
_EARLIER_SECONDS = 30.0  # an exchanged token is renewed this long before it expires
_REFUSED_SECONDS = 5.0

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token. ``claims`` is None when it could not be checked here; ``key`` names them for limits."""

    authorization: str
    key: str
    claims: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Exchanged:
    """What an API key was exchanged for, after so many withdrawals of keys."""

    token: str
    withdrawals: int


class Remembered(Generic[Value]):
    """A bounded memory with an expiry per entry."""

    def __init__(self, monotonic: Callable[[], float], size: int = _REMEMBERED) -> None:
        self._monotonic, self._size = monotonic, size
        self._entries: OrderedDict[str, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """What was kept under the key, if it has not expired."""
        until, value = self._entries.get(key, (0.0, None))
        return value if self._monotonic() < until else None

    def keep(self, key: str, value: Value, seconds: float) -> None:
        """Keep a value; the oldest entry goes when there are too many."""
        with self._lock:
            self._entries[key] = (self._monotonic() + seconds, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)


class Identity:
    """Reads the Authorization header of requests."""

    def __init__(
        self, upstreams: Upstreams, counters: SharedCounters, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = PublicKeys(upstreams, monotonic)
        self._upstreams, self._clock, self._counters = upstreams, SystemClock(), counters
        self._checked: Remembered[Caller] = Remembered(monotonic)
        self._exchanged: Remembered[_Exchanged] = Remembered(monotonic)
        self._refused: Remembered[bool] = Remembered(monotonic)

    def caller(self, authorization: str | None, headers: Mapping[str, str]) -> Caller | None:
        """Who sends this; None without a header. Raises UnauthenticatedError for a token or key that is not valid.

        ``headers`` go along with calls that this needs (trace, request id).
        """
        if not authorization:
            return None
        known = self._checked.get(authorization)
        if known is not None:
            return known
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("token_invalid", "the Authorization header must be: Bearer <token or API key>")
        if token.startswith(API_KEY_PREFIX):
            return self._caller_of_key(token, headers)
        return self._check(authorization, f"Bearer {token}", token)

    def forget_keys(self) -> None:
        """Forget exchanged API keys, in every process that counts with this one: one may just have been deleted."""
        self._counters.count_withdrawal()

    def _caller_of_key(self, key: str, headers: Mapping[str, str]) -> Caller:
        digest = hashlib.sha256(key.encode()).hexdigest()
        kept = self._exchanged.get(digest)
        is_good = kept is not None and kept.withdrawals == self._counters.withdrawals
        token = kept.token if kept is not None and is_good else self._exchange(key, digest, headers)
        caller = self._checked.get(f"Bearer {token}") or self._check(f"Bearer {token}", f"Bearer {token}", token)
        return Caller(caller.authorization, digest, caller.claims)

    def _exchange(self, key: str, digest: str, headers: Mapping[str, str]) -> str:
        if self._refused.get(digest):
            raise _invalid_key()
        # Counted before asking: a key that is deleted meanwhile is asked for again.
        withdrawals = self._counters.withdrawals
        body = json.dumps({"grant": "api_key", "key": key}).encode()
        sent = {**headers, "Content-Type": "application/json"}
        answer = self._upstreams.call("members", "POST", "/v1/tokens", sent, body, timeout=5.0)
        if answer.status >= 300:
            raise self._no_token(answer, digest)
        made = answer.json()
        token: str = made["access_token"]
        seconds = min(float(made.get("expires_in", 60)) - _EARLIER_SECONDS, _LONGEST_SECONDS)
        self._exchanged.keep(digest, _Exchanged(token, withdrawals), max(seconds, 1.0))
        return token

    def _no_token(self, answer: Answer, digest: str) -> DomainError:
        if answer.status == 429:
            wait = answer.header("Retry-After") or "1"
            return TooManyRequestsError("too_many_requests", "slow down", headers={"Retry-After": wait})
        if answer.status >= 500:
            return UnavailableError("service_unavailable", "API keys cannot be checked just now; try again")
        self._refused.keep(digest, True, _REFUSED_SECONDS)
        return _invalid_key()

    def _check(self, remember_as: str, authorization: str, token: str) -> Caller:
        try:
            claims: Mapping[str, Any] | None = read_token(token, self._keys)
        except KeysUnavailableError:
            claims = None
        if claims is None:
            return Caller(authorization, hashlib.sha256(token.encode()).hexdigest(), None)
        caller = Caller(authorization, f"{claims.get('org')}/{claims.get('sub')}", claims)
        self._checked.keep(remember_as, caller, min(float(claims.get("exp", 0)) - self._clock.now().timestamp(), 60.0))
        return caller


def _invalid_key() -> UnauthenticatedError:
    return unauthenticated("api_key_invalid", "this API key is not valid")


class KeysUnavailableError(Exception):
    """Whether this signing key is good cannot be told just now."""


class PublicKeys:
    """The public keys of members by ``kid``, as PEM; asked for again when an unknown ``kid`` turns up."""

    def __init__(self, upstreams: Upstreams, monotonic: Callable[[], float]) -> None:
        self._upstreams, self._monotonic = upstreams, monotonic
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._read_at = -_REFRESH_SECONDS
        self._asked_at = -_REFRESH_SECONDS

    def __call__(self, kid: str) -> str | None:
        """The PEM of a key; None when members says there is no such key. Raises KeysUnavailableError."""
        if kid in self._known and self._monotonic() - self._read_at < _REFRESH_SECONDS:
            return self._known[kid]
        fresh = self._refresh()
        if kid in self._known:
            return self._known[kid]
        if not fresh:
            raise KeysUnavailableError
        return None

    def _refresh(self) -> bool:
        """Read the keys again, unless that was done or tried a moment ago; False when they could not be read."""
        with self._lock:
            now = self._monotonic()
            if now - self._asked_at < _REFRESH_AT_MOST_EVERY:
                return self._read_at == self._asked_at
            self._asked_at = now
            try:
                answer = self._upstreams.call("members", "GET", _KEYS_PATH, {}, timeout=3.0)
                self._known = {key["kid"]: _pem(key) for key in answer.json()["keys"]}
            except (DomainError, ValueError, KeyError, TypeError, jwt.InvalidKeyError) as error:
                logger.warning("public_keys_unavailable", error=type(error).__name__)
                return False
            self._read_at = now
            return True


def _pem(key: Mapping[str, Any]) -> str:
    public: Any = OKPAlgorithm.from_jwk(dict(key))
    text: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()
