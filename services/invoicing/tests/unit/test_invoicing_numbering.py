"""DOC-2: number templates and their series."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidError
from invoicing.domain.numbering import parse_template

DAY = date(2027, 3, 9)


@pytest.mark.parametrize(
    ("text", "number", "expected", "series"),
    [
        pytest.param("INV-{year}-{number:05}", 1, "INV-2027-00001", "2027", id="DOC-2 default"),
        pytest.param("INV-{year}-{number:05}", 123456, "INV-2027-123456", "2027", id="DOC-2 outgrows its width"),
        pytest.param("{number}", 7, "7", "all", id="DOC-2 bare"),
        pytest.param("{year}/{month}/{number:03}", 7, "2027/03/007", "2027-03", id="DOC-2 monthly"),
        pytest.param("{location}-{number:04}", 7, "D1-0007", "all/D1", id="DOC-2 per location"),
    ],
)
def test_numbers_follow_their_template_doc_2(text: str, number: int, expected: str, series: str) -> None:
    template = parse_template(text)
    location = "D1" if template.per_location else None
    assert template.render(number, DAY, location) == expected
    assert template.series_key(DAY, location) == series


def test_a_yearly_template_may_count_on_for_ever_doc_2() -> None:
    template = parse_template("INV-{year}-{number:05}", "never")
    assert template.series_key(DAY) == template.series_key(date(2028, 1, 1)) == "all"


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("INV-{year}", None),
        ("", None),
        ("{number}-{number}", None),
        ("{number}{year}", None),
        ("{month}{number}-{year}", None),
        ("7{number}", None),
        ("{month}-{number}", None),
        ("INV-{number}", "year"),
        ("INV-{year}-{number}", "month"),
        ("INV-{year}-{number}", "week"),
        ("INV-{day}-{number}", None),
        ("INV-{number:5}", None),
        ("INV-{number:099}", None),
        ("INV-{number:000}", None),
        ("INV-{year:02}-{number}", None),
        ("INV\n-{number}", None),
        ("x" * 40 + "-{number}", None),
    ],
)
def test_templates_that_could_repeat_or_mislead_are_refused_doc_2(text: str, reset: str | None) -> None:
    with pytest.raises(InvalidError) as refusal:
        parse_template(text, reset)  # type: ignore[arg-type]
    assert refusal.value.code == "invalid_number_template"


def test_a_number_needs_its_location_and_starts_at_one_doc_2() -> None:
    template = parse_template("{location}-{number}")
    for location in (None, "", "a b", "a/b"):
        with pytest.raises(InvalidError):
            template.render(1, DAY, location)
    with pytest.raises(InvalidError):
        template.render(0, DAY, "D1")


@settings(max_examples=80)
@given(
    text=st.sampled_from(
        ["INV-{year}-{number:05}", "{number:02}", "{year}-{month}-{number}", "{number:03}/{month}/{year}"]
    ),
    first=st.tuples(st.integers(1, 10**7), st.dates(date(2020, 1, 1), date(2035, 1, 1))),
    second=st.tuples(st.integers(1, 10**7), st.dates(date(2020, 1, 1), date(2035, 1, 1))),
)
def test_two_places_in_the_series_never_look_the_same_doc_2(
    text: str, first: tuple[int, date], second: tuple[int, date]
) -> None:
    template = parse_template(text)
    places = {(template.series_key(day), number) for number, day in (first, second)}
    assert len({template.render(number, day) for number, day in (first, second)}) == len(places)


@settings(max_examples=80)
@given(
    text=st.sampled_from(
        ["INV-{year}-{number:05}", "{number:02}", "{year}-{month}-{number}", "{location}/{number:03}/{month}/{year}"]
    ),
    number=st.integers(1, 10**9),
    day=st.dates(date(2020, 1, 1), date(2035, 1, 1)),
)
def test_a_number_tells_its_series_doc_2(text: str, number: int, day: date) -> None:
    """Whatever template made it, as long as it looks like this one's."""
    template = parse_template(text)
    location = "D-1" if template.per_location else None
    found = re.match(template.pattern, template.render(number, day, location))
    assert found is not None
    parts = dict(zip(template.places, found.groups(), strict=True))
    assert (template.key_of(parts), int(parts["number"])) == (template.series_key(day, location), number)
