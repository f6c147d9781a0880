"""``/v1/purchases``."""

from __future__ import annotations

from typing import Any

from common.auth import allow, current_principal
from common.errors import NotFoundError
from common.http import Blueprint, current_session, idempotent
from invoicing.api.access import EVERYBODY, own_payers
from invoicing.api.memberships import with_status
from invoicing.api.purchase_schemas import PurchaseInSchema, PurchaseSchema
from invoicing.api.showing import show_invoice
from invoicing.services.plans import find_plan_for_members
from invoicing.services.purchases import Item, buy

blueprint = Blueprint("purchases", __name__, description="Buying several things at once")


@blueprint.route("/v1/purchases", methods=["POST"])
@allow(*EVERYBODY)
@idempotent(required=True)
@blueprint.arguments(PurchaseInSchema)
@blueprint.response(201, PurchaseSchema)
def purchase(body: dict[str, Any]) -> dict[str, Any]:
    """Buy plans, passes and fees; with ``pay`` now they are invoiced and collected at once."""
    session = current_session()
    items = [Item(**{k: v for k, v in item.items() if v is not None}) for item in body.pop("items")]
    _check_own(body, items)
    if body["checkout_id"] is not None and not current_principal().is_staff:
        # An e-mail address typed on the storefront proves nothing: no company pays for it (GH-1).
        body["is_personal"] = True
    made = buy(session, items=items, **body)
    return {
        "memberships": [with_status(session, membership) for membership in made.memberships],
        "fees": made.fees,
        "invoice": None if made.invoice is None else show_invoice(session, made.invoice),
    }


def _check_own(body: dict[str, Any], items: list[Item]) -> None:
    """Members buy for themselves (or their company, when they may), and only what is on sale at its price."""
    principal = current_principal()
    if principal.is_staff:
        return
    if body["member_id"] is None and body["company_id"] is None:
        body["member_id"] = principal.member_id
    wanted = {each for each in (body["member_id"], body["company_id"]) if each is not None}
    if not wanted <= set(own_payers(principal)) or any(i.plan_id is None or i.price is not None for i in items):
        raise NotFoundError("not_found", "there is no such thing")
    for item in items:
        if item.plan_id is not None:
            find_plan_for_members(current_session(), item.plan_id)
