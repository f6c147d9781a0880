"""Kinds of tax as EN 16931 has them (UNTDID 5305), in words, and whether prices hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.fields import ChoiceField
from portal.translation import gettext as _
from portal.translation import lazy_gettext

WITH_OR_WITHOUT_TAX = (
    ("", lazy_gettext("as the organisation writes them")),
    ("yes", lazy_gettext("include tax")),
    ("no", lazy_gettext("are before tax")),
)


def categories() -> list[tuple[str, str]]:
    """Choices; the empty one leaves it to whatever is more general."""
    return [
        ("", _("As elsewhere")),
        ("S", _("Standard rate")),
        ("Z", _("Zero rate")),
        ("E", _("Exempt")),
        ("AE", _("Reverse charge")),
        ("K", _("Within the EU, to a business")),
        ("G", _("Export")),
        ("O", _("Not taxable")),
        ("L", _("Canary Islands (IGIC)")),
        ("M", _("Ceuta and Melilla (IPSI)")),
    ]


class TaxInPriceField(ChoiceField):
    """Prices with tax, without, or as elsewhere: a boolean that may be open."""

    _TOLD: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, choices=WITH_OR_WITHOUT_TAX, **kwargs)

    def process_data(self, value: Any) -> None:
        """Take the API's boolean."""
        super().process_data({True: "yes", False: "no"}.get(value, ""))

    def api_value(self) -> bool | None:  # type: ignore[override]
        """None when it is open."""
        return self._TOLD[self.data or ""]
