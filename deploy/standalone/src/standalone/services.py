"""The services of the suite: the one place that knows them all."""

from __future__ import annotations

from booking.service import SERVICE as BOOKING
from catalog.service import SERVICE as CATALOG
from common.service import Service
from invoicing.service import SERVICE as INVOICING
from members.service import SERVICE as MEMBERS
from notifications.service import SERVICE as NOTIFICATIONS
from payments.service import SERVICE as PAYMENTS

ALL_SERVICES: tuple[Service, ...] = (MEMBERS, CATALOG, BOOKING, INVOICING, PAYMENTS, NOTIFICATIONS)
