"""From the page on which a charge is confirmed one goes back to this very site, and nowhere else."""

from __future__ import annotations

import pytest

from payments.api.actions import way_back


@pytest.mark.parametrize("path", ["/", "/hub/harbour/checkouts/chk_1?item=res_1~2027-02-15T08:00:00Z&item=pln_2"])
def test_a_path_of_this_site_is_a_way_back(path: str) -> None:
    assert way_back(path) == path


@pytest.mark.parametrize(
    "elsewhere",
    ["", "hub", "https://evil.example/", "//evil.example", "/\\evil.example", "/a\tb", "/\n/evil.example", "/é",
     "javascript:alert(1)", "/" + "a" * 2000],
)  # fmt: skip
def test_anything_else_is_none(elsewhere: str) -> None:
    assert way_back(elsewhere) is None
