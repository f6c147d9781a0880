"""For programs: API keys. And for auditors: who changed what."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, LineField
from portal.forms import NEEDED, ApiForm, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class KeyForm(ApiForm):
    """What `POST /v1/api-keys` takes."""

    name = LineField(lazy_gettext("What is it for?"), [NEEDED])
    role = ChoiceField(lazy_gettext("It may do as much as"), [NEEDED])


@blueprint.route("/api-keys", methods=["GET", "POST"])
def api_keys() -> str:
    """Keys that work; a new one is shown this once, and kept out of histories by not redirecting."""
    require(*EDITORS)
    form = KeyForm()
    form.role.offer(choices("accountant", "front_desk", "admin"))
    made = form.send(lambda body: api().post("/v1/api-keys", body))
    page = api().page("/v1/api-keys", cursor=request.args.get("cursor"))
    return render_template("admin/api_keys.html", form=form, page=page, made=made)


@blueprint.post("/api-keys/<key_id>/revocation")
def revoke_api_key(key_id: str) -> Response:
    """Make a key useless."""
    require(*EDITORS)
    act(lambda: api().delete(f"/v1/api-keys/{key_id}"), _("The key works no more."))
    return redirect(url_for("admin.api_keys"))


@blueprint.get("/audit-log")
def audit_log() -> str:
    """Who changed what about the organisation and its people, newest first."""
    require("owner")
    query = {name: request.args.get(name) for name in ("subject", "actor", "action", "cursor")}
    people = {user["id"]: user["name"] for user in api().items("/v1/users", limit=200)}
    page = api().page("/v1/audit-log", **query, limit=50)
    return render_template("admin/audit_log.html", page=page, people=people)
