"""Outgoing webhooks: where programs are told what happened, and how every delivery went."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import CheckListField, LineField, OneOfField
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.states import EVENTS, STATES, event_name
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/webhook-endpoints"
ALL = "*"


class EndpointForm(ApiForm):
    """What `POST /v1/webhook-endpoints` takes."""

    LOCAL = frozenset({"which"})

    url = LineField(lazy_gettext("Address"), [NEEDED])
    description = LineField(lazy_gettext("What is it for?"), [MAYBE])
    which = OneOfField(
        lazy_gettext("What it is told"),
        choices=[("all", lazy_gettext("Everything")), ("some", lazy_gettext("Only certain events"))],
        default="all",
    )
    event_types = CheckListField(lazy_gettext("Events"), [MAYBE])
    enabled = BooleanField(lazy_gettext("Switched on"), default=True)

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """Everything is an event of its own; a description is a text, also when it is empty."""
        body = super().body(nulls=nulls)
        some = [name for name in self.event_types.api_value() if name != ALL]
        types = [ALL] if self.which.data == "all" else some
        return {**body, "description": self.description.data or "", "event_types": types}


@blueprint.get("/webhook-endpoints")
def webhooks() -> str:
    """All endpoints."""
    require(*EDITORS)
    page = api().page(_PATH, cursor=request.args.get("cursor"))
    return render_template("admin/webhooks/list.html", page=page)


@blueprint.route("/webhook-endpoints/new", methods=["GET", "POST"])
def new_webhook() -> str:
    """Set an endpoint up; its secret is shown this once, and kept out of histories by not redirecting."""
    require(*EDITORS)
    form = _form({"enabled": True})
    made = form.send(lambda body: api().post(_PATH, body))
    if made is None:
        return render_template("admin/webhooks/edit.html", form=form, endpoint=None)
    return render_template("admin/webhooks/secret.html", endpoint=made, secret=made["secret"])


@blueprint.get("/webhook-endpoints/<endpoint_id>")
def webhook(endpoint_id: str) -> str:
    """An endpoint with what was delivered to it."""
    require(*EDITORS)
    query = {name: request.args.get(name) for name in ("state", "cursor")}
    endpoint = api().get(f"{_PATH}/{endpoint_id}")
    page = api().page(f"{_PATH}/{endpoint_id}/deliveries", **query, limit=50)
    states = [("", _("All")), *((s, str(STATES[s][0])) for s in ("delivered", "pending", "failed"))]
    return render_template("admin/webhooks/detail.html", endpoint=endpoint, page=page, states=states)


@blueprint.route("/webhook-endpoints/<endpoint_id>/edit", methods=["GET", "POST"])
def edit_webhook(endpoint_id: str) -> str | Response:
    """Change an endpoint."""
    require(*EDITORS)
    path = f"{_PATH}/{endpoint_id}"
    found = api().get(path)
    form = _form({**found, "which": "all" if ALL in found["event_types"] else "some"})
    if form.send(lambda body: api().patch(path, body)) is None:
        return render_template("admin/webhooks/edit.html", form=form, endpoint=found)
    act(dict, _("Saved."))
    return _back(endpoint_id)


@blueprint.post("/webhook-endpoints/<endpoint_id>/switch")
def switch_webhook(endpoint_id: str) -> Response:
    """Switch an endpoint on or off."""
    require(*EDITORS)
    enabled = request.form.get("enabled") == "yes"
    done = _("It is told from now on.") if enabled else _("It is told nothing until you switch it on again.")
    act(lambda: api().patch(f"{_PATH}/{endpoint_id}", {"enabled": enabled}), done)
    return _back(endpoint_id)


@blueprint.post("/webhook-endpoints/<endpoint_id>/secret")
def renew_webhook_secret(endpoint_id: str) -> str | Response:
    """A new secret, shown this once; the old one stops working."""
    require(*EDITORS)
    made = act(lambda: api().post(f"{_PATH}/{endpoint_id}/secret"), _("The old secret works no more."))
    if made is None:
        return _back(endpoint_id)
    endpoint = api().get(f"{_PATH}/{endpoint_id}")
    return render_template("admin/webhooks/secret.html", endpoint=endpoint, secret=made["secret"])


@blueprint.post("/webhook-endpoints/<endpoint_id>/test")
def test_webhook(endpoint_id: str) -> Response:
    """Send something harmless now."""
    require(*EDITORS)
    act(lambda: api().post(f"{_PATH}/{endpoint_id}/test"), _("A test is on its way; see below how it went."))
    return _back(endpoint_id)


@blueprint.post("/webhook-endpoints/<endpoint_id>/removal")
def remove_webhook(endpoint_id: str) -> Response:
    """Remove an endpoint with its log."""
    require(*EDITORS)
    done = act(lambda: api().delete(f"{_PATH}/{endpoint_id}"), _("The endpoint is removed."))
    return _back(endpoint_id) if done is None else redirect(url_for("admin.webhooks"))


@blueprint.get("/webhook-endpoints/<endpoint_id>/deliveries/<delivery_id>")
def delivery(endpoint_id: str, delivery_id: str) -> str:
    """One delivery: what was sent, every attempt and its answer."""
    require(*EDITORS)
    found = api().get(f"{_PATH}/{endpoint_id}/deliveries/{delivery_id}")
    return render_template("admin/webhooks/delivery.html", delivery=found, endpoint_id=endpoint_id)


@blueprint.post("/webhook-endpoints/<endpoint_id>/deliveries/<delivery_id>/replay")
def replay_delivery(endpoint_id: str, delivery_id: str) -> Response:
    """Deliver it once more."""
    require(*EDITORS)
    path = f"{_PATH}/{endpoint_id}/deliveries/{delivery_id}/replay"
    act(lambda: api().post(path), _("It is delivered again."))
    return redirect(url_for("admin.delivery", endpoint_id=endpoint_id, delivery_id=delivery_id))


def _form(shown: dict[str, Any]) -> EndpointForm:
    form = EndpointForm(shown=shown)
    form.event_types.offer((name, event_name(name)) for name in EVENTS)
    return form


def _back(endpoint_id: str) -> Response:
    return redirect(url_for("admin.webhook", endpoint_id=endpoint_id))
