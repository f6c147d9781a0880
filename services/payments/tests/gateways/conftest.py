"""Providers to run adapters against: localstripe and the wire double, each started once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent / "doubles"))

from localstripe_process import running_localstripe
from stripe_wire_double import API_KEY, WEBHOOK_SECRET, StripeDouble, running_double

from payments.gateways.stripe import StripeConnection, StripeCredentials, StripeGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def localstripe_address() -> Iterator[str]:
    """Address of a running localstripe."""
    with running_localstripe() as address:
        yield address


@pytest.fixture
def double_and_address() -> Iterator[tuple[StripeDouble, str]]:
    """A fresh wire double and its address."""
    with running_double() as double:
        yield double


@pytest.fixture
def double(double_and_address: tuple[StripeDouble, str]) -> StripeDouble:
    """The provider's side of the wire double."""
    return double_and_address[0]


@pytest.fixture
def stripe_on_double(double_and_address: tuple[StripeDouble, str]) -> Callable[..., StripeGateway]:
    """Builds an adapter on the wire double; keywords: api_key, retries, read_timeout (seconds)."""

    def build(api_key: str = API_KEY, retries: int = 0, read_timeout: float = 30) -> StripeGateway:
        credentials = StripeCredentials(api_key, webhook_secret=WEBHOOK_SECRET, publishable_key="pk_test_double")
        connection = StripeConnection(double_and_address[1], 2, read_timeout, retries)
        return StripeGateway(credentials, connection)

    return build
