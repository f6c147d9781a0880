"""Billing runs: look first, see what differs from the last one, then bill; and what earlier runs did."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.dashboard import amount
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, DayField
from portal.formats import local
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.rehearsal_clock import now
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/billing-runs"


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
    answer = form.send(lambda body: _run(body, is_dry=is_dry))
    if answer is not None and not is_dry:
        act(lambda: answer, _("The run is done.") if answer["status"] != "running" else _("The run is under way."))
        return redirect(url_for("admin.billing_run", run_id=answer["id"]))
    page = api().page(_PATH, cursor=request.args.get("cursor"))
    return render_template("admin/billing_runs/list.html", form=form, page=page, dry=answer, amount=amount)


def _run(body: dict[str, Any], *, is_dry: bool) -> Any:
    send = api().ask if is_dry else api().post
    return send(_PATH, {**body, "dry_run": is_dry})


@blueprint.get("/billing-runs/<run_id>")
def billing_run(run_id: str) -> str:
    """What a run did, and what went wrong for whom; while it is running, how far it is."""
    run = api().get(f"{_PATH}/{run_id}")
    return render_template("admin/billing_runs/detail.html", run=run, invoices=run.get("invoices") or [], amount=amount)
