"""Links between resources form no circle, whatever the order in which they are made."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.resources import check_audience, check_links
from common.errors import InvalidError

IDS = [UUID(int=n) for n in range(6)]


def descendants(of: UUID, parents: dict[UUID, list[UUID]]) -> set[UUID]:
    """The resource and everything that has it among its ancestors, found the slow way."""
    found = {of}
    for _ in IDS:
        found |= {child for child, its in parents.items() if found & set(its)}
    return found


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.lists(st.sampled_from(IDS), max_size=3, unique=True)), max_size=12))
def test_a_link_is_refused_exactly_when_the_parent_descends_from_the_child(
    changes: list[tuple[UUID, list[UUID]]],
) -> None:
    parents: dict[UUID, list[UUID]] = {}
    for child, wanted in changes:
        below = descendants(child, {c: its for c, its in parents.items() if c != child})
        try:
            check_links(child, wanted, parents)
        except InvalidError:
            assert below & set(wanted)
        else:
            assert not below & set(wanted)
            parents[child] = wanted


@pytest.mark.parametrize(
    ("visibility", "plans", "fits"),
    [("public", [], True), ("members", [], True), ("plans", IDS, True), ("plans", [], False), ("public", IDS, False)],
)
def test_plans_are_named_exactly_for_visibility_plans(visibility: str, plans: list[UUID], fits: bool) -> None:
    if fits:
        check_audience(visibility, plans)
    else:
        with pytest.raises(InvalidError, match="plan_ids"):
            check_audience(visibility, plans)
