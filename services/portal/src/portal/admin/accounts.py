"""What members and companies have in common: their money, and their credits and passes."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.fields import DayField, LineField, NumberField, WholeField, required_number
from portal.forms import MAYBE, ApiForm, act
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_SHOWN = 20
_PASSES = "passes-"
_KIND = "<any(members, companies):kind>/<customer_id>"


class CreditsForm(ApiForm):
    """What `POST /v1/credits` takes."""

    hours = NumberField(lazy_gettext("Hours"), [required_number])
    expires_on = DayField(lazy_gettext("Until"), [MAYBE])
    note = LineField(lazy_gettext("Note"), [MAYBE])


class PassesForm(ApiForm):
    """What `POST /v1/passes` takes."""

    days = WholeField(lazy_gettext("Days"), [required_number])
    expires_on = DayField(lazy_gettext("Until"), [MAYBE])
    note = LineField(lazy_gettext("Note"), [MAYBE])


@blueprint.get(f"/{_KIND}/money")
def account_money(kind: str, customer_id: str) -> str:
    """Invoices, payments, and deposits held."""
    calls, owner = api(), owner_part(kind, customer_id)
    return render_template(
        "admin/accounts/money.html",
        customer=calls.get(f"/v1/{kind}/{customer_id}"),
        invoices=calls.page("/v1/invoices", **owner, limit=50, cursor=request.args.get("cursor")),
        payments=calls.items("/v1/payments", **owner, limit=_SHOWN),
        deposits=calls.items("/v1/deposits", **owner, limit=_SHOWN),
        kind=kind,
        tab="money",
    )


@blueprint.get(f"/{_KIND}/bookings")
def account_bookings(kind: str, customer_id: str) -> str:
    """All bookings, newest first."""
    calls = api()
    return render_template(
        "admin/accounts/bookings.html",
        customer=calls.get(f"/v1/{kind}/{customer_id}"),
        page=calls.page("/v1/bookings", **owner_part(kind, customer_id), limit=50, cursor=request.args.get("cursor")),
        kind=kind,
        tab="bookings",
    )


@blueprint.get(f"/{_KIND}/credits")
def account_credits(kind: str, customer_id: str) -> str:
    """Hours and day passes: what there is, and what became of it."""
    return _credits(kind, customer_id)


@blueprint.post(f"/{_KIND}/credits")
def grant_credits(kind: str, customer_id: str) -> str | Response:
    """Give hours of rooms."""
    require(*DESK)
    form = CreditsForm()
    made = form.send(lambda body: api().post("/v1/credits", body | owner_part(kind, customer_id)))
    if made is None:
        return _credits(kind, customer_id, giving=form)
    act(dict, _("The hours are there."))
    return redirect(url_for("admin.account_credits", kind=kind, customer_id=customer_id))


@blueprint.post(f"/{_KIND}/passes")
def grant_passes(kind: str, customer_id: str) -> str | Response:
    """Give day passes."""
    require(*DESK)
    form = PassesForm(prefix=_PASSES)
    made = form.send(lambda body: api().post("/v1/passes", body | owner_part(kind, customer_id)))
    if made is None:
        return _credits(kind, customer_id, passing=form)
    act(dict, _("The passes are there."))
    return redirect(url_for("admin.account_credits", kind=kind, customer_id=customer_id))


def _credits(
    kind: str, customer_id: str, *, giving: CreditsForm | None = None, passing: PassesForm | None = None
) -> str:
    calls, owner = api(), owner_part(kind, customer_id)
    return render_template(
        "admin/accounts/credits.html",
        customer=calls.get(f"/v1/{kind}/{customer_id}"),
        credits=calls.maybe("/v1/credits", **owner, limit=_SHOWN) or {},
        passes=calls.items("/v1/passes", **owner, limit=_SHOWN),
        ledger=calls.page("/v1/credits/ledger", **owner, cursor=request.args.get("cursor")),
        giving=giving or CreditsForm(formdata=None),
        passing=passing or PassesForm(formdata=None, prefix=_PASSES),
        kind=kind,
        tab="credits",
    )


def owner_part(kind: str, customer_id: str) -> dict[str, Any]:
    """Whose rows a list is to show, or whose a new row is to be."""
    return {"company_id" if kind == "companies" else "member_id": customer_id}
