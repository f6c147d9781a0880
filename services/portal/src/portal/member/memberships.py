"""A member's memberships: what is held, what comes next on the bill."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.api import api
from portal.member.door import blueprint
from portal.problems import ApiProblem

Membership = dict[str, Any]


@blueprint.get("/<slug>/membership")
def memberships() -> str:
    """Plans held, the running ones first."""
    rows = sorted(api().items("/v1/memberships", limit=50), key=lambda row: row["status"] in {"ended", "cancelled"})
    return render_template("member/memberships.html", memberships=rows)


@blueprint.get("/<slug>/membership/<membership_id>")
def membership(membership_id: str) -> str:
    """One membership, its next invoice, and what its holder may do."""
    found = read_membership(membership_id)
    return render_template("member/membership.html", membership=found, coming=_next_invoice(found))


def read_membership(membership_id: str) -> Membership:
    """With what is open to the member. Raises ApiProblem."""
    found: Membership = api().get(f"/v1/memberships/{membership_id}")
    return found


def _next_invoice(membership: Membership) -> dict[str, Any] | None:
    """The next invoice as it would be made now; none for whoever does not pay."""
    day, whose = membership.get("next_invoice_on"), ("company_id" if membership["company_id"] else "member_id")
    if day is None:
        return None
    try:
        found = api().ask("/v1/invoices/preview", {whose: membership[whose], "as_of": day})
    except ApiProblem as problem:
        if problem.status == 401:
            raise
        return None
    return next(iter(found["invoices"]), None)
