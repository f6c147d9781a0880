"""The Admin Portal's door and what all its pages share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, request
from werkzeug.wrappers import Response

from portal.problems import to_sign_in
from portal.rehearsal_clock import read_clock
from portal.seats import STAFF, current_seat, seat_of, use_seat
from portal.translation import lazy_gettext as _

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
EDITORS = ("owner", "admin")
DESK = ("owner", "admin", "front_desk")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation; ``roles`` empty: everybody on the team."""

    title: Any
    endpoint: str
    icon: str
    path: str
    roles: tuple[str, ...] = ()


NAVIGATION: tuple[tuple[Any, tuple[Place, ...]], ...] = (
    (
        None,
        (
            Place(_("Dashboard"), "admin.dashboard", "grid-1x2", "/admin/"),
            Place(_("Getting paid"), "admin.checklist", "list-check", "/admin/getting-paid"),
        ),
    ),
    (
        _("Space"),
        (
            Place(_("Calendar"), "admin.calendar", "calendar3", "/admin/calendar"),
            Place(_("Bookings"), "admin.bookings", "bookmark-check", "/admin/bookings"),
            Place(_("Members"), "admin.members", "people", "/admin/members"),
            Place(_("Companies"), "admin.companies", "building", "/admin/companies"),
            Place(_("Memberships"), "admin.memberships", "person-badge", "/admin/memberships"),
        ),
    ),
    (
        _("Money"),
        (
            Place(_("Invoices"), "admin.invoices", "receipt", "/admin/invoices"),
            Place(_("Billing runs"), "admin.billing_runs", "arrow-repeat", "/admin/billing-runs"),
            Place(_("Payments"), "admin.payments", "credit-card", "/admin/payments"),
            Place(_("Fees"), "admin.fees", "tag", "/admin/fees"),
        ),
    ),
    (
        _("On sale"),
        (
            Place(_("Locations"), "admin.locations", "geo-alt", "/admin/locations"),
            Place(_("Rooms and desks"), "admin.resources", "door-open", "/admin/resources"),
            Place(_("Rates"), "admin.rates", "cash-coin", "/admin/resource-rates"),
            Place(_("Plans"), "admin.plans", "box-seam", "/admin/plans"),
            Place(_("Promo codes"), "admin.promo_codes", "ticket-perforated", "/admin/promo-codes"),
            Place(_("Storefront"), "admin.storefront", "shop", "/admin/storefront"),
        ),
    ),
    (
        _("House"),
        (
            Place(_("Mail"), "admin.notifications", "envelope", "/admin/notifications"),
            Place(_("Payment gateways"), "admin.gateways", "bank", "/admin/payment-gateways"),
            Place(_("Billing"), "admin.billing_settings", "toggles", "/admin/settings/billing"),
            Place(_("Organisation"), "admin.organization_settings", "gear", "/admin/settings/organization", EDITORS),
            Place(_("Team"), "admin.team", "person-gear", "/admin/team", EDITORS),
            Place(_("API keys"), "admin.api_keys", "key", "/admin/api-keys", EDITORS),
            Place(_("Webhooks"), "admin.webhooks", "broadcast", "/admin/webhook-endpoints", EDITORS),
            Place(_("Audit log"), "admin.audit_log", "journal-text", "/admin/audit-log", ("owner",)),
        ),
    ),
)


@blueprint.before_request
def check_seat() -> Response | None:
    """Only for staff who are signed in."""
    seat = seat_of(STAFF)
    use_seat(seat)
    return to_sign_in() if seat is None else None


@blueprint.context_processor
def shared() -> dict[str, Any]:
    """Navigation and the rehearsal's clock."""
    seat = g.get("seat")
    if seat is None:
        return {}
    return {"navigation": NAVIGATION, "clock": _clock(), "here": _here()}


# Pages that stand in no navigation, and the entry that they belong to.
_BELONGS = {
    "/admin/collections": "/admin/payments",
    "/admin/credit-notes": "/admin/invoices",
    "/admin/notification-templates": "/admin/notifications",
    "/admin/settings/notifications": "/admin/notifications",
}


def _here() -> str:
    """The entry of the navigation that this page belongs to."""
    for beginning, path in _BELONGS.items():
        if request.path.startswith(beginning):
            return path
    paths = [place.path for _title, places in NAVIGATION for place in places]
    fitting = [path for path in paths if request.path == path or request.path.startswith(path.rstrip("/") + "/")]
    longest = max(fitting, key=len, default="")
    return longest if longest != "/admin/" or request.path == "/admin/" else ""


def _clock() -> dict[str, Any] | None:
    return read_clock() if current_seat().is_rehearsal else None


def require(*roles: str) -> None:
    """Refuse a page to other roles; the API refuses as well, this only says so earlier."""
    if not current_seat().may(*roles):
        abort(403)
