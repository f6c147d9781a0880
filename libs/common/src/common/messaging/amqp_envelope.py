"""Envelopes as AMQP messages: identity in properties, the rest in headers without ``x-``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from amqp.basic_message import Message as AmqpMessage

from common.ids import new_id
from common.messaging.message import Envelope

_PERSISTENT = 2


class UndecodableError(ValueError):
    """An AMQP message that was not made by an outbox."""


def to_amqp(envelope: Envelope) -> AmqpMessage:
    """The message to publish; persistent."""
    headers = {
        "version": envelope.version,
        "organization": _text(envelope.organization_id),
        "aggregate": _text(envelope.aggregate_id),
        "aggregate-version": envelope.aggregate_version,
        "attempt": envelope.attempt,
        "causation": _text(envelope.causation_id),
        "traceparent": envelope.traceparent,
        "created-at": envelope.created_at.isoformat(),
    }
    properties: dict[str, Any] = {
        "message_id": str(envelope.message_id),
        "type": envelope.type,
        "app_id": envelope.producer,
        "timestamp": int(envelope.created_at.timestamp()),
        "content_type": "application/json",
        "delivery_mode": _PERSISTENT,
        "application_headers": {key: value for key, value in headers.items() if value is not None},
    }
    if envelope.correlation_id:
        properties["correlation_id"] = envelope.correlation_id
    return AmqpMessage(envelope.body, **properties)


def from_amqp(message: AmqpMessage) -> Envelope:
    """The envelope of a message received; raises UndecodableError.

    The routing key follows from producer, type and version: the delivered one is the queue's after a retry.
    """
    properties = message.properties
    headers = properties.get("application_headers") or {}
    try:
        producer, type_, version = properties["app_id"], properties["type"], int(headers["version"])
        return Envelope(
            message_id=UUID(properties["message_id"]),
            type=type_,
            version=version,
            routing_key=f"{producer}.{type_}.v{version}",
            body=_body(message),
            created_at=datetime.fromisoformat(headers["created-at"]),
            producer=producer,
            organization_id=_uuid(headers.get("organization")),
            aggregate_id=_uuid(headers.get("aggregate")),
            aggregate_version=_number(headers.get("aggregate-version")),
            causation_id=_uuid(headers.get("causation")),
            correlation_id=properties.get("correlation_id"),
            traceparent=headers.get("traceparent"),
            attempt=int(headers.get("attempt", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UndecodableError(f"not a message of ours: {type(error).__name__}: {error}") from error


def as_found(message: AmqpMessage, now: datetime) -> Envelope:
    """An envelope around a message that could not be decoded, so that its dead letter shows all there was."""
    properties = message.properties
    return Envelope(
        message_id=_uuid_or_new(properties.get("message_id")),
        type=_printable(properties.get("type")) or "undecodable",
        version=0,
        routing_key=_printable(message.delivery_info.get("routing_key")),
        body=_body(message),
        created_at=now.astimezone(UTC),
        producer=_printable(properties.get("app_id")),
        headers={key: repr(value) for key, value in properties.items()},
    )


def _body(message: AmqpMessage) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


def _printable(value: object) -> str:
    # PostgreSQL takes no NUL in a text, and a stranger's message may hold one.
    return "".join(character for character in str(value or "") if character.isprintable())


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None


def _uuid_or_new(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        return new_id()
