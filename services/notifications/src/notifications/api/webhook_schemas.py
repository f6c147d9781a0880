"""Bodies of the API about outgoing webhooks."""

from __future__ import annotations

from marshmallow import fields, validate

from common.http import Id, Instant, StrictSchema, Text
from notifications.domain.webhook_types import EVENT_TYPES, EVERYTHING

STATES = ("pending", "delivered", "failed")


class WebhookEndpointInSchema(StrictSchema):
    """Where to send which events; ``*`` stands for all types."""

    url = Text(longest=2000, required=True, metadata={"example": "https://example.com/deskledger"})
    description = Text(longest=200, shortest=0, load_default="")
    event_types = fields.List(
        fields.String(validate=validate.OneOf((EVERYTHING, *EVENT_TYPES))),
        required=True,
        validate=validate.Length(1, 100),
        metadata={"example": ["invoice-issued", "payment-succeeded"]},
    )
    enabled = fields.Boolean(load_default=True)


class WebhookEndpointPatchSchema(WebhookEndpointInSchema):
    """The same, as it is kept when not sent."""

    description = Text(longest=200, shortest=0)
    enabled = fields.Boolean()


class WebhookEndpointSchema(WebhookEndpointInSchema):
    """An endpoint of outgoing webhooks."""

    id = Id("whk")
    disabled_reason = fields.String(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class NewWebhookEndpointSchema(WebhookEndpointSchema):
    """A new endpoint with the secret that signs its events: shown once."""

    secret = fields.String(metadata={"example": "whsec_…"})


class WebhookSecretSchema(StrictSchema):
    """A new secret: shown once."""

    secret = fields.String(metadata={"example": "whsec_…"})


class WebhookAttemptSchema(StrictSchema):
    """One try."""

    at = Instant()
    status_code = fields.Integer(allow_none=True)
    error = fields.String(allow_none=True)
    answer = fields.String(allow_none=True, metadata={"description": "The beginning of the answer's body"})
    milliseconds = fields.Integer()


class WebhookDeliverySchema(StrictSchema):
    """An event on its way to an endpoint."""

    id = Id("whd")
    event_id = Id("evt")
    event_type = fields.String(attribute="event.type")
    state = fields.String(validate=validate.OneOf(STATES))
    attempts = fields.Integer(metadata={"description": "Since the delivery or its last replay began"})
    next_attempt_at = Instant(attribute="due_at", allow_none=True)
    delivered_at = Instant(allow_none=True)
    created_at = Instant()


class WholeWebhookDeliverySchema(WebhookDeliverySchema):
    """A delivery with its log and what is sent."""

    data = fields.Dict(attribute="event.data")
    log = fields.List(fields.Nested(WebhookAttemptSchema))
