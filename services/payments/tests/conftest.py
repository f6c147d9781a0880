"""What the tests of payments share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parent / "gateways" / "doubles"))

from payments_house import House, MovableClock, make_house
from stripe_house import StripeHouse, make_stripe_house
from stripe_wire_double import running_double

from payments.service import SERVICE


@pytest.fixture(scope="module")
def app(service_app: Callable[..., Any]) -> Any:
    """The payments service on a database of its own, whose real time tests can move."""
    app = service_app(SERVICE)
    app.extensions["database"].clock = MovableClock()
    return app


@pytest.fixture
def house(app: Any, sign_in: Any) -> House:
    """A fresh rehearsal organisation with a member."""
    return make_house(app, sign_in)


@pytest.fixture
def stripe_house(app: Any, sign_in: Any) -> Iterator[StripeHouse]:
    """A rehearsal organisation with a Stripe account in test mode, on the wire double."""
    with running_double() as (double, address):
        yield make_stripe_house(app, sign_in, double, address)
