"""Taxes in forms: one or several, their kinds as EN 16931 has them (UNTDID 5305), and whether prices hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal

from portal.fields import ChoiceField, NumberField
from portal.forms import MAYBE, ApiForm
from portal.problems import Fault
from portal.translation import gettext as _
from portal.translation import lazy_gettext, locale

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


class TaxField(NumberField):
    """A percentage, or several named ones side by side: ``19``, or ``GST 5 + PST 7``."""

    def process_data(self, value: Any) -> None:
        """Take the API's percentage or its parallel taxes."""
        if isinstance(value, list):
            self.data = value
        else:
            super().process_data(value)

    def shown(self) -> str:
        """As it is typed."""
        if not isinstance(self.data, list):
            return super().shown()
        return " + ".join(f"{tax['name']} {_percent(tax['percent'])}".strip() for tax in self.data)

    def read(self, text: str) -> Any:
        """One number, or names with numbers and a plus between."""
        parts = [part.strip().removesuffix("%").strip() for part in text.split("+")]
        if len(parts) == 1 and " " not in parts[0]:
            return super().read(parts[0])
        return [self._named(part) for part in parts]

    def api_value(self) -> str | None:
        """The short form; parallel taxes are the form's, see `_spelled`."""
        return None if isinstance(self.data, list) else super().api_value()

    def _named(self, part: str) -> dict[str, str]:
        name, _blank, number = part.rpartition(" ")
        before = self.object_data if isinstance(self.object_data, list) else []
        category = next((tax.get("category") for tax in before if tax["name"] == name.strip()), None)
        told = {"name": name.strip(), "percent": format(super().read(number), "f")}
        return {**told, "category": category} if category else told


def _percent(text: str) -> str:
    return format_decimal(Decimal(text), locale=locale(), group_separator=False)


class TaxedForm(ApiForm):
    """A form with one tax by its short form, or with parallel ones; the API takes one of both."""

    tax_percent = TaxField(lazy_gettext("Tax"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With parallel taxes under their own name."""
        return _spelled(super().body(nulls=nulls), self.tax_percent)

    def _place(self, fault: Fault) -> bool:
        return super()._place(replace(fault, pointer="/tax_percent") if fault.pointer.startswith("/taxes") else fault)


class TaxedCustomerForm(ApiForm):
    """The same for members and companies, whose taxes are a part of ``billing``."""

    billing__tax_percent = TaxField(lazy_gettext("Tax"), [MAYBE])
    billing__tax_category = ChoiceField(lazy_gettext("Kind of tax"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With parallel taxes under their own name."""
        body = super().body(nulls=nulls)
        billing = _spelled(body.get("billing") or {}, self.billing__tax_percent)
        return {**body, "billing": billing} if billing else body

    def _place(self, fault: Fault) -> bool:
        is_tax = fault.pointer.startswith("/billing/taxes")
        return super()._place(replace(fault, pointer="/billing/tax_percent") if is_tax else fault)


def _spelled(body: dict[str, Any], field: TaxField) -> dict[str, Any]:
    """A body with parallel taxes instead of the one; what had some and has none any more is told so."""
    if isinstance(field.data, list):
        others = {name: value for name, value in body.items() if name not in ("tax_percent", "tax_category")}
        return {**others, "taxes": field.data}
    return {**body, "taxes": None} if isinstance(field.object_data, list) else body


def with_taxes(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the API shows, with its parallel taxes where a form has its one field."""
    return {**found, "tax_percent": found.get("taxes") or found.get("tax_percent")}
