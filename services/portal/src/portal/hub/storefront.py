"""The public page: plans, day passes and rooms."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for

from portal.hub.door import blueprint, read_shop


@blueprint.get("/<slug>/")
def storefront(slug: str) -> str:
    """All that is on sale."""
    shop = read_shop(slug)
    return render_template(
        "hub/storefront.html",
        shop=shop,
        slug=slug,
        passes=[plan for plan in shop["plans"] if plan["kind"] != "recurring"],
        memberships=[plan for plan in shop["plans"] if plan["kind"] == "recurring"],
        described=describe(shop, slug),
    )


def describe(shop: dict[str, Any], slug: str) -> dict[str, Any]:
    """The page as structured data for search engines (schema.org)."""
    place = (shop.get("locations") or [{}])[0]
    address = place.get("address") or {}
    return {
        "@context": "https://schema.org",
        "@type": "LocalBusiness",
        "name": shop["organization"]["name"],
        "url": url_for("hub.storefront", slug=slug, _external=True),
        "address": {
            "@type": "PostalAddress",
            "streetAddress": address.get("street"),
            "addressLocality": address.get("city"),
            "postalCode": address.get("postal_code"),
        },
        "makesOffer": [{"@type": "Offer", "name": plan["name"]} for plan in shop["plans"]],
    }
