"""What this service listens to: almost everything, to tell people and to feed webhooks."""

from __future__ import annotations

from common.messaging import Handlers
from contracts.identity import keep_identity_copies
from notifications.messages import bills, bookings, failures, money, people, webhooks

handlers = Handlers()
keep_identity_copies(handlers)
people.register(handlers)
bookings.register(handlers)
bills.register(handlers)
money.register(handlers)
failures.register(handlers)
webhooks.register(handlers)
