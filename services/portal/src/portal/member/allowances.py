"""What a member may use without paying anew: booking hours and day passes, and what became of them."""

from __future__ import annotations

from flask import render_template, request

from portal.api import api
from portal.member.door import blueprint
from portal.seats import current_seat


@blueprint.get("/<slug>/allowances")
def allowances() -> str:
    """Hours with their ledger, day passes with the visits that used them."""
    calls, me = api(), current_seat().me.get("member_id")
    return render_template(
        "member/allowances.html",
        credits=calls.maybe("/v1/credits", member_id=me, limit=50) or {"items": [], "balance": None},
        ledger=calls.page("/v1/credits/ledger", member_id=me, limit=20, cursor=request.args.get("cursor")),
        passes=calls.items("/v1/passes", member_id=me, limit=50),
        visits=calls.items("/v1/check-ins", limit=10),
        places={place["id"]: place for place in calls.items("/v1/locations", limit=200)},
    )
