"""The public page: plans, day passes and rooms."""

from __future__ import annotations

from flask import render_template

from portal.hub.basket import plan_item, read_basket, with_item
from portal.hub.described import describe_shop
from portal.hub.door import blueprint, is_embedded, read_shop


@blueprint.get("/<slug>/")
def storefront(slug: str) -> str:
    """All that is on sale."""
    shop = read_shop(slug, slots=True)
    return render_template(
        "hub/storefront.html",
        shop=shop,
        slug=slug,
        basket=read_basket(shop),
        embedded=is_embedded(),
        buying={plan["id"]: with_item(plan_item(plan["id"])) for plan in shop["plans"]},
        passes=[plan for plan in shop["plans"] if plan["kind"] != "recurring"],
        memberships=[plan for plan in shop["plans"] if plan["kind"] == "recurring"],
        zones={place["id"]: place["timezone"] for place in shop["locations"]},
        described=describe_shop(shop, slug),
    )
