"""Settings: the switches of billing, and the organisation itself."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, TextAreaField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.entry.sign_up import countries, zones
from portal.fields import (
    CheckListField,
    ChoiceField,
    DayField,
    LineField,
    NumberField,
    WholeField,
    WholeListField,
    required_number,
)
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm, act
from portal.seats import keep_organization
from portal.translation import gettext as _
from portal.translation import language, lazy_gettext


class BillingForm(ApiForm):
    """What `PATCH /v1/settings/billing` takes."""

    automatic_generation = BooleanField(lazy_gettext("Generate invoices automatically"))
    automatic_sending = BooleanField(lazy_gettext("Send invoices automatically"))
    automatic_collection = BooleanField(lazy_gettext("Collect payments automatically"))
    pay_now = BooleanField(lazy_gettext("Pay Now in the Member Portal"))
    member_changes = CheckListField(
        lazy_gettext("What members may do with their memberships themselves"),
        [MAYBE],
        choices=[
            ("plan_change", lazy_gettext("Change the plan")),
            ("pause", lazy_gettext("Pause")),
            ("end", lazy_gettext("End the membership")),
        ],
    )
    period_start = ChoiceField(lazy_gettext("Billing periods begin"), [NEEDED])
    generate_days_before = WholeField(lazy_gettext("Invoices are made"), [required_number])
    payment_terms_days = WholeField(lazy_gettext("Payment is due after"), [required_number])
    charge_hour = WholeField(lazy_gettext("Charged at"), [required_number])
    tax_percent = NumberField(lazy_gettext("Tax"), [required_number])
    prices_include_tax = BooleanField(lazy_gettext("Prices include tax"))
    number_template = LineField(lazy_gettext("Invoice numbers"), [NEEDED])
    retry_days = WholeListField(lazy_gettext("Try a failed charge again after"), [MAYBE])
    reminders = WholeListField(lazy_gettext("Remind of unpaid invoices on day"), [MAYBE])
    lock_date = DayField(lazy_gettext("Books are closed up to"), [MAYBE])
    payment_instructions = TextAreaField(lazy_gettext("How to pay, as printed on invoices"), [MAYBE])


class OrganizationForm(ApiForm):
    """What `PATCH /v1/organization` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    legal_name = LineField(lazy_gettext("Legal name"), [MAYBE])
    country = ChoiceField(lazy_gettext("Country"), [NEEDED])
    timezone = ChoiceField(lazy_gettext("Time zone"), [NEEDED])
    language = ChoiceField(
        lazy_gettext("Language of mails and invoices"), [NEEDED], choices=[("en", "English"), ("de", "Deutsch")]
    )
    email = LineField(lazy_gettext("E-mail address"), [MAYBE, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    address__street = LineField(lazy_gettext("Street"), [MAYBE])
    address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    address__city = LineField(lazy_gettext("City"), [MAYBE])
    vat_number = LineField(lazy_gettext("VAT number"), [MAYBE])
    tax_number = LineField(lazy_gettext("Tax number"), [MAYBE])
    bank__iban = LineField(lazy_gettext("IBAN"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, object]:
        """Parts without their empty entries; wholly empty ones are removed."""
        body = super().body(nulls=nulls)
        for part in ("address", "bank"):
            kept = {name: text for name, text in body.get(part, {}).items() if text}
            body[part] = kept or None
        return body


@blueprint.route("/settings/billing", methods=["GET", "POST"])
def billing_settings() -> str | Response:
    """Three switches, Pay Now, and the terms."""
    found = api().get("/v1/settings/billing")
    form = BillingForm(shown=found)
    form.period_start.offer(
        [
            ("first_of_month", _("on the first of the month")),
            ("membership_start", _("on the day the membership began")),
        ]
    )
    if form.is_submitted():
        require(*EDITORS)
    if form.send(lambda body: api().patch("/v1/settings/billing", body), nulls=True) is None:
        return render_template("admin/settings/billing.html", form=form)
    act(dict, _("Saved."))
    return redirect(url_for("admin.billing_settings"))


@blueprint.route("/settings/organization", methods=["GET", "POST"])
def organization_settings() -> str | Response:
    """The organisation's own details."""
    require(*EDITORS)
    form = OrganizationForm(shown=api().get("/v1/organization"))
    form.country.offer(countries(language()))
    form.timezone.offer(zones())
    changed = form.send(lambda body: api().patch("/v1/organization", body), nulls=True)
    if changed is None:
        return render_template("admin/settings/organization.html", form=form)
    keep_organization(changed)
    act(dict, _("Saved."))
    return redirect(url_for("admin.organization_settings"))
