"""Whose X-Forwarded-For is believed."""

from __future__ import annotations

import pytest

from gateway.headers import ClientAddresses, request_id_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody can write that header
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the client wrote the first one itself
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.7", "10.0.0.7"),
    ],
)
def test_the_clients_address_is_the_last_one_that_a_trusted_proxy_saw(peer: str, forwarded: str, found: str) -> None:
    addresses = ClientAddresses("10.0.0.0/8", "secret")
    assert addresses.of({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded})[0] == found


def test_the_portal_with_the_internal_token_may_speak_for_its_visitors() -> None:
    environ = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    addresses = ClientAddresses("", "secret")
    assert addresses.of(environ | {"HTTP_DESKLEDGER_INTERNAL_TOKEN": "secret"}) == ("198.51.100.1", True)
    assert addresses.of(environ | {"HTTP_DESKLEDGER_INTERNAL_TOKEN": "guess"}) == ("203.0.113.9", False)


def test_a_strange_request_id_is_replaced() -> None:
    assert request_id_of({"HTTP_X_REQUEST_ID": "abc-123"}, "trace") == "abc-123"
    assert request_id_of({"HTTP_X_REQUEST_ID": "a b\t<script>"}, "trace") == "trace"
    assert request_id_of({"HTTP_X_REQUEST_ID": "a" * 101}, "trace") == "trace"
