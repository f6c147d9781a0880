"""A member's payment methods; card numbers are entered at the provider, never here."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.api import api
from portal.forms import act
from portal.member.door import blueprint
from portal.seats import current_seat
from portal.translation import gettext as _


@blueprint.get("/<slug>/payment-methods")
def methods() -> str:
    """Saved methods, and adding one."""
    return render_template("member/methods.html", methods=api().items("/v1/payment-methods"))


@blueprint.post("/<slug>/payment-methods")
def add_method() -> str | Response:
    """Begin to save a method: at the sandbox at once, else on the provider's own page."""
    page = url_for("member.methods", _external=True)
    body: dict[str, Any] = {"member_id": current_seat().me.get("member_id"), "return_url": page}
    if token := request.form.get("token"):
        body["token"] = token
    made = act(lambda: api().post("/v1/payment-methods/setup", body), _("Saved."))
    address = ((made or {}).get("setup") or {}).get("url")
    return render_template("member/onward.html", address=address) if address else redirect(page)


@blueprint.post("/<slug>/payment-methods/<method_id>/default")
def prefer_method(method_id: str) -> Response:
    """Charge this one first."""
    act(lambda: api().patch(f"/v1/payment-methods/{method_id}", {"is_default": True}), _("It is charged first now."))
    return redirect(url_for("member.methods"))


@blueprint.post("/<slug>/payment-methods/<method_id>/removal")
def remove_method(method_id: str) -> Response:
    """Forget one."""
    act(lambda: api().delete(f"/v1/payment-methods/{method_id}"), _("It is removed."))
    return redirect(url_for("member.methods"))
