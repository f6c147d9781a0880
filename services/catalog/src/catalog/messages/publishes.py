"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from catalog.models import Location
from contracts.catalog import LocationChanged


def location_changed(location: Location) -> LocationChanged:
    """The whole public state of a location."""
    return LocationChanged(
        location_id=location.id,
        display_name=location.name,
        code=location.code,
        timezone=location.timezone,
        address=location.address,
        opening_hours=location.opening_hours,
        closures=location.closures,
        tax_percent=location.tax_percent,
        archived=location.archived_at is not None,
        version=location.version,
    )
