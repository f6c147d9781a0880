"""The portal counts its requests by route."""

from __future__ import annotations

from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.gateway import GatewayAnswer


class _NoGateway:
    def send(self, *_args: object, **_kwargs: object) -> GatewayAnswer:
        return GatewayAnswer(503, {}, b"{}")


def test_requests_are_counted_by_route_and_not_by_path() -> None:
    client = create_portal_app(PortalSettings(secret="a secret of tests"), _NoGateway()).test_client()
    client.get("/sign-in?email=nobody@example.com")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'deskledger_http_requests_total{method="GET",route="/sign-in",service="portal",status="200"}' in text
    assert "nobody@example.com" not in text
