"""Promo codes: a discount for who knows the word."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.admin.resources import TYPES
from portal.api import api
from portal.fields import CheckListField, DayField, LineField, MoneyField, NumberField, OneOfField, WholeField
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/promo-codes"


class PromoCodeForm(ApiForm):
    """What `POST /v1/promo-codes` takes: a percentage or an amount off, and what it is good for."""

    LOCAL = frozenset({"way"})

    code = LineField(lazy_gettext("Code"), [NEEDED])
    way = OneOfField(
        lazy_gettext("Discount"),
        choices=[("percent", lazy_gettext("A percentage")), ("amount", lazy_gettext("An amount"))],
        default="percent",
    )
    percent = NumberField(lazy_gettext("Percentage"), [MAYBE])
    amount = MoneyField(lazy_gettext("Amount"), [MAYBE])
    valid_from = DayField(lazy_gettext("First day"), [MAYBE])
    valid_until = DayField(lazy_gettext("Last day"), [MAYBE])
    max_uses = WholeField(lazy_gettext("Uses in all"), [MAYBE])
    max_uses_per_customer = WholeField(lazy_gettext("Uses per customer"), [MAYBE])
    scope__kinds = CheckListField(
        lazy_gettext("Good for"),
        [MAYBE],
        choices=[
            ("booking", lazy_gettext("Bookings")),
            ("plan", lazy_gettext("Memberships and services")),
            ("pass", lazy_gettext("Day passes")),
        ],
    )
    scope__location_ids = CheckListField(lazy_gettext("Only at"), [MAYBE])
    scope__plan_ids = CheckListField(lazy_gettext("Only for these plans"), [MAYBE])
    scope__resource_ids = CheckListField(lazy_gettext("Only for these rooms and desks"), [MAYBE])
    scope__resource_types = CheckListField(lazy_gettext("Only for rooms and desks of these kinds"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """One kind of discount, and limits that were given: nothing ticked limits nothing."""
        body = super().body(nulls=nulls)
        body.pop("amount" if self.way.data == "percent" else "percent", None)
        body["scope"] = {name: ids for name, ids in body.get("scope", {}).items() if ids}
        return body


@blueprint.get("/promo-codes")
def promo_codes() -> str:
    """A page of the list."""
    query = {name: request.args.get(name) for name in ("archived", "cursor")}
    page = api().page(_PATH, **query, sort="code")
    uses = _uses([row["id"] for row in page.items])
    return render_template("admin/promo_codes/list.html", page=page, uses=uses)


def _uses(promo_ids: list[str]) -> dict[str, int]:
    """How often codes were used: bookings and purchases count apart."""
    found: dict[str, int] = dict.fromkeys(promo_ids, 0)
    for kind in ("purchases", "bookings") if promo_ids else ():
        rows = api().items(f"/v1/promo-code-uses/{kind}", promo_code_id=promo_ids, limit=200)
        for row in rows:
            found[row["promo_code_id"]] = found.get(row["promo_code_id"], 0) + row["uses"]
    return found


@blueprint.route("/promo-codes/new", methods=["GET", "POST"])
def new_promo_code() -> str | Response:
    """Make a code."""
    require(*EDITORS)
    form = _form({"way": "percent"})
    if form.send(lambda body: api().post(_PATH, body)) is None:
        return render_template("admin/promo_codes/edit.html", form=form, promo=None)
    act(dict, _("Saved. Whoever knows the code can use it."))
    return redirect(url_for("admin.promo_codes"))


@blueprint.route("/promo-codes/<promo_id>", methods=["GET", "POST"])
def promo_code(promo_id: str) -> str | Response:
    """Change a code."""
    path = f"{_PATH}/{promo_id}"
    found = api().get(path)
    form = _form({**found, "way": "amount" if found.get("amount") else "percent"})
    if form.is_submitted():
        require(*EDITORS)
    if form.send(lambda body: api().patch(path, _whole(body)), nulls=True) is None:
        return render_template("admin/promo_codes/edit.html", form=form, promo=found)
    act(dict, _("Saved."))
    return redirect(url_for("admin.promo_codes"))


@blueprint.post("/promo-codes/<promo_id>/archive")
def archive_promo_code(promo_id: str) -> Response:
    """Let nobody use it any more."""
    require(*EDITORS)
    act(lambda: api().delete(f"{_PATH}/{promo_id}"), _("The code works no more."))
    return redirect(url_for("admin.promo_codes"))


@blueprint.post("/promo-codes/<promo_id>/restoration")
def restore_promo_code(promo_id: str) -> Response:
    """Let it be used again."""
    require(*EDITORS)
    act(lambda: api().post(f"{_PATH}/{promo_id}/restoration"), _("The code works again."))
    return redirect(url_for("admin.promo_codes"))


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    """The other kind of discount is taken away."""
    return {"percent": None, "amount": None, **body}


def _form(shown: dict[str, Any]) -> PromoCodeForm:
    form = PromoCodeForm(shown=shown)
    form.scope__location_ids.offer(options.locations())
    form.scope__plan_ids.offer(options.plans())
    form.scope__resource_ids.offer(options.resources())
    form.scope__resource_types.offer(choices(*TYPES))
    return form
