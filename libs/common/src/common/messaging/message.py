"""What a message is: a fact in the past tense, a typed body, and an envelope that says whose and from where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of every contract. Subclasses set ``service``, ``name`` and ``major`` and list their fields.

    Unknown fields of a body are ignored, missing optional ones take their defaults: within a major version only
    optional fields may be added.
    """

    service: ClassVar[str]
    name: ClassVar[str]
    major: ClassVar[int] = 1

    @classmethod
    def routing_key(cls) -> str:
        """``<service>.<message>.v<N>``, the key on the topic exchange."""
        return f"{cls.service}.{cls.name}.v{cls.major}"

    def encode(self) -> bytes:
        """The JSON body."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """A message from its JSON body; raises msgspec.ValidationError when it does not fit."""
        return msgspec.json.decode(body, type=cls)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message in transit: identity, origin, aggregate and its version, and the encoded body."""

    message_id: UUID
    type: str
    version: int
    routing_key: str
    body: bytes
    created_at: datetime
    producer: str
    organization_id: UUID | None = None
    aggregate_id: UUID | None = None
    aggregate_version: int | None = None
    causation_id: UUID | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    attempt: int = 0
    headers: dict[str, Any] = field(default_factory=dict)

    def retried(self) -> Envelope:
        """The same message on its next attempt."""
        return replace(self, attempt=self.attempt + 1)
