"""Pages as structured data, for search engines (schema.org)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import url_for

from common.money import Money
from portal.hub.door import Shop

_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_UNITS = {"hour": "HUR", "day": "DAY", "week": "WEE", "month": "MON"}

Described = dict[str, Any]


def describe_shop(shop: Shop, slug: str) -> Described:
    """The house: where it is, when it is open, what it sells."""
    settings = shop["storefront"]
    return _full(
        {
            "@context": "https://schema.org",
            "@type": "LocalBusiness",
            "name": shop["organization"]["name"],
            "description": settings.get("description") or settings.get("headline"),
            "email": settings.get("contact_email"),
            "url": url_for("hub.storefront", slug=slug, item=None, embed=None, _external=True),
            "image": _pictures(shop["resources"]),
            **_place(shop["locations"][0] if shop["locations"] else {}),
            "makesOffer": [
                *(_plan_offer(plan) for plan in shop["plans"]),
                *(_room_offer(room, slug) for room in shop["resources"] if room.get("rates")),
            ],
        }
    )


def describe_room(shop: Shop, room: Described, slug: str) -> Described:
    """One room with its prices."""
    return {"@context": "https://schema.org", **_room_offer(room, slug), "seller": shop["organization"]["name"]}


def _place(location: Described) -> Described:
    address = location.get("address") or {}
    return {
        "address": _full(
            {
                "@type": "PostalAddress",
                "streetAddress": address.get("street"),
                "addressLocality": address.get("city"),
                "postalCode": address.get("postal_code"),
                "addressCountry": address.get("country"),
            }
        ),
        "openingHoursSpecification": [
            {"@type": "OpeningHoursSpecification", "dayOfWeek": _DAYS[day], "opens": opens, "closes": closes}
            for day, spans in (location.get("opening_hours") or {}).items()
            for opens, closes in spans
            if day in _DAYS
        ],
    }


def _plan_offer(plan: Described) -> Described:
    item = _full({"@type": "Service", "name": plan["name"], "description": plan.get("description")})
    return {"@type": "Offer", **_price(plan["price"]), "itemOffered": item}


def _room_offer(room: Described, slug: str) -> Described:
    prices = [price for rate in room.get("rates", ()) for price in rate["prices"] if price["unit"] in _UNITS]
    units = [
        {"@type": "UnitPriceSpecification", **_price(price["price"]), "unitCode": _UNITS[price["unit"]]}
        for price in prices
    ]
    url = url_for("hub.room", slug=slug, resource_id=room["id"], item=None, embed=None, _external=True)
    item = _full({"@type": "MeetingRoom", "name": room["name"], "description": room.get("description"), "url": url})
    return _full({"@type": "Offer", "priceSpecification": units, "itemOffered": item})


def _price(amount: Described) -> Described:
    return {"price": str(Money(**amount).decimal()), "priceCurrency": amount["currency"]}


def _pictures(rooms: Iterable[Described]) -> list[str]:
    found = [room["pictures"][0]["urls"]["large"] for room in rooms if room.get("pictures")]
    return [
        address if address.startswith("http") else url_for("entry.start", _external=True)[:-1] + address
        for address in found
    ]


def _full(described: Described) -> Described:
    return {name: value for name, value in described.items() if value not in (None, "", [], {})}
