"""The member's first page, and their membership."""

from __future__ import annotations

from flask import render_template

from portal.api import api
from portal.formats import instant_text
from portal.member.door import blueprint, now
from portal.seats import current_seat

UPCOMING = "held,tentative,confirmed,checked_in"


@blueprint.get("/<slug>/")
def overview() -> str:
    """Next bookings, open invoices, what is left of credits and passes."""
    calls = api()
    me = current_seat().me.get("member_id")
    bookings = calls.items("/v1/bookings", **{"from": instant_text(now())}, status=UPCOMING, sort="start", limit=5)
    invoices = calls.items("/v1/invoices", limit=20)
    credits_ = calls.maybe("/v1/credits", member_id=me) or {}
    passes = calls.items("/v1/passes", member_id=me)
    return render_template(
        "member/overview.html",
        bookings=bookings,
        owed=[invoice for invoice in invoices if invoice["state"] == "open" and invoice["payable"]["amount_minor"]],
        hours=(credits_.get("balance") or {}).get("available"),
        passes=sum(int(one.get("remaining") or 0) for one in passes),
        memberships=calls.items("/v1/memberships"),
    )


@blueprint.get("/<slug>/membership")
def membership() -> str:
    """Plans held, and when the next invoice comes."""
    return render_template("member/membership.html", memberships=api().items("/v1/memberships"))
