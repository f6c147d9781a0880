"""``/v1/settings/billing``."""

from __future__ import annotations

from typing import Any

from common.auth import allow
from common.http import Blueprint, check_if_match, current_session, remember_etag
from invoicing.api.access import MANAGERS, READERS
from invoicing.api.schemas import BillingSettingsOutSchema, BillingSettingsSchema
from invoicing.models import BillingSettings
from invoicing.services.settings import billing_settings
from invoicing.services.settings import change_settings as change

blueprint = Blueprint("billing-settings", __name__, description="How the organisation bills")


@blueprint.route("/v1/settings/billing", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, BillingSettingsOutSchema)
def get_settings() -> BillingSettings:
    """Show the billing settings."""
    settings = billing_settings(current_session())
    remember_etag(settings)
    return settings


@blueprint.route("/v1/settings/billing", methods=["PATCH"])
@allow(*MANAGERS)
@blueprint.arguments(BillingSettingsSchema(partial=True))
@blueprint.response(200, BillingSettingsOutSchema)
def change_settings(body: dict[str, Any]) -> BillingSettings:
    """Change billing settings; what is not sent stays. Switching automatic generation on catches up (BIL-9)."""
    session = current_session()
    settings = billing_settings(session, lock=True)
    check_if_match(settings)
    change(session, settings, **body)
    remember_etag(settings)
    return settings
