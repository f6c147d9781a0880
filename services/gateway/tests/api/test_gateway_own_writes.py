"""Reading one's own writes: the answer leaves when its messages, and all they caused, have arrived."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Response

from common.http.app import MESSAGES_HEADER


@pytest.fixture
def chain(world: Any) -> Any:
    """POST /v1/bookings: booking-created -> invoice-issued -> payment-succeeded."""
    booking, invoicing, payments = (world.services[name] for name in ("booking", "invoicing", "payments"))

    @booking.app.post("/v1/bookings")
    def book() -> Any:
        with world.lock:
            message = booking.publish("booking.booking-created.v1")
        headers = {MESSAGES_HEADER: f"{message.id}:{message.routing_key}"}
        return Response("{}", 201, headers=headers, content_type="application/json")

    def cause(service: Any, routing_key: str) -> Any:
        return lambda message: service.publish(routing_key, causation=message.id)

    invoicing.on_message["booking.booking-created.v1"] = cause(invoicing, "invoicing.invoice-issued.v1")
    payments.on_message["invoicing.invoice-issued.v1"] = cause(payments, "payments.payment-succeeded.v1")
    return world


def arrived(world: Any, routing_key: str, name: str) -> bool:
    messages = [m for s in world.services.values() for m in s.outbox if m.routing_key == routing_key]
    return bool(messages) and all(message.id in world.services[name].inbox for message in messages)


def test_a_write_answers_when_the_whole_tree_of_messages_has_arrived(chain: Any, gateway: Any) -> None:
    answer = gateway().post("/v1/bookings")
    assert answer.status_code == 201
    for name in ("invoicing", "notifications"):
        assert arrived(chain, "payments.payment-succeeded.v1", name)
    assert MESSAGES_HEADER not in answer.headers


def test_respond_async_does_not_wait(chain: Any, gateway: Any) -> None:
    chain.services["invoicing"].is_deaf = True
    started = time.monotonic()
    answer = gateway().post("/v1/bookings", headers={"Prefer": "respond-async"})
    assert time.monotonic() - started < 1
    assert answer.headers["Preference-Applied"] == "respond-async"


def test_a_lagging_service_slows_one_write_and_not_the_following(chain: Any, gateway: Any) -> None:
    chain.services["notifications"].is_deaf = True
    client = gateway(own_writes_seconds=0.6)
    durations = []
    for _ in range(3):
        started = time.monotonic()
        assert client.post("/v1/bookings").status_code == 201
        durations.append(time.monotonic() - started)
    assert durations[0] >= 0.6
    assert max(durations[1:]) < 0.5
    # The others are still waited for.
    assert arrived(chain, "payments.payment-succeeded.v1", "invoicing")


def test_a_service_that_caught_up_is_waited_for_again(chain: Any, gateway: Any) -> None:
    client, notifications = gateway(own_writes_seconds=0.5), chain.services["notifications"]
    notifications.is_deaf = True
    client.post("/v1/bookings")
    notifications.is_deaf = False
    time.sleep(0.1)
    client.post("/v1/bookings")
    client.post("/v1/bookings")
    assert arrived(chain, "payments.payment-succeeded.v1", "notifications")


def test_a_service_that_is_down_does_not_hold_up_a_write(chain: Any, gateway: Any) -> None:
    chain.broken.add("notifications")
    started = time.monotonic()
    assert gateway().post("/v1/bookings").status_code == 201
    assert time.monotonic() - started < 1
    assert arrived(chain, "payments.payment-succeeded.v1", "invoicing")


def test_reading_asks_nobody_about_messages(chain: Any, gateway: Any) -> None:
    gateway().get("/v1/bookings")
    assert not [seen for seen in chain.requests if seen["path"].startswith("/internal")]


def test_the_reports_are_asked_with_the_internal_token_only_the_gateway_has(chain: Any, gateway: Any) -> None:
    gateway().post("/v1/bookings", headers={"Deskledger-Internal-Token": "guess"})
    booked = next(seen for seen in chain.requests if seen["path"].startswith("/v1/bookings"))
    assert "Deskledger-Internal-Token" not in booked["headers"]
