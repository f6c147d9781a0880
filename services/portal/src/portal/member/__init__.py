"""The Member Portal: for people who use the space."""

from portal.member import bookings, invoices, methods, overview, profile
from portal.member.door import blueprint

__all__ = ["blueprint", "bookings", "invoices", "methods", "overview", "profile"]
