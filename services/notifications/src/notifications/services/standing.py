"""Telling a customer that they cannot book until they pay (PAY-8)."""

from __future__ import annotations

from common.db import TenantSession
from contracts.invoicing import CustomerStandingChanged
from notifications.mail.links import LINKS
from notifications.services.notifying import Notice, notify
from notifications.services.recipients import bill_recipient


def tell_of_standing(session: TenantSession, message: CustomerStandingChanged) -> None:
    """Say once per arrears that bookings are blocked; that they are free again goes without saying."""
    if not message.bookings_blocked or message.overdue_since is None:
        return
    whose = message.customer.member_id or message.customer.company_id
    notify(
        session,
        Notice(
            template="bookings-blocked",
            source=f"customer:{whose}:blocked:{message.overdue_since}",
            recipient=bill_recipient(session, message.customer),
            data={
                "standing": {"overdue_since": message.overdue_since},
                "link": LINKS.invoice(session.organization, None),
            },
        ),
    )
