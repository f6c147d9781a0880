"""VAT numbers are checked for their form (TAX-3)."""

from __future__ import annotations

import pytest

from common.errors import InvalidError
from members.services.vat_numbers import normal_vat_number


@pytest.mark.parametrize(
    ("number", "country", "compact"),
    [
        ("DE 136 695 976", "DE", "DE136695976"),
        ("136695976", "DE", "DE136695976"),
        ("de136695976", "FR", "DE136695976"),
        ("EL 094259216", "DE", "EL094259216"),
        ("ATU13585627", "AT", "ATU13585627"),
        ("GB 980 7806 84", "GB", "980780684"),
        ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA"),
        ("12-345", "US", "12345"),
    ],
)
def test_good_numbers_are_kept_in_their_compact_form(number: str, country: str, compact: str) -> None:
    """TAX-3."""
    assert normal_vat_number(number, country) == compact


@pytest.mark.parametrize(
    ("number", "country"),
    [("DE136695975", "DE"), ("DE1", "DE"), ("x", "US"), ("1", "US"), ("", "DE"), ("GB123", "GB"), ("9" * 30, "US")],
)
def test_what_can_be_no_number_is_refused(number: str, country: str) -> None:
    """TAX-3."""
    with pytest.raises(InvalidError) as refused:
        normal_vat_number(number, country)
    assert refused.value.code == "vat_number_invalid"
    assert refused.value.errors[0].pointer == "/billing/vat_number"
