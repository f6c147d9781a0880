"""Messaging's pure parts: routing patterns, the AMQP form of an envelope, the sorting of failures, handlers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import psycopg
import pytest
from amqp.basic_message import Message as AmqpMessage
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from common.errors import ConflictError, TransientError, UnavailableError
from common.ids import new_id
from common.messaging import Envelope, Handlers, Message
from common.messaging.amqp_envelope import UndecodableError, from_amqp, to_amqp
from common.messaging.failures import is_transient, lost_connection
from common.messaging.subscriptions import matches, subscribers


class Opened(Message, frozen=True):
    service: ClassVar[str] = "doors"
    name: ClassVar[str] = "opened"
    number: int = 0


def envelope(**changes: object) -> Envelope:
    values = {
        "message_id": new_id(),
        "type": "opened",
        "version": 1,
        "routing_key": "doors.opened.v1",
        "body": b'{"number":1}',
        "created_at": datetime(2027, 3, 1, 8, 0, 0, 123456, tzinfo=UTC),
        "producer": "doors",
        **changes,
    }
    return Envelope(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("booking.booking-created.v1", "booking.booking-created.v1", True),
        ("booking.*.v1", "booking.booking-created.v1", True),
        ("booking.*", "booking.booking-created.v1", False),
        ("booking.#", "booking.booking-created.v1", True),
        ("booking.#", "booking", True),
        ("#", "anything.at.all", True),
        ("#.v1", "booking.booking-created.v1", True),
        ("booking.#.v1", "booking.v1", True),
        ("*.v1", "booking.booking-created.v1", False),
        ("booking.x", "bookingzx", False),
    ],
)
def test_patterns_match_as_on_a_topic_exchange(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


def test_subscribers_are_the_services_with_a_matching_pattern() -> None:
    table = {"a": ["doors.*.v1"], "b": ["windows.#"], "c": ["doors.opened.v1", "#"]}
    assert subscribers(table, "doors.opened.v1") == ["a", "c"]


def test_an_envelope_survives_the_way_through_amqp() -> None:
    sent = envelope(
        organization_id=new_id(),
        aggregate_id=new_id(),
        aggregate_version=2**40,
        causation_id=new_id(),
        correlation_id="req-1",
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        attempt=3,
    )
    message = to_amqp(sent)
    assert from_amqp(message) == sent
    assert message.properties["delivery_mode"] == 2
    assert not any(key.startswith("x-") for key in message.properties["application_headers"])


def test_a_sparse_envelope_survives_too() -> None:
    sent = envelope()
    assert from_amqp(to_amqp(sent)) == sent


@pytest.mark.parametrize("missing", ["message_id", "type", "app_id", "application_headers"])
def test_a_message_without_its_properties_is_undecodable(missing: str) -> None:
    message = to_amqp(envelope())
    del message.properties[missing]
    with pytest.raises(UndecodableError):
        from_amqp(message)


def test_a_foreign_message_is_undecodable() -> None:
    with pytest.raises(UndecodableError):
        from_amqp(AmqpMessage(b"hello"))


def _wrapped(kind: type[Exception], cause: BaseException) -> Exception:
    return kind("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TransientError("later"), True),
        (UnavailableError("not_yet"), True),
        (ConflictError("taken"), False),
        (KeyError("a bug"), False),
        (TimeoutError(), True),
        (_wrapped(OperationalError, psycopg.errors.DeadlockDetected()), True),
        (_wrapped(OperationalError, psycopg.errors.SerializationFailure()), True),
        (_wrapped(IntegrityError, psycopg.errors.UniqueViolation()), True),
        (_wrapped(ProgrammingError, psycopg.errors.UndefinedTable()), False),
    ],
)
def test_only_what_passes_with_time_is_transient(error: Exception, expected: bool) -> None:
    assert is_transient(error) is expected


def test_a_deadlock_is_no_lost_connection_and_a_shutdown_is() -> None:
    assert not lost_connection(_wrapped(OperationalError, psycopg.errors.DeadlockDetected()))
    assert lost_connection(_wrapped(OperationalError, psycopg.errors.AdminShutdown()))
    assert lost_connection(_wrapped(OperationalError, psycopg.OperationalError("connection refused")))


def test_handlers_know_their_types_keys_and_newest_versions() -> None:
    handlers = Handlers()
    handlers.on(Opened)(lambda _session, _message, _envelope: None)
    assert handlers.types() == [Opened]
    assert handlers.routing_keys() == ["doors.opened.v1"]
    assert handlers.type_of(envelope()) is Opened
    assert handlers.type_of(envelope(routing_key="doors.shut.v1", type="shut")) is None
    assert handlers.too_new(envelope(version=2))
    assert not handlers.too_new(envelope(type="shut", version=2))


def test_several_handlers_of_a_type_are_called_in_order() -> None:
    handlers, called = Handlers(), []
    handlers.on(Opened)(lambda _session, _message, _envelope: called.append("first"))
    handlers.on(Opened)(lambda _session, _message, _envelope: called.append("second"))
    handlers.call(None, Opened(number=1), envelope())  # type: ignore[arg-type]
    assert called == ["first", "second"]


def test_unknown_fields_of_a_body_are_ignored() -> None:
    handlers = Handlers()
    handlers.on(Opened)(lambda _session, _message, _envelope: None)
    assert handlers.decode(envelope(body=b'{"number":3,"colour":"red"}')) == Opened(number=3)
