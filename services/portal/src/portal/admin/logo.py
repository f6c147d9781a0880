"""The organisation's logo, which heads mails and invoices: sent up, taken away."""

from __future__ import annotations

import base64

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.forms import act
from portal.translation import gettext as _

_KINDS = ("image/jpeg", "image/png")
# The API takes 150,000 characters of text, in which a picture is a third longer.
_LARGEST = 110_000


@blueprint.post("/settings/organization/logo")
def change_logo() -> Response:
    """Send a logo up; whether it is a whole picture is for the API to say."""
    require(*EDITORS)
    file = request.files.get("logo")
    if file is None or not file.filename:
        return _say(_("Choose a picture first."))
    if file.mimetype not in _KINDS:
        return _say(_("A logo is a PNG or a JPEG."))
    content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        return _say(_("This picture is too large for a logo: up to 100 kB, please."))
    logo = f"data:{file.mimetype};base64,{base64.b64encode(content).decode()}"
    act(lambda: api().patch("/v1/organization", {"logo": logo}), _("Mails and invoices bear this logo from now on."))
    return _back()


@blueprint.post("/settings/organization/logo/removal")
def remove_logo() -> Response:
    """Take the logo away."""
    require(*EDITORS)
    act(lambda: api().patch("/v1/organization", {"logo": None}), _("The logo is removed."))
    return _back()


def _say(text: str) -> Response:
    flash(text, "danger")
    return _back()


def _back() -> Response:
    return redirect(url_for("admin.organization_settings") + "#logo")
