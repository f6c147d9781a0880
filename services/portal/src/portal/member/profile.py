"""What a member may say about themselves, their language and their password."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import Length

from portal.api import api
from portal.downloads import pass_on
from portal.fields import ChoiceField, LineField
from portal.forms import AN_EMAIL, MAYBE, NEEDED, ApiForm
from portal.member.addresses import AddressForm, offer_countries
from portal.member.door import blueprint
from portal.seats import current_seat, take_seat
from portal.translation import gettext as _
from portal.translation import language, language_choices, lazy_gettext


class ProfileForm(AddressForm):
    """What `PATCH /v1/members/{id}` takes from members."""

    name = LineField(lazy_gettext("Name"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    phone = LineField(lazy_gettext("Telephone"), [MAYBE])
    language = ChoiceField(lazy_gettext("Language"), [MAYBE])


class PasswordForm(ApiForm):
    """What `POST /v1/password` takes."""

    current_password = PasswordField(lazy_gettext("Present password"), [MAYBE])
    password = PasswordField(
        lazy_gettext("New password"), [NEEDED, Length(min=12, message=lazy_gettext("At least 12 characters, please."))]
    )


@blueprint.route("/<slug>/profile", methods=["GET", "POST"])
def profile() -> str | Response:
    """Name, addresses, language."""
    seat, form = current_seat(), _profile_form()
    if form.send(lambda body: api().patch(_path(), body), nulls=True) is None:
        return render_template("member/profile.html", form=form, password=PasswordForm(formdata=None))
    seat.me |= {"name": form.name.data, "email": form.email.data, "language": form.language.data}
    session["language"] = form.language.data
    take_seat(seat)
    flash(_("Saved."), "success")
    return redirect(url_for("member.profile"))


@blueprint.post("/<slug>/password")
def change_password() -> str | Response:
    """A new password; all other sign-ins end."""
    seat, form = current_seat(), PasswordForm()
    tokens = form.send(lambda body: api().post("/v1/password", body))
    if tokens is None:
        return render_template("member/profile.html", form=_profile_form(formdata=None), password=form)
    seat.renew(tokens)
    take_seat(seat)
    flash(_("Your password is changed; all other sign-ins have ended."), "success")
    return redirect(url_for("member.profile"))


@blueprint.get("/<slug>/profile/export")
def export() -> Response:
    """All that is known about the member, as a file."""
    answer = pass_on(f"{_path()}/export")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


def _path() -> str:
    return f"/v1/members/{current_seat().me['member_id']}"


def _profile_form(**kwargs: None) -> ProfileForm:
    found = api().get(_path())
    form = ProfileForm(shown={**found, "language": (found.get("language") or language())[:2]}, **kwargs)
    form.language.offer(language_choices())
    offer_countries(form)
    return form
