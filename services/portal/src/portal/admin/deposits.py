"""Deposits held: given back, laid on what the customer owes, or kept."""

from __future__ import annotations

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.admin.accounts import owner_part
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.fields import LineField, MoneyField, OneOfField
from portal.forms import MAYBE, ApiForm, act
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class DepositForm(ApiForm):
    """What `POST /v1/deposits/{id}/release` takes."""

    kind = OneOfField(
        lazy_gettext("What becomes of it"),
        choices=[
            ("returned", lazy_gettext("Give it back")),
            ("applied", lazy_gettext("Pay coming invoices with it")),
            ("forfeited", lazy_gettext("Keep it")),
        ],
        default="returned",
    )
    amount = MoneyField(lazy_gettext("Amount"), [MAYBE])
    note = LineField(lazy_gettext("Note"), [MAYBE])


@blueprint.route(
    "/<any(members, companies):kind>/<customer_id>/deposits/<deposit_id>",
    methods=["GET", "POST"],
)
def deposit(kind: str, customer_id: str, deposit_id: str) -> str | Response:
    """What was taken and what is held of a deposit; and what becomes of it."""
    require(*DESK)
    held = api().items("/v1/deposits", **owner_part(kind, customer_id), limit=200)
    found = next((row for row in held if row["id"] == deposit_id), None)
    if found is None:
        abort(404)
    form = DepositForm()
    if form.send(lambda body: api().post(f"/v1/deposits/{deposit_id}/release", body)) is None:
        return render_template("admin/accounts/deposit.html", form=form, deposit=found, kind=kind, id=customer_id)
    act(dict, _("Saved."))
    return redirect(url_for("admin.account_money", kind=kind, customer_id=customer_id))
