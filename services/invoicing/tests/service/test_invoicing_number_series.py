"""Templates of numbers may change at any time: no number is given twice, none is left out (DOC-2)."""

from __future__ import annotations

from typing import Any

import pytest


def made(house: Any, number: int) -> list[str]:
    """The numbers of so many new invoices."""
    line = {"description": "x", "unit_price": {"amount_minor": 100, "currency": "EUR"}}
    body = {"member_id": house.mem, "lines": [line]}
    return [house.post("/v1/invoices", body)["number"] for _ in range(number)]


def test_a_template_counts_on_after_numbers_of_another_that_look_like_its_own(house: Any) -> None:
    house.set(number_template="A-2027-{number}")
    assert made(house, 2) == ["A-2027-1", "A-2027-2"]
    house.set(number_template="A-{year}-{number:03}")
    assert made(house, 2) == ["A-2027-003", "A-2027-004"]
    house.set(number_template="A-2027-{number}")
    assert made(house, 1) == ["A-2027-5"]


def test_each_location_counts_on_for_itself(house: Any) -> None:
    house.set(number_template="D1-{number}")
    made(house, 3)
    house.set(number_template="{location}-{number}")
    assert made(house, 1) == ["D1-4"]


def test_the_same_template_again_changes_nothing(house: Any) -> None:
    made(house, 2)
    house.set(number_template="INV-{year}-{number:05}")
    assert made(house, 1) == ["INV-2027-00003"]


@pytest.mark.parametrize("template", ["INV-{year}-{number:05}", "INV-{year}-{number}"])
def test_an_invoice_and_a_credit_note_never_have_the_same_number(house: Any, template: str) -> None:
    refused = house.api.patch("/v1/settings/billing", {"credit_note_number_template": template})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_number_template")
    assert refused.json["errors"][0]["pointer"] == "/credit_note_number_template"
