"""An HTTP client of the gateway, as a portal would have it."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import urllib3


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty."""
        return json.loads(self.body) if self.body else None


class GatewayClient:
    """Sends JSON with a token. ``patient`` repeats what meets a restarting process, always with the same key.

    That is also a service which has not heard yet of what was made elsewhere, its worker having been killed.
    """

    def __init__(self, origin: str, token: str | None = None, *, patient: bool = False) -> None:
        self.origin, self.token, self.patient = origin, token, patient
        self._pool = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(connect=5, read=120))

    def signed_in(self, token: str) -> GatewayClient:
        """The same client with a token."""
        return GatewayClient(self.origin, token, patient=self.patient)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request; POSTs carry an Idempotency-Key. A patient client gives up after a minute."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent["Idempotency-Key"] = secrets.token_hex(12)
        sent |= headers or {}
        deadline = time.monotonic() + 60
        while True:
            answer = self._once(method, path, body, {k: v for k, v in sent.items() if v})
            busy = answer is None or answer.status in {429, 502, 503, 504} or _is_early(method, answer)
            if not (self.patient and busy and time.monotonic() < deadline):
                assert answer is not None, f"{method} {path}: no answer"
                return answer
            time.sleep(0.25)

    def _once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer | None:
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            raw = self._pool.request(method, self.origin + path, body=payload, headers=headers)
        except urllib3.exceptions.HTTPError:
            if not self.patient:
                raise
            return None
        return Answer(raw.status, raw.headers, raw.data)

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        return self._expect(self.send("GET", path), {200})

    def post(self, path: str, body: Any, *, status: int = 201) -> Any:
        """The JSON of a POST that must answer ``status``."""
        return self._expect(self.send("POST", path, body), {status})

    def patch(self, path: str, body: Any) -> Any:
        """The JSON of a PATCH that must succeed."""
        return self._expect(self.send("PATCH", path, body), {200})

    def advance(self, to: str) -> None:
        """Advance the rehearsal clock and wait until all has settled."""
        answer = self.send("POST", "/v1/organization/clock/advance", {"to": to})
        deadline = time.monotonic() + 120
        while answer.status == 202 or not answer.json.get("settled"):
            assert answer.status in {200, 202}, (answer.status, answer.body)
            assert time.monotonic() < deadline, f"the clock did not settle: {answer.body!r}"
            time.sleep(0.1)
            answer = self.send("GET", "/v1/organization/clock")
        assert answer.status == 200, (answer.status, answer.body)

    @staticmethod
    def _expect(answer: Answer, statuses: set[int]) -> Any:
        assert answer.status in statuses, (answer.status, answer.body)
        return answer.json


def _is_early(method: str, answer: Answer) -> bool:
    return _in_progress(answer) or (method != "GET" and _unheard_of(answer))


def _unheard_of(answer: Answer) -> bool:
    code = answer.json.get("code", "") if answer.status in {404, 422} and answer.body else ""
    return code.startswith("unknown_") or code.endswith("_not_found")


def _in_progress(answer: Answer) -> bool:
    return answer.status == 409 and answer.json.get("code") in {"idempotency_key_in_use", "busy"}
