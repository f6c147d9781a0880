"""Staff and their roles."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import CheckListField, ChoiceField, LineField
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import language_choices, lazy_gettext

ROLES = ("owner", "admin", "front_desk", "accountant")


class InviteForm(ApiForm):
    """What `POST /v1/users` takes."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    role = ChoiceField(lazy_gettext("Role"), [NEEDED])


class UserForm(ApiForm):
    """What `PATCH /v1/users/{id}` takes; without locations somebody works at all of them."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    role = ChoiceField(lazy_gettext("Role"), [NEEDED])
    language = ChoiceField(lazy_gettext("Language"), [MAYBE])
    location_ids = CheckListField(lazy_gettext("Only at these locations"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """No location ticked is no limit."""
        return {**super().body(nulls=nulls), "location_ids": self.location_ids.api_value() or None}


@blueprint.route("/team", methods=["GET", "POST"])
def team() -> str | Response:
    """The team, and an invitation."""
    require(*EDITORS)
    form = InviteForm(shown={"role": "front_desk"})
    form.role.offer(choices(*ROLES))
    if form.send(lambda body: api().post("/v1/users", body)) is None:
        page = api().page("/v1/users", cursor=request.args.get("cursor"), sort="name")
        return render_template("admin/team/list.html", form=form, page=page)
    act(dict, _("The invitation is on its way."))
    return redirect(url_for("admin.team"))


@blueprint.route("/team/<user_id>", methods=["GET", "POST"])
def user(user_id: str) -> str | Response:
    """Somebody on the team: role, and where they work."""
    require(*EDITORS)
    path = f"/v1/users/{user_id}"
    found = api().get(path)
    form = UserForm(shown=found)
    form.role.offer(choices(*ROLES))
    form.location_ids.offer(options.locations())
    form.language.offer([("", _("As the organisation")), *language_choices()])
    if form.send(lambda body: api().patch(path, body)) is None:
        return render_template("admin/team/edit.html", form=form, user=found)
    act(dict, _("Saved."))
    return redirect(url_for("admin.team"))


@blueprint.post("/team/<user_id>/invitation")
def invite_user_again(user_id: str) -> Response:
    """Mail the invitation once more."""
    require(*EDITORS)
    act(lambda: api().post(f"/v1/users/{user_id}/invitation"), _("The invitation is on its way."))
    return redirect(url_for("admin.user", user_id=user_id))


@blueprint.post("/team/<user_id>/activation")
def activate_user(user_id: str) -> Response:
    """Let somebody in again."""
    require(*EDITORS)
    act(lambda: api().patch(f"/v1/users/{user_id}", {"status": "active"}), _("They can sign in again."))
    return redirect(url_for("admin.user", user_id=user_id))


@blueprint.post("/team/<user_id>/deactivation")
def deactivate_user(user_id: str) -> Response:
    """Let somebody in no more."""
    require(*EDITORS)
    act(lambda: api().delete(f"/v1/users/{user_id}"), _("They can no longer sign in."))
    return redirect(url_for("admin.team"))
