"""Every public message is offered to the organisation's webhook endpoints."""

from __future__ import annotations

import msgspec

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from common.messaging.message import Message
from contracts.subscriptions import SUBSCRIPTIONS
from notifications.domain.webhook_data import public_data
from notifications.domain.webhook_types import EVENT_TYPES
from notifications.services.webhook_events import offer_event


def register(registry: Handlers) -> None:
    """Listen to all that outsiders may hear; never to sign-in links, invitations, keys and clocks."""
    for message_type in SUBSCRIPTIONS["notifications"]:
        if message_type.name in EVENT_TYPES:
            registry.on(message_type)(_offer)


def _offer(session: TenantSession, message: Message, envelope: Envelope) -> None:
    def data() -> dict[str, object]:
        return public_data(EVENT_TYPES[message.name], msgspec.to_builtins(message))

    offer_event(session, envelope.message_id, message.name, data)
