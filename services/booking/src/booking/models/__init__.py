"""Tables of the booking service."""

from booking.models.bookings import Booking, BookingSeries, Occupancy
from booking.models.calendar_feeds import CalendarFeed
from booking.models.credits import CreditEntry, CreditGrant
from booking.models.customers import BillingSettings, Customer, CustomerStanding, Membership, PlanPurchase
from booking.models.metadata import Base
from booking.models.offers import Location, Plan, PromoCode, Resource, ResourceRate
from booking.models.promotions import PromoRedemption
from booking.models.visits import CheckIn, DayPass, PassUse

__all__ = [
    "Base",
    "BillingSettings",
    "Booking",
    "BookingSeries",
    "CalendarFeed",
    "CheckIn",
    "CreditEntry",
    "CreditGrant",
    "Customer",
    "CustomerStanding",
    "DayPass",
    "Location",
    "Membership",
    "Occupancy",
    "PassUse",
    "Plan",
    "PlanPurchase",
    "PromoCode",
    "PromoRedemption",
    "Resource",
    "ResourceRate",
]
