"""Whom invoices are addressed to: the part that members and companies have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.entry.sign_up import countries
from portal.fields import ChoiceField, LineField
from portal.forms import AN_EMAIL, MAYBE, ApiForm
from portal.translation import language, lazy_gettext


class AddressForm(ApiForm):
    """``billing`` of `PATCH /v1/members/{id}` and `/v1/companies/{id}`."""

    billing__name = LineField(lazy_gettext("Name on invoices"), [MAYBE])
    billing__email = LineField(lazy_gettext("Invoices go to"), [MAYBE, AN_EMAIL])
    billing__address__street = LineField(lazy_gettext("Street and number"), [MAYBE])
    billing__address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    billing__address__city = LineField(lazy_gettext("City"), [MAYBE])
    billing__address__country = ChoiceField(lazy_gettext("Country"), [MAYBE])
    billing__vat_number = LineField(lazy_gettext("VAT number"), [MAYBE])

    def __init__(self, *, shown: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(shown=shown, **kwargs)
        self._unshown = self.unshown(shown, "billing__address")

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """An address has no empty parts, and keeps those that stand in no field; without any it is removed."""
        body = super().body(nulls=nulls)
        address = (body.get("billing") or {}).get("address")
        if address is not None:
            kept = {name: value for name, value in address.items() if value is not None}
            body["billing"]["address"] = {**kept, **self._unshown} or None
        return body


def offer_countries(form: AddressForm) -> None:
    """By name, the likeliest first."""
    form.billing__address__country.offer([("", "–"), *countries(language())])
