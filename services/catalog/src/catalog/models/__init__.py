"""Tables of the catalog."""

from catalog.models.metadata import Base
from catalog.models.locations import Location

__all__ = ["Base", "Location"]
