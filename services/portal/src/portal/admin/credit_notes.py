"""Credit notes: what was taken back, and where the money goes."""

from __future__ import annotations

from flask import Response as Answer
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.downloads import pass_on
from portal.forms import act
from portal.translation import gettext as _


@blueprint.get("/credit-notes")
def credit_notes() -> str:
    """A page of the list, newest first."""
    page = api().page("/v1/credit-notes", cursor=request.args.get("cursor"), limit=50)
    return render_template("admin/credit_notes/list.html", page=page)


@blueprint.get("/credit-notes/<note_id>")
def credit_note(note_id: str) -> str:
    """A credit note; what went to the customer's account can be given back or used, as far as it is still there."""
    calls = api()
    note = calls.get(f"/v1/credit-notes/{note_id}")
    owner = {name: note[name] for name in ("member_id", "company_id") if note.get(name)}
    is_left = note["left"]["amount_minor"] > 0
    return render_template(
        "admin/credit_notes/detail.html",
        note=note,
        invoice=calls.maybe(f"/v1/invoices/{note['invoice_id']}"),
        open_invoices=calls.items("/v1/invoices", **owner, state="open") if is_left and owner else [],
        is_left=is_left,
    )


@blueprint.get("/credit-notes/<note_id>/pdf")
def credit_note_file(note_id: str) -> Answer:
    """A credit note's document."""
    return pass_on(f"/v1/credit-notes/{note_id}/pdf")


@blueprint.post("/credit-notes/<note_id>/refund")
def refund_credit_note(note_id: str) -> Response:
    """Give the money back."""
    require(*DESK)
    act(lambda: api().post(f"/v1/credit-notes/{note_id}/refund"), _("The money is on its way back."))
    return redirect(url_for("admin.credit_note", note_id=note_id))


@blueprint.post("/credit-notes/<note_id>/allocations")
def allocate_credit_note(note_id: str) -> Response:
    """Use it for an open invoice."""
    require(*DESK)
    body = {"invoice_id": request.form.get("invoice_id", "")}
    act(lambda: api().post(f"/v1/credit-notes/{note_id}/allocations", body), _("The invoice is credited."))
    return redirect(url_for("admin.credit_note", note_id=note_id))
