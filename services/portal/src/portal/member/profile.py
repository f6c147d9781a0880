"""What a member may say about themselves, and their password."""

from __future__ import annotations

from flask import redirect, render_template, session, url_for
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import Length

from portal.api import api
from portal.fields import ChoiceField, LineField
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm, act
from portal.member.door import blueprint
from portal.seats import current_seat, take_seat
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class ProfileForm(ApiForm):
    """What `PATCH /v1/members/{id}` takes from members."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    language = ChoiceField(lazy_gettext("Language"), [MAYBE], choices=[("en", "English"), ("de", "Deutsch")])


class PasswordForm(ApiForm):
    """What `POST /v1/password` takes."""

    current_password = PasswordField(lazy_gettext("Present password"), [MAYBE])
    password = PasswordField(
        lazy_gettext("New password"), [NEEDED, Length(min=12, message=lazy_gettext("At least 12 characters, please."))]
    )


@blueprint.route("/<slug>/profile", methods=["GET", "POST"])
def profile() -> str | Response:
    """Name, address, language."""
    seat = current_seat()
    path = f"/v1/members/{seat.me['member_id']}"
    found = api().get(path)
    form = ProfileForm(shown={**found, "language": found.get("language") or "en"})
    changed = form.send(lambda body: api().patch(path, body), nulls=True)
    if changed is None:
        return render_template("member/profile.html", form=form, password=PasswordForm(formdata=None))
    seat.me["name"] = form.name.data
    session["language"] = form.language.data
    take_seat(seat)
    act(dict, _("Saved."))
    return redirect(url_for("member.profile"))


@blueprint.post("/<slug>/password")
def change_password() -> str | Response:
    """A new password; all other sign-ins end."""
    seat, form = current_seat(), PasswordForm()
    tokens = form.send(lambda body: api().post("/v1/password", body))
    if tokens is None:
        found = api().get(f"/v1/members/{seat.me['member_id']}")
        return render_template("member/profile.html", form=ProfileForm(shown=found, formdata=None), password=form)
    seat.renew(tokens)
    take_seat(seat)
    act(dict, _("Your password is changed; all other sign-ins have ended."))
    return redirect(url_for("member.profile"))
