"""What members listens to: locations, so that nobody is assigned to one that does not exist."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.catalog import LocationChanged
from members.services.locations import keep_location

handlers = Handlers()


@handlers.on(LocationChanged)
def location_changed(session: TenantSession, message: LocationChanged, _envelope: Envelope) -> None:
    """Keep a copy of the location."""
    keep_location(
        session,
        message.location_id,
        name=message.display_name,
        archived=message.archived,
        version=message.version,
    )
