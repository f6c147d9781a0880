"""The booking service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from booking.api import availability, bookings, calendars, credit_grants, promo_code_uses, reports, schedule, visits
from booking.api.internal import register_internal_routes
from booking.config import BookingSettings
from booking.jobs import build_jobs
from booking.messages.handlers import handlers
from booking.models import Base
from common.http import Blueprint
from common.service import Service
from contracts.subscriptions import ROUTING


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (
        bookings.blueprint,
        availability.blueprint,
        schedule.blueprint,
        credit_grants.blueprint,
        visits.blueprint,
        calendars.blueprint,
        promo_code_uses.blueprint,
        reports.blueprint,
    )


SERVICE = Service(
    name="booking",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=BookingSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
    setup=register_internal_routes,
    build_jobs=build_jobs,
)
