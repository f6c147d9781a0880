"""Parallel taxes and their short form, as catalog, members and invoicing spell them (TAX-2, TAX-3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidError
from contracts.taxes import spell_taxes

GST = {"name": "GST", "percent": "5", "category": "S"}
PST = {"name": "PST", "percent": "7", "category": "S"}
rates = st.decimals(0, 20, places=3)
parallel = st.lists(rates, min_size=1, max_size=5).map(
    lambda percents: [{"name": f"T{n}", "percent": percent} for n, percent in enumerate(percents)]
)


@given(taxes=parallel)
def test_the_short_form_of_parallel_taxes_is_their_sum_and_spelling_again_changes_nothing(
    taxes: list[dict[str, Any]],
) -> None:
    spelled = spell_taxes({"taxes": taxes})
    assert spelled["tax_percent"] == sum(tax["percent"] for tax in taxes)
    assert spell_taxes({"taxes": spelled["taxes"]}) == spelled


@pytest.mark.parametrize(
    ("sent", "several", "spelled"),
    [
        ({"name": "x"}, None, {"name": "x"}),
        ({"taxes": [GST, PST]}, None, {"taxes": [GST, PST], "tax_percent": Decimal(12)}),
        ({"taxes": None}, Decimal(12), {"taxes": None, "tax_percent": None}),
        ({"taxes": None, "tax_percent": Decimal(19)}, Decimal(12), {"taxes": None, "tax_percent": Decimal(19)}),
        ({"tax_percent": Decimal(19)}, Decimal(12), {"taxes": None, "tax_percent": Decimal(19)}),
        ({"tax_percent": None}, Decimal(12), {"taxes": None, "tax_percent": None}),
        ({"tax_category": "E"}, None, {"taxes": None, "tax_category": "E"}),
        # A form that shows the sum, and sends it back as it was.
        ({"tax_percent": Decimal("12.00"), "tax_category": None, "name": "x"}, Decimal(12), {"name": "x"}),
    ],
)
def test_the_form_that_is_given_sets_the_other(
    sent: dict[str, Any], several: Decimal | None, spelled: dict[str, Any]
) -> None:
    assert spell_taxes(sent, several) == spelled


@pytest.mark.parametrize(
    ("tax", "category"), [({"percent": "5"}, "S"), ({"percent": "0"}, "Z"), ({"percent": "0", "category": "S"}, "Z")]
)
def test_a_tax_without_a_category_has_that_of_its_rate(tax: dict[str, Any], category: str) -> None:
    (kept,) = spell_taxes({"taxes": [tax]})["taxes"]
    assert kept == {"name": "", "percent": tax["percent"], "category": category}


@pytest.mark.parametrize(
    ("taxes", "code"),
    [
        ([GST, GST], "parallel_taxes_unnamed"),
        ([{**GST, "name": ""}, PST], "parallel_taxes_unnamed"),
        ([{**GST, "category": "AE"}], "invalid_tax_percent"),
        ([{**GST, "category": "X"}], "invalid_tax_category"),
        ([{**GST, "percent": "60"}, {**PST, "percent": "60"}], "invalid_tax_percent"),
    ],
)
def test_taxes_that_do_not_fit_together_are_refused_with_their_place(taxes: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        spell_taxes({"taxes": taxes})
    assert (refused.value.code, [each.pointer for each in refused.value.errors]) == (code, ["/taxes"])
