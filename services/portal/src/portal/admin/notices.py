"""Mails that go out by themselves: reminders of bookings."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import WholeField, required_number
from portal.forms import ApiForm, act
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/settings/notifications"


class NoticesForm(ApiForm):
    """What `PATCH /v1/settings/notifications` takes."""

    booking_reminders = BooleanField(lazy_gettext("Remind of bookings"))
    booking_reminder_hours = WholeField(lazy_gettext("How long before the start"), [required_number])


@blueprint.route("/settings/notifications", methods=["GET", "POST"])
def notice_settings() -> str | Response:
    """Whether bookings are reminded of, and when."""
    form = NoticesForm(shown=api().get(_PATH))
    if form.is_submitted():
        require(*EDITORS)
    if form.send(lambda body: api().patch(_PATH, body)) is None:
        return render_template("admin/settings/notices.html", form=form)
    act(dict, _("Saved."))
    return redirect(url_for("admin.notice_settings"))
