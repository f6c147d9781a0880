"""Billing runs: look first, then bill; and what earlier runs did."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.dashboard import now
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, DayField
from portal.formats import local
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.names import customer_names
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class RunForm(ApiForm):
    """What `POST /v1/billing-runs` takes."""

    as_of = DayField(lazy_gettext("Everything due up to"), [NEEDED])
    location_id = ChoiceField(lazy_gettext("Location"), [MAYBE])


@blueprint.route("/billing-runs", methods=["GET", "POST"])
def billing_runs() -> str | Response:
    """The list; a dry run; a real run."""
    form = RunForm(shown={"as_of": local(now()).date().isoformat()})
    form.location_id.offer(options.locations(_("All locations")))
    is_dry = request.form.get("step") != "run"
    if request.method == "POST":
        require(*EDITORS)
    answer = form.send(lambda body: api().post("/v1/billing-runs", {**body, "dry_run": is_dry}))
    if answer is not None and not is_dry:
        act(lambda: answer, _("The run is done."))
        return redirect(url_for("admin.billing_run", run_id=answer["id"]))
    page = api().page("/v1/billing-runs", cursor=request.args.get("cursor"))
    names = customer_names((answer or {}).get("invoices", []))
    return render_template("admin/billing_runs/list.html", form=form, page=page, dry=answer, names=names)


@blueprint.get("/billing-runs/<run_id>")
def billing_run(run_id: str) -> str:
    """What a run did, and what went wrong for whom."""
    run = api().get(f"/v1/billing-runs/{run_id}")
    invoices = run.get("invoices") or []
    return render_template("admin/billing_runs/detail.html", run=run, invoices=invoices, names=customer_names(invoices))
