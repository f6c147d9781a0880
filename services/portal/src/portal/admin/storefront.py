"""The storefront's settings, and its publication."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import ChoiceField, LineField, ParagraphField, WordListField
from portal.forms import AN_EMAIL, MAYBE, ApiForm, act
from portal.seats import current_seat
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class StorefrontForm(ApiForm):
    """What `PATCH /v1/storefront-settings` takes."""

    published = BooleanField(lazy_gettext("The storefront is open to everybody"))
    headline = LineField(lazy_gettext("Headline"), [MAYBE])
    description = ParagraphField(lazy_gettext("What makes your space special"), [MAYBE])
    contact_email = LineField(lazy_gettext("Questions go to"), [MAYBE, AN_EMAIL])
    terms_url = LineField(lazy_gettext("Address of your terms"), [MAYBE])
    privacy_url = LineField(lazy_gettext("Address of your privacy notice"), [MAYBE])
    embed_origins = WordListField(lazy_gettext("Sites that may show it in a frame"), [MAYBE])
    purchase_flow__guest = ChoiceField(lazy_gettext("Strangers"), [MAYBE])
    purchase_flow__member = ChoiceField(lazy_gettext("Members"), [MAYBE])


@blueprint.route("/storefront", methods=["GET", "POST"])
def storefront() -> str | Response:
    """Look after the public page."""
    form = StorefrontForm(shown=api().get("/v1/storefront-settings"))
    for field in (form.purchase_flow__guest, form.purchase_flow__member):
        field.offer(choices("pay_now", "pay_later", "approval"))
    if form.is_submitted():
        require(*EDITORS)
    if form.send(lambda body: api().patch("/v1/storefront-settings", body), nulls=True) is None:
        return render_template("admin/storefront.html", form=form, snippet=_snippet())
    act(dict, _("Saved."))
    return redirect(url_for("admin.storefront"))


def _snippet() -> str:
    """What a site's own page takes up to show the storefront."""
    organization = current_seat().organization
    address = url_for("hub.storefront", slug=organization["slug"], embed="1", _external=True)
    frame = Markup('<iframe src="{}" title="{}" width="100%" height="900" loading="lazy"></iframe>')
    return str(frame.format(address, organization["name"]))
