"""Bodies of the API about notifications and their wording."""

from __future__ import annotations

from marshmallow import fields, validate

from common.http import Id, Instant, StrictSchema, Text
from notifications.domain.reminders import MOST_HOURS
from notifications.domain.templates import LANGUAGES
from notifications.mail.sandbox import MAX_SOURCE

STATES = ("queued", "sending", "sent", "failed")


class NotificationSchema(StrictSchema):
    """A mail. ``body`` is its plain text; null where it holds a link that signs somebody in."""

    id = Id("ntf")
    template = fields.String(metadata={"example": "receipt"})
    to = fields.String(attribute="recipient", metadata={"example": "member@example.com"})
    language = fields.String(metadata={"example": "en"})
    subject = fields.String(metadata={"example": "Receipt: €182.14 received"})
    body = fields.String(allow_none=True)
    channel = fields.String(validate=validate.OneOf(("email", "in_app")))
    state = fields.String(validate=validate.OneOf(STATES))
    error = fields.String(attribute="last_error", allow_none=True)
    attempts = fields.Integer()
    next_attempt_at = Instant(attribute="due_at", allow_none=True)
    sent_at = Instant(allow_none=True)
    created_at = Instant()
    member_id = Id("mem", allow_none=True)
    company_id = Id("com", allow_none=True)
    invoice_id = Id("inv", allow_none=True)
    booking_id = Id("bkg", allow_none=True)
    payment_id = Id("pay", allow_none=True)


class AttachmentSchema(StrictSchema):
    """A file that went along."""

    filename = fields.String(metadata={"example": "INV-2027-00001.pdf"})
    content_type = fields.String(metadata={"example": "application/pdf"})
    size = fields.Integer(metadata={"description": "Bytes"})
    href = fields.String()


class WholeNotificationSchema(NotificationSchema):
    """A mail with all its parts."""

    html = fields.String(allow_none=True)
    text = fields.String(allow_none=True)
    attachments = fields.List(fields.Nested(AttachmentSchema))


class BounceSchema(StrictSchema):
    """What a mail provider's bounce hook reports."""

    kind = fields.String(required=True, validate=validate.OneOf(("hard", "soft")))
    reason = Text(longest=500, metadata={"example": "550 5.1.1 user unknown"}, load_default="")


class NotificationSettingsSchema(StrictSchema):
    """What people are told by themselves."""

    booking_reminders = fields.Boolean(metadata={"description": "A mail some hours before each confirmed booking"})
    booking_reminder_hours = fields.Integer(
        strict=True, validate=validate.Range(1, MOST_HOURS), metadata={"example": 24}
    )


class NotificationSettingsOutSchema(NotificationSettingsSchema):
    """The settings in use."""

    version = fields.Integer()


class NotificationsProblemSchema(StrictSchema):
    """A leak and where it is mended."""

    code = fields.String(metadata={"example": "notification_failed"})
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String()


class NotificationsSetupSchema(StrictSchema):
    """What the checklist should know."""

    facts = fields.Dict(keys=fields.String(), values=fields.Integer())
    problems = fields.List(fields.Nested(NotificationsProblemSchema))


class EmptySchema(StrictSchema):
    """No fields."""


def _source(**kwargs: object) -> fields.String:
    return fields.String(validate=validate.Length(1, MAX_SOURCE), **kwargs)  # type: ignore[arg-type]


class WordingSchema(StrictSchema):
    """Jinja templates of a mail's parts; without ``text`` the plain text is made from ``html``."""

    subject = fields.String(
        required=True, validate=validate.Length(1, 500), metadata={"example": "Receipt: {{ payment.amount | money }}"}
    )
    html = _source(required=True, metadata={"example": "<h1>Thank you</h1>\n<p>Hello {{ recipient.name }},</p>"})
    text = _source(load_default=None, allow_none=True)


class TemplateSchema(WordingSchema):
    """A mail's wording in one language; ``sample`` names what it can say."""

    event = fields.String(metadata={"example": "receipt"})
    title = fields.String()
    language = fields.String(validate=validate.OneOf(LANGUAGES))
    is_custom = fields.Boolean()
    updated_at = Instant(allow_none=True)
    version = fields.Integer()
    variables = fields.List(fields.String(), metadata={"example": ["payment.amount"]})


class TemplateListSchema(StrictSchema):
    """All mails."""

    items = fields.List(fields.Nested(TemplateSchema))
    next_cursor = fields.String(allow_none=True)


class PreviewInSchema(StrictSchema):
    """A draft to look at; what is left out is taken from the wording in use."""

    language = fields.String(load_default="en", validate=validate.OneOf(LANGUAGES))
    subject = fields.String(validate=validate.Length(1, 500))
    html = _source()
    text = _source(allow_none=True)


class PreviewSchema(StrictSchema):
    """A mail made of sample data."""

    subject = fields.String()
    html = fields.String()
    text = fields.String()
