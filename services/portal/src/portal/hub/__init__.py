"""The Growth Hub: an organisation's public storefront."""

from portal.hub import checkout, payment, rooms, storefront
from portal.hub.door import blueprint

__all__ = ["blueprint", "checkout", "payment", "rooms", "storefront"]
