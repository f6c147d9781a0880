"""The map of the door: which path belongs to which service. The longest matching path decides; ``*`` is one segment."""

from __future__ import annotations

from dataclasses import dataclass, field

GATEWAY = "gateway"
PORTAL = "portal"

TABLE: dict[str, str] = {
    # the gateway's own
    "/livez": GATEWAY,
    "/readyz": GATEWAY,
    "/metrics": GATEWAY,
    "/openapi.json": GATEWAY,
    "/docs": GATEWAY,
    "/v1/setup": GATEWAY,
    "/v1/audit-log": GATEWAY,
    "/v1/organization/clock": GATEWAY,
    "/v1/storefront/*": GATEWAY,
    # who is who
    "/v1/.well-known": "members",
    "/v1/organizations": "members",
    "/v1/organization": "members",
    "/v1/tokens": "members",
    "/v1/sign-in-links": "members",
    "/v1/sessions": "members",
    "/v1/passwords": "members",
    "/v1/password": "members",
    "/v1/password-resets": "members",
    "/v1/invitations": "members",
    "/v1/api-keys": "members",
    "/v1/me": "members",
    "/v1/users": "members",
    "/v1/members": "members",
    "/v1/companies": "members",
    # what is on sale
    "/v1/locations": "catalog",
    "/v1/resources": "catalog",
    "/v1/resource-rates": "catalog",
    "/v1/plans": "catalog",
    "/v1/promo-codes": "catalog",
    "/v1/booking-policies": "catalog",
    "/v1/cancellation-policies": "catalog",
    "/v1/storefront-settings": "catalog",
    "/v1/storefront/*/catalog": "catalog",
    # when it is used
    "/v1/availability": "booking",
    "/v1/bookings": "booking",
    "/v1/holds": "booking",
    "/v1/passes": "booking",
    "/v1/credits": "booking",
    "/v1/check-ins": "booking",
    "/v1/calendars": "booking",
    "/v1/settings/booking": "booking",
    "/v1/promo-code-uses/bookings": "booking",
    "/v1/storefront/*/availability": "booking",
    "/v1/storefront/*/quote": "booking",
    "/v1/storefront/*/holds": "booking",
    # what is owed
    "/v1/memberships": "invoicing",
    "/v1/fees": "invoicing",
    "/v1/purchases": "invoicing",
    "/v1/settings/billing": "invoicing",
    "/v1/billing-runs": "invoicing",
    "/v1/invoices": "invoicing",
    "/v1/credit-notes": "invoicing",
    "/v1/deposits": "invoicing",
    "/v1/account-credits": "invoicing",
    "/v1/reports": "invoicing",
    "/v1/promo-code-uses": "invoicing",
    # how it is paid
    "/v1/invoices/*/payments": "payments",
    "/v1/payment-gateways": "payments",
    "/v1/payment-methods": "payments",
    "/v1/payments": "payments",
    "/v1/refunds": "payments",
    "/v1/collections": "payments",
    "/v1/payouts": "payments",
    "/v1/webhooks": "payments",
    "/v1/settings/collection": "payments",
    # who is told
    "/v1/notifications": "notifications",
    "/v1/notification-templates": "notifications",
    "/v1/webhook-endpoints": "notifications",
    "/v1/settings/notifications": "notifications",
    # what each service adds to the checklist and to the reports
    "/v1/setup/members": "members",
    "/v1/setup/catalog": "catalog",
    "/v1/setup/booking": "booking",
    "/v1/setup/invoicing": "invoicing",
    "/v1/setup/payments": "payments",
    "/v1/setup/notifications": "notifications",
    "/v1/reports/occupancy": "booking",
    "/v1/reports/bookings": "booking",
    "/v1/reports/day": "booking",
    "/v1/reports/check-ins": "booking",
    "/v1/reports/payments": "payments",
    "/v1/reports/payouts": "payments",
    "/v1/reports/collections": "payments",
    "/v1/reports/notifications": "notifications",
}

# Where passwords, links and keys can be guessed, or organisations made: limited more strictly.
SIGN_IN_PATHS = frozenset(
    {
        "/v1/tokens",
        "/v1/organizations",
        "/v1/sign-in-links",
        "/v1/sessions",
        "/v1/passwords",
        "/v1/password",
        "/v1/password-resets",
        "/v1/invitations",
    }
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes; ``name`` is the table's entry (and the label in metrics)."""

    name: str
    service: str


@dataclass(slots=True)
class _Node:
    route: Route | None = None
    below: dict[str, _Node] = field(default_factory=dict)


def _tree(table: dict[str, str]) -> _Node:
    root = _Node()
    for path, service in table.items():
        node = root
        for segment in path.strip("/").split("/"):
            node = node.below.setdefault(segment, _Node())
        node.route = Route(path, service)
    return root


_TREE = _tree(TABLE)
_PORTAL = Route(PORTAL, PORTAL)


def find_route(path: str) -> Route | None:
    """The route of a decoded path; None for what no client may reach.

    Everything outside of the API belongs to the portal, except ``/internal``, and paths whose meaning could differ
    between here and the service behind (empty or dotted segments, control characters).
    """
    segments = path.split("/")[1:]
    if not path.startswith("/") or _is_ambiguous(path, segments) or segments[0] == "internal":
        return None
    node, found = _TREE, None
    for segment in segments:
        step = node.below.get(segment) or node.below.get("*")
        if step is None:
            break
        node, found = step, step.route or found
    if found is None and segments[0] != "v1":
        return _PORTAL
    return found


def _is_ambiguous(path: str, segments: list[str]) -> bool:
    return "" in segments[:-1] or "." in segments or ".." in segments or "\\" in path or not path.isprintable()
