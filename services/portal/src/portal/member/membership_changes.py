"""Changing the plan, pausing and ending: always with what follows from it before anything is done."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.fields import DayField
from portal.formats import day as day_text
from portal.forms import NEEDED, ApiForm, act
from portal.member.door import blueprint
from portal.member.memberships import Membership, read_membership
from portal.problems import FORM_STATUSES, ApiProblem
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class PauseForm(ApiForm):
    """What `POST /v1/memberships/{id}/pause` takes."""

    to = DayField(lazy_gettext("Last day of the pause"), [NEEDED])


# The API's name, which is a word of Python's.
setattr(PauseForm, "from", DayField(lazy_gettext("First day of the pause"), [NEEDED]))


class EndForm(ApiForm):
    """What `POST /v1/memberships/{id}/end` takes."""

    end_date = DayField(lazy_gettext("Last day"), [NEEDED])


@blueprint.get("/<slug>/membership/<membership_id>/plan")
def choose_plan(membership_id: str) -> str:
    """The plans there are, and what changing to the chosen one costs."""
    held = _open(membership_id, "plan_change")
    plans = [plan for plan in api().items("/v1/plans", kind="recurring", limit=200) if plan["id"] != held["plan_id"]]
    wanted = next((plan for plan in plans if plan["id"] == request.args.get("plan_id")), None)
    preview, why_not = _preview(held, wanted) if wanted else (None, None)
    return render_template(
        "member/choose_plan.html", membership=held, plans=plans, wanted=wanted, preview=preview, why_not=why_not
    )


@blueprint.post("/<slug>/membership/<membership_id>/plan")
def change_plan(membership_id: str) -> Response:
    """Change to the plan whose preview was shown."""
    body = {"plan_id": request.form.get("plan_id", "")}
    path = f"/v1/memberships/{membership_id}/plan-change"
    changed = act(lambda: api().post(path, body), _("Your plan is changed."))
    held = (changed or {}).get("membership") or {"id": membership_id}
    return redirect(url_for("member.membership", membership_id=held["id"]))


@blueprint.route("/<slug>/membership/<membership_id>/pause", methods=["GET", "POST"])
def pause(membership_id: str) -> str | Response:
    """No charge for a while."""
    held = _open(membership_id, "pause")
    form = PauseForm(shown={"from": held.get("billed_until")})
    if form.send(lambda body: api().post(f"/v1/memberships/{membership_id}/pause", body)) is None:
        return render_template("member/pause.html", form=form, membership=held)
    flash(_("Your membership will pause."), "success")
    return redirect(url_for("member.membership", membership_id=membership_id))


@blueprint.route("/<slug>/membership/<membership_id>/end", methods=["GET", "POST"])
def end(membership_id: str) -> str | Response:
    """Ask for the end; the earliest one is shown and proposed."""
    held = _open(membership_id, "end")
    form = EndForm(shown={"end_date": held["earliest_end"]})
    if form.send(lambda body: api().post(f"/v1/memberships/{membership_id}/end", body)) is None:
        return render_template("member/end.html", form=form, membership=held)
    flash(_("Your membership ends on %(day)s.", day=day_text(form.end_date.data)), "success")
    return redirect(url_for("member.membership", membership_id=membership_id))


@blueprint.post("/<slug>/membership/<membership_id>/stay")
def stay(membership_id: str) -> Response:
    """Take the end back."""
    body = {"end_date": None}
    act(lambda: api().post(f"/v1/memberships/{membership_id}/end", body), _("Good to have you: it goes on."))
    return redirect(url_for("member.membership", membership_id=membership_id))


def _open(membership_id: str, change: str) -> Membership:
    held = read_membership(membership_id)
    if change not in held.get("open_changes", ()):
        abort(404)
    return held


def _preview(held: Membership, wanted: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    """What would be credited and charged, or why it cannot be done."""
    body = {"plan_id": wanted["id"], "preview": True}
    try:
        return api().post(f"/v1/memberships/{held['id']}/plan-change", body), None
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        return None, problem.sentence
