"""The map of the door."""

from __future__ import annotations

import pytest

from gateway.routes import find_route


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/organizations", "members"),
        ("/v1/organization", "members"),
        ("/v1/organization/clock", "gateway"),
        ("/v1/organization/clock/advance", "gateway"),
        ("/v1/.well-known/jwks.json", "members"),
        ("/v1/locations/loc_1", "catalog"),
        ("/v1/resources", "catalog"),
        ("/v1/resource-rates", "catalog"),
        ("/v1/bookings/quote", "booking"),
        ("/v1/bookings/bkg_1/cancellation", "booking"),
        ("/v1/invoices", "invoicing"),
        ("/v1/invoices/inv_1/pdf", "invoicing"),
        ("/v1/invoices/inv_1/payments", "payments"),
        ("/v1/payments/pay_1/refunds", "payments"),
        ("/v1/webhooks/gtw_1", "payments"),
        ("/v1/webhook-endpoints/whk_1/deliveries", "notifications"),
        ("/v1/setup", "gateway"),
        ("/v1/setup/catalog", "catalog"),
        ("/v1/storefront/harbour", "gateway"),
        ("/v1/storefront/harbour/checkouts/x/payment", "gateway"),
        ("/v1/storefront/harbour/availability", "booking"),
        ("/v1/storefront/harbour/quote", "booking"),
        ("/v1/storefront/harbour/catalog", "catalog"),
        ("/v1/storefront-settings", "catalog"),
        ("/v1/reports/occupancy", "booking"),
        ("/v1/reports/revenue", "invoicing"),
        ("/readyz", "gateway"),
        ("/", "portal"),
        ("/admin/plans", "portal"),
        ("/hub/harbour", "portal"),
        ("/v2/members", "portal"),
    ],
)
def test_a_path_goes_to_its_owner(path: str, service: str) -> None:
    route = find_route(path)
    assert route is not None
    assert route.service == service


@pytest.mark.parametrize(
    "path",
    [
        "/internal/settlement",
        "/internal",
        "//internal/settlement",
        "/v1/../internal/settlement",
        "/v1/members/../../internal/settlement",
        "/v1/./members",
        "/v1//members",
        "/v1\\members",
        "/v1/members/\x00",
        "/v1/members/\n",
        "/v1/memberships2",
        "/v1/unknown",
        "/v1",
        "",
        "*",
    ],
)
def test_what_no_client_may_reach_has_no_route(path: str) -> None:
    assert find_route(path) is None
