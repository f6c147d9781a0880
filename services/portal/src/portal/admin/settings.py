"""Settings: the switches of billing, and the organisation itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.entry.sign_up import countries, zones
from portal.fields import (
    CheckListField,
    ChoiceField,
    DayField,
    LineField,
    MoneyField,
    NumberField,
    ParagraphField,
    WholeField,
    WholeListField,
    organization_currency,
    required_number,
)
from portal.forms import A_COLOUR, AN_EMAIL, MAYBE, NEEDED, ApiForm, act
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
    credit_note_number_template = LineField(lazy_gettext("Credit note numbers"), [NEEDED])
    invoice_per = ChoiceField(
        lazy_gettext("One invoice holds"),
        [NEEDED],
        choices=[
            ("customer", lazy_gettext("everything of a customer")),
            ("membership_and_usage", lazy_gettext("each membership, and bookings and fees apart")),
        ],
    )
    location_by = ChoiceField(
        lazy_gettext("An invoice belongs to"),
        [NEEDED],
        choices=[
            ("home", lazy_gettext("the customer's home location")),
            ("use", lazy_gettext("the location of each booking and plan")),
        ],
    )
    retry_days = WholeListField(lazy_gettext("Try a failed charge again after"), [MAYBE])
    reminders = WholeListField(lazy_gettext("Remind of unpaid invoices on day"), [MAYBE])
    block_bookings_after_days = WholeField(lazy_gettext("No new bookings after"), [MAYBE])
    end_memberships_after_days = WholeField(lazy_gettext("Memberships end after"), [MAYBE])
    late_fee = MoneyField(lazy_gettext("Late fee"), [MAYBE])
    late_fee_percent = NumberField(lazy_gettext("and a part of what is owed"), [MAYBE])
    late_fee_grace_days = WholeField(lazy_gettext("Charged after"), [MAYBE])
    late_fee_repeat_days = WholeField(lazy_gettext("and again every"), [MAYBE])
    lock_date = DayField(lazy_gettext("Books are closed up to"), [MAYBE])
    payment_instructions = ParagraphField(lazy_gettext("How to pay, as printed on invoices"), [MAYBE])
    invoice_footer = ParagraphField(lazy_gettext("At the foot of every invoice"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """An empty late fee is none, which the API writes as zero."""
        body = super().body(nulls=nulls)
        nothing = {"amount_minor": 0, "currency": organization_currency()}
        none = {"late_fee": nothing, "late_fee_percent": "0", "late_fee_grace_days": 0, "late_fee_repeat_days": 0}
        return body | {name: zero for name, zero in none.items() if body.get(name) is None}


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
    alert_email = LineField(lazy_gettext("Failures are reported to"), [MAYBE, AN_EMAIL])
    website = LineField(lazy_gettext("Web site"), [MAYBE])
    brand_colour = LineField(lazy_gettext("Colour"), [MAYBE, A_COLOUR])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    address__street = LineField(lazy_gettext("Street"), [MAYBE])
    address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    address__city = LineField(lazy_gettext("City"), [MAYBE])
    vat_number = LineField(lazy_gettext("VAT number"), [MAYBE])
    tax_number = LineField(lazy_gettext("Tax number"), [MAYBE])
    registration_number = LineField(lazy_gettext("Registration number"), [MAYBE])
    bank__iban = LineField(lazy_gettext("IBAN"), [MAYBE])
    bank__bic = LineField(lazy_gettext("BIC"), [MAYBE])

    def body_for(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Parts without their empty entries, and with those that stand in no field; wholly empty ones are removed."""
        body = self.body(nulls=True)
        for part in ("address", "bank"):
            written = {name: text for name, text in body.get(part, {}).items() if text}
            body[part] = {**written, **self.unshown(found, part)} or None
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
    found = api().get("/v1/organization")
    form = OrganizationForm(shown=found)
    form.country.offer(countries(language()))
    form.timezone.offer(zones())
    changed = form.send(lambda _body: api().patch("/v1/organization", form.body_for(found)))
    if changed is None:
        return render_template("admin/settings/organization.html", form=form, organization=found)
    keep_organization(changed)
    act(dict, _("Saved."))
    return redirect(url_for("admin.organization_settings"))
