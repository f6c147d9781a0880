"""``/v1/settings/notifications``, and what the checklist should know."""

from __future__ import annotations

from typing import Any

from common.auth import allow
from common.auth.access import STAFF, Role
from common.http import Blueprint, check_if_match, current_session, remember_etag
from notifications.api.schemas import (
    NotificationSettingsOutSchema,
    NotificationSettingsSchema,
    NotificationsSetupSchema,
)
from notifications.models import NotificationSettings
from notifications.services import settings as use_cases
from notifications.services.setup import setup_facts

blueprint = Blueprint("notification-settings", __name__, description="What people are told by themselves")


@blueprint.route("/v1/settings/notifications", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, NotificationSettingsOutSchema)
def get_settings() -> NotificationSettings:
    """Show the settings."""
    settings = use_cases.notification_settings(current_session())
    remember_etag(settings)
    return settings


@blueprint.route("/v1/settings/notifications", methods=["PATCH"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(NotificationSettingsSchema(partial=True))
@blueprint.response(200, NotificationSettingsOutSchema)
def change_settings(body: dict[str, Any]) -> NotificationSettings:
    """Change settings; what is not sent stays. Reminders of bookings to come are planned anew."""
    session = current_session()
    settings = use_cases.settings_to_change(session)
    check_if_match(settings)
    use_cases.change_settings(session, settings, **body)
    remember_etag(settings)
    return settings


@blueprint.route("/v1/setup/notifications", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, NotificationsSetupSchema)
def get_setup() -> dict[str, Any]:
    """Say what the checklist should know about mail."""
    return setup_facts(current_session())
