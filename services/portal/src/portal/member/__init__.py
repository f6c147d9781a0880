"""The Member Portal: for people who use the space."""

from portal.member import (
    allowances,
    book,
    bookings,
    calendar,
    company,
    invoices,
    membership_changes,
    memberships,
    methods,
    moving,
    overview,
    profile,
)
from portal.member.door import blueprint

__all__ = [
    "allowances",
    "blueprint",
    "book",
    "bookings",
    "calendar",
    "company",
    "invoices",
    "membership_changes",
    "memberships",
    "methods",
    "moving",
    "overview",
    "profile",
]
