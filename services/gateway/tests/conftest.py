"""A world of small fake services (real Flask apps) for the gateway to stand in front of."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask, Response, jsonify, request
from jwt.algorithms import OKPAlgorithm

from common.http.internal import INTERNAL_HEADER
from common.testing.plugin import INTERNAL_TOKEN, TEST_KEY, TEST_KID, ApiClient, make_token
from contracts.subscriptions import subscribers
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings

NAMES = ("members", "catalog", "booking", "invoicing", "payments", "notifications")
START = datetime(2027, 2, 1, 8, tzinfo=UTC)


@dataclass
class FakeMessage:
    """A row of a fake outbox."""

    seq: int
    id: str
    routing_key: str
    causation: str | None
    body: Any = None
    is_published: bool = False


@dataclass
class FakeService:
    """A service with an outbox, an inbox, due work and a clock; `FakeWorld` is its worker."""

    name: str
    app: Flask
    clock: datetime | None = None
    outbox: list[FakeMessage] = field(default_factory=list)
    inbox: set[str] = field(default_factory=set)
    due: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    on_message: dict[str, Callable[[FakeMessage], None]] = field(default_factory=dict)
    is_deaf: bool = False  # handles no messages
    reports: int = 0

    def publish(self, routing_key: str, causation: str | None = None, body: Any = None) -> FakeMessage:
        """Write a message into the outbox."""
        message = FakeMessage(len(self.outbox) + 1, str(uuid4()), routing_key, causation, body)
        self.outbox.append(message)
        return message

    def report(self, asked: dict[str, Any]) -> dict[str, Any]:
        """As common.http.internal.report."""
        self.reports += 1
        caused_by = set(asked.get("caused_by", ()))
        answer: dict[str, Any] = {
            "missing": [value for value in asked.get("expect", ()) if value not in self.inbox],
            "caused": [_row(message) for message in self.outbox if message.causation in caused_by],
        }
        if asked.get("after_seq") is not None:
            answer |= {
                "now": self.clock.isoformat() if self.clock else None,
                "unpublished": sum(not message.is_published for message in self.outbox),
                "published": [_row(message) for message in self.outbox if message.seq > asked["after_seq"]],
                "last_seq": len(self.outbox),
                "next_due": min(due for due, _ in self.due).isoformat() if self.due else None,
            }
        return answer


def _row(message: FakeMessage) -> dict[str, Any]:
    return {"seq": message.seq, "id": message.id, "routing_key": message.routing_key}


class FakeWorld:
    """All fake services and, in a thread, what their workers do: relay, consume, run due work."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.mode, self.clock, self.target = "rehearsal", START, None
        self.diary: list[tuple[str, str]] = []
        self.keys: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.services = {name: FakeService(name, Flask(name), START) for name in NAMES}
        self.broken: set[str] = set()
        for service in self.services.values():
            self._add_routes(service)
            for consumer in subscribers("members.clock-advanced.v1"):
                self.services[consumer].on_message["members.clock-advanced.v1"] = self._set_clock(consumer)
        self._add_members_routes(self.services["members"].app)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def upstreams(self) -> dict[str, Any]:
        """The services' WSGI apps."""
        return {name: service.app for name, service in self.services.items()}

    def note(self, what: str) -> None:
        """Write into the diary, with the time of the simulated clock."""
        self.diary.append((self.clock.strftime("%m-%d %H"), what))

    def start(self) -> None:
        """Let the workers work."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the workers."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.003):
            with self.lock:
                self.step()

    def step(self) -> None:
        """Publish, consume and run one round, one message per consumer, so that things take a while."""
        for service in self.services.values():
            if service.is_deaf:
                continue
            if arrived := self._next_for(service):
                service.inbox.add(arrived.id)
                service.on_message.get(arrived.routing_key, lambda _message: None)(arrived)
        for service in self.services.values():
            for message in service.outbox:
                message.is_published = True
            for due, work in [entry for entry in service.due if service.clock and entry[0] <= service.clock]:
                service.due.remove((due, work))
                work()

    def _next_for(self, service: FakeService) -> FakeMessage | None:
        waiting = (
            message
            for producer in self.services.values()
            for message in producer.outbox
            if message.is_published and message.id not in service.inbox
        )
        return next((m for m in waiting if service.name in subscribers(m.routing_key)), None)

    def _set_clock(self, name: str) -> Callable[[FakeMessage], None]:
        def handle(message: FakeMessage) -> None:
            self.services[name].clock = message.body

        return handle

    def _add_routes(self, service: FakeService) -> None:
        app = service.app

        @app.before_request
        def remember() -> Response | None:
            self.requests.append({"service": service.name, "path": request.full_path, "headers": dict(request.headers)})
            return Response("down", 500) if service.name in self.broken else None

        @app.post("/internal/settlement")
        def settlement() -> Any:
            if request.headers.get(INTERNAL_HEADER) != INTERNAL_TOKEN:
                return Response(status=404)
            with self.lock:
                return service.report(request.get_json())

        @app.get("/readyz")
        def readyz() -> dict[str, str]:
            return {"status": "ready"}

        @app.route("/v1/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        def echo(path: str) -> Response:
            shown = {
                "service": service.name,
                "method": request.method,
                "path": request.path,
                "query": request.query_string.decode(),
                "headers": {name.lower(): value for name, value in request.headers},
                "body": request.get_data(as_text=True),
            }
            return jsonify(shown)

    def _add_members_routes(self, app: Flask) -> None:
        @app.get("/v1/.well-known/jwks.json")
        def jwks() -> dict[str, Any]:
            key = json.loads(OKPAlgorithm.to_jwk(TEST_KEY.public_key()))
            return {"keys": [{**key, "kid": TEST_KID}]}

        @app.get("/internal/clock")
        def read() -> dict[str, Any]:
            target = self.target if self.target and self.target > self.clock else None
            return {
                "mode": self.mode,
                "now": self.clock.isoformat(),
                "target": target.isoformat() if target else None,
            }

        @app.post("/internal/clock")
        def move() -> Any:
            with self.lock:
                asked = request.get_json()
                if datetime.fromisoformat(asked["expected_now"]) != self.clock:
                    return {"code": "clock_moved"}, 409
                self.clock = datetime.fromisoformat(asked["to"])
                members = self.services["members"]
                members.clock = self.clock
                members.publish("members.clock-advanced.v1", body=self.clock)
                return read()

        @app.route("/internal/keys", methods=["POST", "DELETE"])
        def keys() -> Any:
            asked = request.get_json()
            if request.method == "DELETE":
                self.keys.pop(asked["key"], None)
                return {}
            is_first = asked["key"] not in self.keys
            if self.keys.setdefault(asked["key"], asked["fingerprint"]) != asked["fingerprint"]:
                return {"code": "idempotency_key_reused"}, 422
            return {"is_first": is_first}

        @app.post("/internal/clock/target")
        def aim() -> Any:
            self.target = datetime.fromisoformat(request.get_json()["to"])
            return read()


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    """Fake services whose workers work."""
    made = FakeWorld()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def organization_id() -> UUID:
    """An organisation."""
    return uuid4()


@pytest.fixture
def gateway(world: FakeWorld) -> Callable[..., Any]:
    """``gateway(role="owner", **settings)``: a client of a gateway in front of the world; role None: not signed in."""

    def make(role: str | None = "owner", organization: UUID | None = None, **settings: Any) -> ApiClient:
        app = create_gateway_app(GatewaySettings(internal_token=INTERNAL_TOKEN, **settings), world.upstreams)
        token = make_token(organization or uuid4(), role) if role else None
        return ApiClient(app.test_client(), token)

    return make
