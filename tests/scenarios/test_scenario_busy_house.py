"""Two months of a house full of people: whatever they did, the books of all services agree in the end."""

from __future__ import annotations

import pytest
from accounts import faults
from busy_house import furnish_house, live
from client import GatewayClient
from footings import Footing

pytestmark = pytest.mark.timeout(600)


def test_everything_that_was_had_is_billed_paid_and_told_once_to_whom_it_concerns(alone: Footing) -> None:
    house = furnish_house(GatewayClient(alone.origin), seed=22)
    live(house)
    assert len(house.bookings) > 20, house.refused
    assert faults(house.api) == []
