"""Which function handles which message: a service's map of what it listens to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from common.db.database import TenantSession
from common.messaging.message import Envelope, Message

M = TypeVar("M", bound=Message)
Handler = Callable[[TenantSession, M, Envelope], None]


class Handlers:
    """A registry of message handlers; several per type are called in the order of their registration."""

    def __init__(self) -> None:
        self._types: dict[str, type[Message]] = {}
        self._handlers: dict[type[Message], list[Handler[Any]]] = {}
        self._newest: dict[tuple[str, str], int] = {}

    def on(self, message_type: type[M]) -> Callable[[Handler[M]], Handler[M]]:
        """Decorator: call the function for every message of this type, inside the transaction of its inbox row."""

        def register(handler: Handler[M]) -> Handler[M]:
            self._types[message_type.routing_key()] = message_type
            self._handlers.setdefault(message_type, []).append(handler)
            kind = (message_type.service, message_type.name)
            self._newest[kind] = max(message_type.major, self._newest.get(kind, 0))
            return handler

        return register

    def types(self) -> list[type[Message]]:
        """Message types that have a handler."""
        return list(self._handlers)

    def routing_keys(self) -> list[str]:
        """Keys to subscribe to, sorted: one for each type handled."""
        return sorted(self._types)

    def type_of(self, envelope: Envelope) -> type[Message] | None:
        """The contract that an envelope carries, or None when nobody here listens to it."""
        return self._types.get(envelope.routing_key)

    def too_new(self, envelope: Envelope) -> bool:
        """Whether the message is handled here, but only in older major versions."""
        newest = self._newest.get((envelope.producer, envelope.type))
        return newest is not None and envelope.version > newest

    def decode(self, envelope: Envelope) -> Message:
        """The message in an envelope of a type handled here; raises msgspec.ValidationError when it does not fit."""
        return self._types[envelope.routing_key].decode(envelope.body)

    def call(self, session: TenantSession, message: Message, envelope: Envelope) -> None:
        """Run the handlers of a decoded message."""
        for handler in self._handlers[type(message)]:
            handler(session, message, envelope)
