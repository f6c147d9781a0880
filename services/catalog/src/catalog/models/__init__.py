"""Tables of the catalog."""

from catalog.models.locations import Location
from catalog.models.metadata import Base
from catalog.models.plans import Plan
from catalog.models.promo_codes import PromoCode
from catalog.models.rates import ResourceRate
from catalog.models.resources import Resource, ResourcePicture
from catalog.models.storefront import StorefrontSettings

__all__ = [
    "Base",
    "Location",
    "Plan",
    "PromoCode",
    "Resource",
    "ResourcePicture",
    "ResourceRate",
    "StorefrontSettings",
]
