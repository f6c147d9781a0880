"""Tables of the catalog."""

from catalog.models.locations import Location
from catalog.models.metadata import Base

__all__ = ["Base", "Location"]
