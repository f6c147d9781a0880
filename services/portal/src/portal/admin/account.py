"""One's own account: the password."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import Length

from portal.admin.door import blueprint
from portal.api import api
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.seats import current_seat, take_seat
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class PasswordForm(ApiForm):
    """What `POST /v1/password` takes."""

    current_password = PasswordField(lazy_gettext("Present password"), [MAYBE])
    password = PasswordField(
        lazy_gettext("New password"), [NEEDED, Length(min=12, message=lazy_gettext("At least 12 characters, please."))]
    )


@blueprint.route("/account", methods=["GET", "POST"])
def account() -> str | Response:
    """Who one is here, and a new password."""
    form = PasswordForm()
    tokens = form.send(lambda body: api().post("/v1/password", body))
    if tokens is None:
        return render_template("admin/account.html", form=form)
    seat = current_seat()
    seat.renew(tokens)
    take_seat(seat)
    act(dict, _("Your password is changed; all other sign-ins have ended."))
    return redirect(url_for("admin.account"))
