"""Companies: who pays for several members."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options, taxes
from portal.admin.door import DESK, blueprint, require
from portal.admin.members import whole_billing
from portal.admin.taxes import TaxedCustomerForm, with_taxes
from portal.api import api
from portal.fields import ChoiceField, LineField, WholeField
from portal.forms import AN_EMAIL, MAYBE, NEEDED, act
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class CompanyForm(TaxedCustomerForm):
    """What `POST /v1/companies` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [MAYBE, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    location_id = ChoiceField(lazy_gettext("Home location"), [MAYBE])
    language = ChoiceField(
        lazy_gettext("Language of mails"),
        [MAYBE],
        choices=[("", lazy_gettext("As the organisation")), ("en", "English"), ("de", "Deutsch")],
    )
    reminders = BooleanField(lazy_gettext("Remind of bookings by mail"), default=True)
    billing_day = WholeField(lazy_gettext("Billed on day of the month"), [MAYBE])
    billing__name = LineField(lazy_gettext("Name on invoices"), [MAYBE])
    billing__email = LineField(lazy_gettext("Invoices go to"), [MAYBE, AN_EMAIL])
    billing__vat_number = LineField(lazy_gettext("VAT number"), [MAYBE])
    billing__purchase_order = LineField(lazy_gettext("Purchase order"), [MAYBE])
    billing__address__street = LineField(lazy_gettext("Street"), [MAYBE])
    billing__address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    billing__address__city = LineField(lazy_gettext("City"), [MAYBE])
    billing__address__country = LineField(lazy_gettext("Country"), [MAYBE])
    auto_collect = BooleanField(lazy_gettext("Charge the saved payment method automatically"), default=True)


@blueprint.get("/companies")
def companies() -> str:
    """A page of the list."""
    query = {name: request.args.get(name) for name in ("q", "cursor", "status")}
    return render_template("admin/companies/list.html", page=api().page("/v1/companies", **query, sort="name"))


@blueprint.route("/companies/new", methods=["GET", "POST"])
def new_company() -> str | Response:
    """Take a company in."""
    require(*DESK)
    form = _form({"auto_collect": True, "reminders": True})
    made = form.send(lambda body: api().post("/v1/companies", whole_billing(form, body)))
    if made is None:
        return render_template("admin/companies/edit.html", form=form, company=None)
    return redirect(url_for("admin.company", company_id=made["id"]))


@blueprint.get("/companies/<company_id>")
def company(company_id: str) -> str:
    """All about a company."""
    calls = api()
    return render_template(
        "admin/companies/profile.html",
        company=calls.get(f"/v1/companies/{company_id}"),
        people=calls.page("/v1/members", company_id=company_id, sort="name"),
        memberships=calls.items("/v1/memberships", company_id=company_id),
        invoices=calls.items("/v1/invoices", company_id=company_id, limit=5),
        methods=calls.items("/v1/payment-methods", company_id=company_id),
    )


@blueprint.route("/companies/<company_id>/edit", methods=["GET", "POST"])
def edit_company(company_id: str) -> str | Response:
    """Change a company."""
    require(*DESK)
    path = f"/v1/companies/{company_id}"
    found = api().get(path)
    form = _form(found)
    if form.send(lambda body: api().patch(path, whole_billing(form, body, found)), nulls=True) is None:
        return render_template("admin/companies/edit.html", form=form, company=found)
    return redirect(url_for("admin.company", company_id=company_id))


@blueprint.post("/companies/<company_id>/archive")
def archive_company(company_id: str) -> Response:
    """Archive a company."""
    done = act(lambda: api().delete(f"/v1/companies/{company_id}"), _("The company is archived."))
    return redirect(url_for("admin.company", company_id=company_id) if done is None else url_for("admin.companies"))


@blueprint.post("/companies/<company_id>/restoration")
def restore_company(company_id: str) -> Response:
    """Take an archived company in again."""
    act(lambda: api().patch(f"/v1/companies/{company_id}", {"status": "active"}), _("The company is back."))
    return redirect(url_for("admin.company", company_id=company_id))


def _form(shown: dict[str, Any]) -> CompanyForm:
    form = CompanyForm(shown={**shown, "billing": with_taxes(shown.get("billing") or {})})
    form.location_id.offer(options.locations(_("None")))
    form.billing__tax_category.offer(taxes.categories())
    return form
