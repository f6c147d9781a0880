"""Mail that went out, or stays in the app during a rehearsal."""

from __future__ import annotations

from flask import Response as Answer
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import blueprint
from portal.api import api
from portal.downloads import pass_on
from portal.forms import act
from portal.states import STATES
from portal.translation import gettext as _

_MAIL_POLICY = "default-src 'none'; img-src data: https:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"


def as_mail(html: str) -> Answer:
    """Markup that people wrote, as a page that may do nothing and is shown in our frames only."""
    response = Answer(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/notifications")
def notifications() -> str:
    """A page of the list, newest first."""
    query = {name: request.args.get(name) for name in ("state", "template", "cursor", "member_id")}
    page = api().page("/v1/notifications", **query, limit=50)
    states = [("", _("All")), *((s, str(STATES[s][0])) for s in ("sent", "queued", "failed"))]
    return render_template("admin/notifications/list.html", page=page, states=states)


@blueprint.get("/notifications/<notification_id>")
def notification(notification_id: str) -> str:
    """A mail as it was sent."""
    found = api().get(f"/v1/notifications/{notification_id}")
    return render_template("admin/notifications/detail.html", mail=found)


@blueprint.get("/notifications/<notification_id>/html")
def notification_html(notification_id: str) -> Answer:
    """The mail's own page, which may do nothing: shown inside the detail's frame."""
    found = api().get(f"/v1/notifications/{notification_id}")
    return as_mail(found.get("html") or "")


@blueprint.get("/notifications/<notification_id>/attachments/<attachment_id>")
def notification_attachment(notification_id: str, attachment_id: str) -> Answer:
    """A file that went along."""
    return pass_on(f"/v1/notifications/{notification_id}/attachments/{attachment_id}")


@blueprint.post("/notifications/<notification_id>/resend")
def resend_notification(notification_id: str) -> Response:
    """Send it once more."""
    act(lambda: api().post(f"/v1/notifications/{notification_id}/resend"), _("It is on its way again."))
    return redirect(url_for("admin.notification", notification_id=notification_id))
