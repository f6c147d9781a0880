"""How a row of texts becomes the fields of the API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.domain.csv_columns import (
    COMPANY_COLUMNS,
    MEMBER_COLUMNS,
    HeaderError,
    check_header,
    delimiter_of,
    fields_of,
)


@pytest.mark.parametrize(
    ("line", "delimiter"), [("name,email", ","), ("name;email", ";"), ("name\temail", "\t"), ("name", ",")]
)
def test_the_delimiter_is_read_from_the_header(line: str, delimiter: str) -> None:
    assert delimiter_of(line) == delimiter


@pytest.mark.parametrize("header", [["email"], ["name", "name"], ["name", "colour"], []])
def test_other_headers_are_refused(header: list[str]) -> None:
    with pytest.raises(HeaderError):
        check_header(header, MEMBER_COLUMNS)


def test_companies_have_no_company() -> None:
    with pytest.raises(HeaderError, match="unknown columns: company"):
        check_header(["name", "company"], COMPANY_COLUMNS)


def test_empty_cells_are_left_out_and_nested_ones_nested() -> None:
    row = {
        "name": " Ann ",
        "email": "",
        "billing_day": "31",
        "auto_collect": "No",
        "reminders": "perhaps",
        "billing_city": "Hamburg",
        "billing_email": "bills@example.com",
    }
    assert fields_of(row) == {
        "name": "Ann",
        "billing_day": 31,
        "auto_collect": False,
        "reminders": "perhaps",
        "billing": {"email": "bills@example.com", "address": {"city": "Hamburg"}},
    }


@given(st.dictionaries(st.sampled_from(MEMBER_COLUMNS), st.text(max_size=20)))
def test_no_row_of_texts_is_too_strange(row: dict[str, str]) -> None:
    fields = fields_of(row)
    assert set(fields) <= {*MEMBER_COLUMNS, "billing"}
    assert not any(name.startswith("billing_") and name != "billing_day" for name in fields)
