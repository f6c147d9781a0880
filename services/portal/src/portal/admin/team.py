"""Staff and their roles."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, LineField
from portal.forms import AN_EMAIL, NEEDED, ApiForm, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class InviteForm(ApiForm):
    """What `POST /v1/users` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    role = ChoiceField(lazy_gettext("Role"), [NEEDED])


@blueprint.route("/team", methods=["GET", "POST"])
def team() -> str | Response:
    """The team, and an invitation."""
    require(*EDITORS)
    form = InviteForm()
    form.role.offer(choices("admin", "front_desk", "accountant", "owner"))
    if form.send(lambda body: api().post("/v1/users", body)) is None:
        page = api().page("/v1/users", cursor=request.args.get("cursor"), sort="name")
        return render_template("admin/team.html", form=form, page=page)
    act(dict, _("The invitation is on its way."))
    return redirect(url_for("admin.team"))


@blueprint.post("/team/<user_id>/deactivation")
def deactivate_user(user_id: str) -> Response:
    """Let somebody in no more."""
    require(*EDITORS)
    act(lambda: api().delete(f"/v1/users/{user_id}"), _("They can no longer sign in."))
    return redirect(url_for("admin.team"))
