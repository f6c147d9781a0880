"""What mails say: per event and language, with a preview on sample data, and a way back to the standard words."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Response as Answer
from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.admin.door import EDITORS, blueprint, require
from portal.admin.notifications import as_mail
from portal.api import api
from portal.fields import LineField
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.problems import FORM_STATUSES, ApiProblem
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_PATH = "/v1/notification-templates"


class WordingForm(ApiForm):
    """What `PUT /v1/notification-templates/{event}/{language}` takes; without a plain text one is made of the HTML."""

    subject = LineField(lazy_gettext("Subject"), [NEEDED])
    html = TextAreaField(lazy_gettext("Message (HTML)"), [NEEDED])
    text = TextAreaField(lazy_gettext("Plain text"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """An empty plain text is none."""
        return {**super().body(nulls=nulls), "text": self.text.data or None}


@blueprint.get("/notification-templates")
def wordings() -> str:
    """All events, each with its languages."""
    found = api().items(_PATH)
    events = [list(rows) for _event, rows in groupby(found, lambda row: row["event"])]
    return render_template("admin/wordings/list.html", events=events)


@blueprint.route("/notification-templates/<event>/<wording_language>", methods=["GET", "POST"])
def wording(event: str, wording_language: str) -> str | Response:
    """Change what a mail says."""
    path = f"{_PATH}/{event}/{wording_language}"
    found = api().get(path)
    form = WordingForm(shown=found)
    if form.is_submitted():
        require(*EDITORS)
    if form.send(lambda body: api().put(path, body), nulls=True) is None:
        return render_template("admin/wordings/edit.html", form=form, wording=found)
    act(dict, _("Saved. From now on mails say this."))
    return redirect(url_for("admin.wording", event=event, wording_language=wording_language))


@blueprint.post("/notification-templates/<event>/<wording_language>/preview")
def preview_wording(event: str, wording_language: str) -> Answer:
    """The mail as the form has it now, on sample data: shown in the frame beside the form."""
    form = WordingForm()
    body = {"language": wording_language, **form.body()}
    try:
        found, fault = api().ask(f"{_PATH}/{event}/preview", body), None
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        found, fault = None, problem
    return as_mail(render_template("admin/wordings/preview.html", mail=found, fault=fault))


@blueprint.post("/notification-templates/<event>/<wording_language>/reset")
def reset_wording(event: str, wording_language: str) -> Response:
    """Back to the words that came along."""
    require(*EDITORS)
    act(lambda: api().delete(f"{_PATH}/{event}/{wording_language}"), _("The standard words are back."))
    return redirect(url_for("admin.wording", event=event, wording_language=wording_language))
