"""Charts: columns keep within the picture and their proportions."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.charts import HEIGHT, WIDTH, columns


def test_nothing_draws_nothing() -> None:
    assert columns([]) == []


@given(st.lists(st.integers(-(10**9), 10**12), min_size=1, max_size=24))
def test_columns_stay_in_the_picture_and_keep_their_order(values: list[int]) -> None:
    drawn = columns([(str(value), value, "") for value in values])
    assert all(one.x >= 0 and one.x + one.width <= WIDTH for one in drawn)
    assert all(one.y >= 0 and one.y + one.height <= HEIGHT for one in drawn)
    for one, other in pairwise(drawn):
        assert one.x + one.width < other.x
        if int(one.label) <= int(other.label):
            assert one.height <= other.height
