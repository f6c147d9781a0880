"""The member's first page."""

from __future__ import annotations

from flask import render_template

from portal.api import api
from portal.formats import instant_text
from portal.member.bookings import TO_COME
from portal.member.door import blueprint
from portal.rehearsal_clock import now
from portal.seats import current_seat


@blueprint.get("/<slug>/")
def overview() -> str:
    """Next bookings, open invoices, what is left of hours and passes."""
    calls = api()
    me = current_seat().me.get("member_id")
    bookings = calls.items("/v1/bookings", **{"from": instant_text(now())}, status=TO_COME, sort="start", limit=5)
    invoices = calls.items("/v1/invoices", state="open", limit=20)
    credits_ = calls.maybe("/v1/credits", member_id=me) or {}
    passes = calls.items("/v1/passes", member_id=me)
    memberships = calls.items("/v1/memberships")
    return render_template(
        "member/overview.html",
        bookings=bookings,
        owed=[invoice for invoice in invoices if invoice["payable"]["amount_minor"]],
        hours=(credits_.get("balance") or {}).get("available"),
        passes=sum(int(one.get("remaining") or 0) for one in passes),
        memberships=[row for row in memberships if row["status"] not in {"ended", "cancelled"}],
    )
