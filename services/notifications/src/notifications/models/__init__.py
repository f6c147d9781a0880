"""Tables of the notifications service."""

from notifications.models.metadata import Base
from notifications.models.notifications import ONCE, Attachment, Notification, SuppressedAddress
from notifications.models.people import CompanyCopy, LocationCopy, MemberCopy
from notifications.models.settings import NotificationSettings
from notifications.models.texts import OwnText
from notifications.models.watched import BookingCopy, MembershipCopy, StandingCopy
from notifications.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = [
    "ONCE",
    "Attachment",
    "Base",
    "BookingCopy",
    "CompanyCopy",
    "LocationCopy",
    "MemberCopy",
    "MembershipCopy",
    "Notification",
    "NotificationSettings",
    "OwnText",
    "StandingCopy",
    "SuppressedAddress",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
