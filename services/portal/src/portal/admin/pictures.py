"""Pictures of rooms: sent up, described, put first, removed."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.forms import act
from portal.translation import gettext as _

_KINDS = ("image/jpeg", "image/png", "image/webp")


@blueprint.post("/resources/<resource_id>/pictures")
def add_picture(resource_id: str) -> Response:
    """Send a picture up, with what it shows for people who cannot see it."""
    require(*EDITORS)
    file = request.files.get("picture")
    kind = file.mimetype if file else ""
    if file is None or not file.filename:
        return _say(resource_id, _("Choose a picture first."))
    if kind not in _KINDS:
        return _say(resource_id, _("Pictures are JPEG, PNG or WebP."))
    path, content = f"/v1/resources/{resource_id}/pictures", file.read()
    act(lambda: api().post_file(path, content, kind, alt=request.form.get("alt")), _("The picture is added."))
    return _back(resource_id)


@blueprint.post("/resources/<resource_id>/pictures/<picture_id>")
def change_picture(resource_id: str, picture_id: str) -> Response:
    """Change what a picture is said to show, or put it first."""
    require(*EDITORS)
    first = {"position": 0} if "first" in request.form else {}
    change: dict[str, Any] = {"alt": request.form.get("alt", "").strip(), **first}
    act(lambda: api().patch(f"/v1/resources/{resource_id}/pictures/{picture_id}", change), _("Saved."))
    return _back(resource_id)


@blueprint.post("/resources/<resource_id>/pictures/<picture_id>/removal")
def remove_picture(resource_id: str, picture_id: str) -> Response:
    """Take a picture away."""
    require(*EDITORS)
    act(lambda: api().delete(f"/v1/resources/{resource_id}/pictures/{picture_id}"), _("The picture is removed."))
    return _back(resource_id)


def _say(resource_id: str, text: str) -> Response:
    flash(text, "danger")
    return _back(resource_id)


def _back(resource_id: str) -> Response:
    return redirect(url_for("admin.resource", resource_id=resource_id) + "#pictures")
