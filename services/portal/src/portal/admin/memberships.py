"""Memberships: who has which plan, since when, and how it goes on."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, DayField, LineField, MoneyField, NumberField, WholeField, required_number
from portal.formats import local
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.pickers import PickerField
from portal.rehearsal_clock import now
from portal.states import STATES
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class MembershipForm(ApiForm):
    """What `POST /v1/memberships` takes."""

    LOCAL = frozenset({"customer"})

    customer = PickerField(lazy_gettext("For"), [required_number])
    plan_id = ChoiceField(lazy_gettext("Plan"), [NEEDED])
    location_id = ChoiceField(lazy_gettext("Location"), [MAYBE])
    start_date = DayField(lazy_gettext("First day"), [NEEDED])
    end_date = DayField(lazy_gettext("Last day"), [MAYBE])
    price = MoneyField(lazy_gettext("Own price"), [MAYBE])
    quantity = NumberField(lazy_gettext("Quantity"), [MAYBE])
    discount_percent = NumberField(lazy_gettext("Discount"), [MAYBE])
    setup_fee = MoneyField(lazy_gettext("Set-up fee"), [MAYBE])
    deposit = MoneyField(lazy_gettext("Deposit"), [MAYBE])
    trial_days = WholeField(lazy_gettext("Free days at first"), [MAYBE])
    minimum_term_months = WholeField(lazy_gettext("Shortest term"), [MAYBE])
    notice_days = WholeField(lazy_gettext("Notice to end it"), [MAYBE])
    promo_code = LineField(lazy_gettext("Promo code"), [MAYBE])
    is_personal = BooleanField(lazy_gettext("The member pays, not their company"))


class TermsForm(ApiForm):
    """What `PATCH /v1/memberships/{id}` takes: from the next period on."""

    price = MoneyField(lazy_gettext("Price"), [required_number])
    quantity = NumberField(lazy_gettext("Quantity"), [required_number])
    discount_percent = NumberField(lazy_gettext("Discount"), [MAYBE])
    notice_days = WholeField(lazy_gettext("Notice to end it"), [MAYBE])
    minimum_term_months = WholeField(lazy_gettext("Shortest term"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """An empty discount is none, and so are notice and term."""
        nothing = {"discount_percent": "0", "notice_days": 0, "minimum_term_months": 0}
        return nothing | super().body(nulls=nulls)


class EndForm(ApiForm):
    """What `POST /v1/memberships/{id}/end` takes."""

    end_date = DayField(lazy_gettext("Last day"), [NEEDED])


class PauseForm(ApiForm):
    """What `POST /v1/memberships/{id}/pause` takes."""

    LOCAL = frozenset({"first"})

    first = DayField(lazy_gettext("First day of the pause"), [NEEDED])
    to = DayField(lazy_gettext("Last day of the pause"), [MAYBE])


class ChangeForm(ApiForm):
    """What `POST /v1/memberships/{id}/plan-change` takes."""

    plan_id = ChoiceField(lazy_gettext("New plan"), [NEEDED])
    date = DayField(lazy_gettext("From"), [MAYBE])


@blueprint.get("/memberships")
def memberships() -> str:
    """A page of the list, newest first."""
    query = {name: request.args.get(name) for name in ("status", "plan_id", "cursor")}
    page = api().page("/v1/memberships", **query, limit=50)
    states = [("", _("All states")), *((s, str(STATES[s][0])) for s in ("active", "upcoming", "paused", "ended"))]
    return render_template(
        "admin/memberships/list.html",
        page=page,
        plans=options.plans("recurring", _("All plans")),
        states=states,
    )


@blueprint.route("/memberships/new", methods=["GET", "POST"])
def new_membership() -> str | Response:
    """Give somebody a plan."""
    require(*DESK)
    chosen = request.args.get("customer")
    form = MembershipForm(shown={"customer": chosen, "start_date": local(now()).date().isoformat()})
    form.plan_id.offer(options.plans("recurring", _("Choose …")))
    form.location_id.offer(options.locations(_("The member's home location")))
    made = form.send(lambda body: api().post("/v1/memberships", body | options.customer_part(form.customer.data)))
    if made is None:
        return render_template("admin/memberships/new.html", form=form)
    act(lambda: made, _("The membership is set up."))
    return redirect(url_for("admin.membership", membership_id=made["id"]))


@blueprint.get("/memberships/<membership_id>")
def membership(membership_id: str) -> str:
    """All about a membership."""
    return _detail(membership_id)


@blueprint.post("/memberships/<membership_id>/end")
def end_membership(membership_id: str) -> str | Response:
    """Set the last day."""
    form = EndForm()
    sent = form.send(lambda body: api().post(f"/v1/memberships/{membership_id}/end", {**body, "override": True}))
    return _back(membership_id) if sent is not None else _detail(membership_id, ending=form)


@blueprint.post("/memberships/<membership_id>/continuation")
def continue_membership(membership_id: str) -> Response:
    """Take an end back."""
    call = lambda: api().post(f"/v1/memberships/{membership_id}/end", {"end_date": None})  # noqa: E731
    act(call, _("The membership goes on."))
    return _back(membership_id)


@blueprint.post("/memberships/<membership_id>/pause")
def pause_membership(membership_id: str) -> str | Response:
    """Pause: nothing is charged meanwhile."""
    form = PauseForm()
    path = f"/v1/memberships/{membership_id}/pause"
    sent = form.send(lambda body: api().post(path, {**body, "from": form.first.data}))
    return _back(membership_id) if sent is not None else _detail(membership_id, pausing=form)


@blueprint.post("/memberships/<membership_id>/plan-change")
def change_membership_plan(membership_id: str) -> str | Response:
    """Show what another plan would cost, then change to it."""
    form = _change_form()
    is_preview = request.form.get("step") != "change"
    path = f"/v1/memberships/{membership_id}/plan-change"
    answer = form.send(lambda body: api().post(path, {**body, "preview": is_preview}))
    if answer is None or is_preview:
        return _detail(membership_id, changing=form, preview=answer)
    act(lambda: answer, _("The plan is changed."))
    changed = answer.get("membership") or {}
    return _back(changed.get("id") or membership_id)


@blueprint.post("/memberships/<membership_id>/terms")
def change_membership_terms(membership_id: str) -> str | Response:
    """Another price or quantity."""
    require(*DESK)
    form = TermsForm()
    sent = form.send(lambda body: api().patch(f"/v1/memberships/{membership_id}", body))
    if sent is None:
        return _detail(membership_id, terms=form)
    act(lambda: sent, _("Saved. What is billed from now on follows it."))
    return _back(membership_id)


@blueprint.post("/memberships/<membership_id>/resumption")
def resume_membership(membership_id: str) -> Response:
    """End the pause today."""
    require(*DESK)
    path, body = f"/v1/memberships/{membership_id}/resume", {"date": local(now()).date().isoformat()}
    act(lambda: api().post(path, body), _("The membership goes on."))
    return _back(membership_id)


def _detail(
    membership_id: str,
    *,
    terms: TermsForm | None = None,
    ending: EndForm | None = None,
    pausing: PauseForm | None = None,
    changing: ChangeForm | None = None,
    preview: dict[str, object] | None = None,
) -> str:
    found = api().get(f"/v1/memberships/{membership_id}")
    return render_template(
        "admin/memberships/detail.html",
        membership=found,
        terms=terms or TermsForm(shown=found, formdata=None),
        ending=ending or EndForm(formdata=None),
        pausing=pausing or PauseForm(formdata=None),
        changing=changing or _change_form(),
        preview=preview,
    )


def _change_form() -> ChangeForm:
    form = ChangeForm()
    form.plan_id.offer(options.plans("recurring", _("Choose …")))
    return form


def _back(membership_id: str) -> Response:
    return redirect(url_for("admin.membership", membership_id=membership_id))
