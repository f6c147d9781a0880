"""Members: list, search, profile, invitation."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options, taxes
from portal.admin.door import DESK, blueprint, require
from portal.admin.taxes import TaxedCustomerForm, with_taxes
from portal.api import api
from portal.fields import ChoiceField, LineField, WholeField
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm, act
from portal.pickers import PickerField
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class MemberForm(TaxedCustomerForm):
    """What `POST /v1/members` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [MAYBE, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    location_id = ChoiceField(lazy_gettext("Home location"), [MAYBE])
    company_id = PickerField(lazy_gettext("Company"), prefixes=("com_",))
    language = ChoiceField(
        lazy_gettext("Language of mails"),
        [MAYBE],
        choices=[("", lazy_gettext("As the organisation")), ("en", "English"), ("de", "Deutsch")],
    )
    reminders = BooleanField(lazy_gettext("Remind of bookings by mail"), default=True)
    is_billing_person = BooleanField(lazy_gettext("Sees and pays the company's invoices"))
    is_contact_person = BooleanField(lazy_gettext("Looks after the company's details"))
    billing_day = WholeField(lazy_gettext("Billed on day of the month"), [MAYBE])
    auto_collect = BooleanField(lazy_gettext("Charge the saved payment method automatically"), default=True)
    billing__name = LineField(lazy_gettext("Name on invoices"), [MAYBE])
    billing__email = LineField(lazy_gettext("Invoices go to"), [MAYBE, AN_EMAIL])
    billing__vat_number = LineField(lazy_gettext("VAT number"), [MAYBE])
    billing__purchase_order = LineField(lazy_gettext("Purchase order"), [MAYBE])
    billing__address__street = LineField(lazy_gettext("Street"), [MAYBE])
    billing__address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    billing__address__city = LineField(lazy_gettext("City"), [MAYBE])
    billing__address__country = LineField(lazy_gettext("Country"), [MAYBE])


@blueprint.get("/members")
def members() -> str:
    """A page of the list; search by name or e-mail address."""
    query = {name: request.args.get(name) for name in ("q", "cursor", "location_id", "status")}
    page = api().page("/v1/members", **query, sort="name", limit=50)
    places = options.locations(_("All locations"))
    return render_template("admin/members/list.html", page=page, locations=places)


@blueprint.route("/members/new", methods=["GET", "POST"])
def new_member() -> str | Response:
    """Take a member in."""
    require(*DESK)
    form = _form({"location_id": request.args.get("location_id"), "auto_collect": True, "reminders": True})
    made = form.send(lambda body: api().post("/v1/members", whole_billing(form, body)))
    if made is None:
        return render_template("admin/members/edit.html", form=form, member=None)
    return redirect(url_for("admin.member", member_id=made["id"]))


@blueprint.get("/members/<member_id>")
def member(member_id: str) -> str:
    """All about a member."""
    calls = api()
    return render_template(
        "admin/members/profile.html",
        member=calls.get(f"/v1/members/{member_id}"),
        memberships=calls.items("/v1/memberships", member_id=member_id),
        bookings=calls.items("/v1/bookings", member_id=member_id, limit=5),
        invoices=calls.items("/v1/invoices", member_id=member_id, limit=5),
        methods=calls.items("/v1/payment-methods", member_id=member_id),
    )


@blueprint.route("/members/<member_id>/edit", methods=["GET", "POST"])
def edit_member(member_id: str) -> str | Response:
    """Change a member."""
    require(*DESK)
    path = f"/v1/members/{member_id}"
    found = api().get(path)
    form = _form(found)
    if form.send(lambda body: api().patch(path, whole_billing(form, body, found)), nulls=True) is None:
        return render_template("admin/members/edit.html", form=form, member=found)
    return redirect(url_for("admin.member", member_id=member_id))


@blueprint.post("/members/<member_id>/invitation")
def invite_member(member_id: str) -> Response:
    """Mail an invitation to the Member Portal."""
    act(lambda: api().post(f"/v1/members/{member_id}/invitation"), _("The invitation is on its way."))
    return redirect(url_for("admin.member", member_id=member_id))


@blueprint.post("/members/<member_id>/archive")
def archive_member(member_id: str) -> Response:
    """Archive a member."""
    done = act(lambda: api().delete(f"/v1/members/{member_id}"), _("The member is archived."))
    return redirect(url_for("admin.member", member_id=member_id) if done is None else url_for("admin.members"))


@blueprint.post("/members/<member_id>/restoration")
def restore_member(member_id: str) -> Response:
    """Take an archived member in again."""
    act(lambda: api().patch(f"/v1/members/{member_id}", {"status": "active"}), _("The member is back."))
    return redirect(url_for("admin.member", member_id=member_id))


@blueprint.post("/members/<member_id>/payment-methods")
def add_test_method(member_id: str) -> Response:
    """Save a sandbox card for a member."""
    body = {"member_id": member_id, "token": request.form.get("token", "sandbox_ok")}
    act(lambda: api().post("/v1/payment-methods/setup", body), _("The card is saved."))
    return redirect(url_for("admin.member", member_id=member_id) + "#methods")


@blueprint.post("/members/<member_id>/payment-methods/<method_id>/removal")
def remove_method(member_id: str, method_id: str) -> Response:
    """Forget a payment method."""
    act(lambda: api().delete(f"/v1/payment-methods/{method_id}"), _("The payment method is removed."))
    return redirect(url_for("admin.member", member_id=member_id) + "#methods")


def _form(shown: dict[str, Any]) -> MemberForm:
    form = MemberForm(shown={**shown, "billing": with_taxes(shown.get("billing") or {})})
    form.location_id.offer(options.locations(_("None")))
    form.billing__tax_category.offer(taxes.categories())
    return form


def whole_billing(form: ApiForm, body: dict[str, Any], found: dict[str, Any] | None = None) -> dict[str, Any]:
    """A body with billing details; addresses take no nulls: what is empty is left out.

    What ``found`` has of an address that stands in no field stays.
    """
    billing = body.get("billing") or {}
    address = {name: text for name, text in (billing.get("address") or {}).items() if text}
    if "billing" in body:
        address |= form.unshown(found or {}, "billing__address")
        body["billing"] = {**billing, "address": address or None}
    return body
