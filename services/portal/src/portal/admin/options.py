"""Options of selects, each from one call."""

from __future__ import annotations

from portal.api import api

Options = list[tuple[str, str]]
MOST = 200


def locations(empty: str | None = None) -> Options:
    """Locations in use; ``empty`` is what no location means."""
    found = [(item["id"], item["name"]) for item in api().items("/v1/locations", limit=MOST)]
    return ([("", empty)] if empty is not None else []) + found


def resources(location_id: str | None = None) -> Options:
    """Rooms and desks in use."""
    items = api().items("/v1/resources", limit=MOST, location_id=location_id, sort="name")
    return [(item["id"], item["name"]) for item in items]


def plans(kind: str | None = None, empty: str | None = None) -> Options:
    """Plans in use."""
    found = [(item["id"], item["name"]) for item in api().items("/v1/plans", limit=MOST, kind=kind, sort="name")]
    return ([("", empty)] if empty is not None else []) + found


def customer_part(value: str | None) -> dict[str, str]:
    """A chosen customer as the API names it."""
    if not value:
        return {}
    return {"company_id": value} if value.startswith("com_") else {"member_id": value}
