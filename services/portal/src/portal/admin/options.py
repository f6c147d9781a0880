"""Options of selects, each from one call."""

from __future__ import annotations

from portal.api import api
from portal.translation import gettext as _

Options = list[tuple[str, str]]
_MOST = 200


def locations(empty: str | None = None) -> Options:
    """Locations in use; ``empty`` is what no location means."""
    found = [(item["id"], item["name"]) for item in api().items("/v1/locations", limit=_MOST)]
    return ([("", empty)] if empty is not None else []) + found


def resources(location_id: str | None = None) -> Options:
    """Rooms and desks in use."""
    items = api().items("/v1/resources", limit=_MOST, location_id=location_id, sort="name")
    return [(item["id"], item["name"]) for item in items]


def plans(kind: str | None = None, empty: str | None = None) -> Options:
    """Plans in use."""
    found = [(item["id"], item["name"]) for item in api().items("/v1/plans", limit=_MOST, kind=kind, sort="name")]
    return ([("", empty)] if empty is not None else []) + found


def companies(empty: str) -> Options:
    """Companies by name."""
    items = api().items("/v1/companies", limit=_MOST, sort="name")
    return [("", empty), *((item["id"], item["name"]) for item in items)]


def customers(chosen: str | None = None, *, with_companies: bool = True) -> Options:
    """Members and companies by name; the chosen one is always among them."""
    people = api().items("/v1/members", limit=_MOST, sort="name")
    found = [(item["id"], item["name"]) for item in people]
    if with_companies:
        companies_ = api().items("/v1/companies", limit=_MOST, sort="name")
        found += [(item["id"], _("%(name)s (company)", name=item["name"])) for item in companies_]
    if chosen and chosen not in dict(found):
        path = "/v1/companies" if chosen.startswith("com_") else "/v1/members"
        one = api().maybe(f"{path}/{chosen}")
        found = [(chosen, one["name"]), *found] if one else found
    return [("", _("Choose …")), *found]


def customer_part(value: str | None) -> dict[str, str]:
    """A chosen customer as the API names it."""
    if not value:
        return {}
    return {"company_id": value} if value.startswith("com_") else {"member_id": value}
