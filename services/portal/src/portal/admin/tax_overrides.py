"""Taxes of one customer, location, plan or revenue account, instead of those that they have elsewhere (TAX-1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.admin.taxes import TaxField
from portal.api import api
from portal.fields import ChoiceField, LineField, required_number
from portal.forms import MAYBE, ApiForm, act
from portal.names import customer_id
from portal.pickers import PATHS, PickerField
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/settings/billing"

Overrides = list[dict[str, Any]]


class OverrideForm(ApiForm):
    """One of `tax_overrides`: whose, and which."""

    customer = PickerField(lazy_gettext("A customer"), [MAYBE])
    location_id = ChoiceField(lazy_gettext("or a location"), [MAYBE])
    plan_id = ChoiceField(lazy_gettext("or a plan"), [MAYBE])
    revenue_account = LineField(lazy_gettext("or a revenue account"), [MAYBE])
    tax = TaxField(lazy_gettext("Tax"), [required_number])

    def override(self) -> dict[str, Any]:
        """What the API keeps."""
        told = {name: self[name].data for name in ("location_id", "plan_id", "revenue_account") if self[name].data}
        customer = options.customer_part(self.customer.data) if self.customer.data else {}
        tax = self.tax.data
        taxes = tax if isinstance(tax, list) else [{"name": "", "percent": format(tax, "f")}]
        return {**told, **customer, "taxes": taxes}


@blueprint.route("/settings/taxes", methods=["GET", "POST"])
def tax_overrides() -> str | Response:
    """The list, and one more."""
    require(*EDITORS)
    found, version = _read()
    form = OverrideForm()
    locations, plans = options.locations(_("None")), options.plans(None, _("None"))
    form.location_id.offer(locations)
    form.plan_id.offer(plans)
    if form.send(lambda _body: _keep([*found, form.override()], version)) is None:
        names = dict([*locations, *plans]) | _customers(found)
        return render_template("admin/settings/taxes.html", form=form, rows=[_row(one, names) for one in found])
    act(dict, _("Saved."))
    return redirect(url_for("admin.tax_overrides"))


@blueprint.post("/settings/taxes/removal")
def remove_tax_override() -> Response:
    """Take one away: whose it is says which."""
    require(*EDITORS)
    found, version = _read()
    left = [one for one in found if _whose(one) != request.form.get("whose")]
    act(lambda: _keep(left, version), _("Saved."))
    return redirect(url_for("admin.tax_overrides"))


def _read() -> tuple[Overrides, str]:
    """All of them, and the version of the settings that they are a part of."""
    settings, version = api().read(_PATH)
    return settings.get("tax_overrides") or [], version


def _keep(overrides: Overrides, version: str) -> Any:
    """The list is written as a whole: what somebody else added meanwhile must not get lost."""
    return api().patch(_PATH, {"tax_overrides": overrides}, version=version)


def _customers(overrides: Overrides) -> dict[str, str]:
    """Names of members and companies, by two calls at most: of one or two their own, of more those of lists."""
    ids = list(dict.fromkeys(filter(None, map(customer_id, overrides))))
    if len(ids) <= len(PATHS):
        found = [api().maybe(f"{PATHS[one[:4]]}/{one}") for one in ids]
    else:
        found = [one for path in PATHS.values() for one in api().items(path, status="all", limit=options.MOST)]
    return {one["id"]: one["name"] for one in found if one}


def _whose(override: Mapping[str, Any]) -> str:
    return next(str(value) for name, value in override.items() if name != "taxes" and value)


def _row(override: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What the list shows; a customer whose name is not known is called what they are."""
    whose = _whose(override)
    kind = "member" if override.get("member_id") else "company" if override.get("company_id") else None
    unnamed = {"member": _("Member"), "company": _("Company")}.get(kind or "", whose)
    return {"whose": whose, "kind": kind, "name": names.get(whose, unnamed), "taxes": override["taxes"]}
