"""The company's page: for its billing persons (invoices, payment) and contact persons (details)."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import Page, api
from portal.fields import ChoiceField, LineField
from portal.forms import AN_EMAIL, MAYBE, NEEDED
from portal.member.addresses import AddressForm, offer_countries
from portal.member.door import blueprint
from portal.seats import current_seat
from portal.translation import gettext as _
from portal.translation import language_choices, lazy_gettext


class CompanyForm(AddressForm):
    """What contact persons may change of their company."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [MAYBE, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    language = ChoiceField(lazy_gettext("Language"), [MAYBE])
    billing__purchase_order = LineField(lazy_gettext("Your order number on invoices"), [MAYBE])


@blueprint.get("/<slug>/company")
def company() -> str:
    """Details, people, memberships and invoices."""
    calls, company_id = api(), _company_id()
    me = current_seat().me
    pays = bool(me.get("is_billing_person"))
    return render_template(
        "member/company.html",
        company=calls.get(f"/v1/companies/{company_id}"),
        people=calls.items("/v1/members", company_id=company_id, sort="name", limit=200),
        invoices=_invoices(company_id) if pays else None,
        memberships=calls.items("/v1/memberships", company_id=company_id, limit=100) if pays else [],
        may_edit=bool(me.get("is_contact_person")),
    )


@blueprint.route("/<slug>/company/details", methods=["GET", "POST"])
def company_details() -> str | Response:
    """What contact persons change."""
    path = f"/v1/companies/{_company_id()}"
    if not current_seat().me.get("is_contact_person"):
        abort(403)
    form = CompanyForm(shown=api().get(path))
    form.language.offer([("", _("As the house writes")), *language_choices()])
    offer_countries(form)
    if form.send(lambda body: api().patch(path, body), nulls=True) is None:
        return render_template("member/company_details.html", form=form)
    flash(_("Saved."), "success")
    return redirect(url_for("member.company"))


def _invoices(company_id: str) -> Page:
    return api().page("/v1/invoices", company_id=company_id, limit=20, cursor=request.args.get("cursor"))


def _company_id() -> str:
    me = current_seat().me
    if not me.get("company_id") or not (me.get("is_billing_person") or me.get("is_contact_person")):
        abort(404)
    return str(me["company_id"])
