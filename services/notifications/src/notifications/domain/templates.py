"""The mails that exist: a template's name, what it is about, and whether it opens a door."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Template:
    """``secret`` templates carry a link that signs somebody in: their body is shown to nobody else.

    ``internal`` ones are for the team, and stay in the app when no address of it is known.
    """

    name: str
    title: str
    secret: bool = False
    internal: bool = False


_ALL = (
    Template("invoice", "An invoice, with its PDF"),
    Template("receipt", "Money arrived"),
    Template("payment-pending", "A direct debit is on its way"),
    Template("payment-failed", "A charge failed"),
    Template("payment-action-required", "The bank wants a confirmation (3-D Secure)"),
    Template("payment-refunded", "Money was given back"),
    Template("payment-reversed", "A payment was taken back by the bank"),
    Template("payment-method-expiring", "A card ends soon"),
    Template("invoice-due", "Reminder before and on the due date"),
    Template("invoice-overdue", "Reminder after the due date"),
    Template("invoice-voided", "An invoice that was sent is void"),
    Template("credit-note", "A credit note, with its PDF"),
    Template("booking-confirmed", "A booking is confirmed, with a calendar entry"),
    Template("booking-requested", "A booking waits for approval"),
    Template("booking-changed", "A booking was moved or re-priced, with a calendar entry"),
    Template("booking-cancelled", "A booking was cancelled, with its calendar entry's removal"),
    Template("booking-reminder", "Some hours before a booking"),
    Template("bookings-blocked", "No more bookings until an overdue invoice is paid"),
    Template("membership-started", "A membership begins"),
    Template("membership-ending", "A membership will end"),
    Template("welcome", "A member is invited to the portal", secret=True),
    Template("invitation", "A colleague is invited to the team", secret=True),
    Template("sign-in-link", "A link to sign in with", secret=True),
    Template("gateway-disconnected", "To the team: a payment gateway was disconnected", internal=True),
    Template("collection-failed", "To the team: a collection was given up", internal=True),
    Template("payment-taken-back", "To the team: a payment was taken back by the bank", internal=True),
    Template("refund-failed", "To the team: a refund did not reach the customer", internal=True),
    Template("approval-needed", "To the team: a booking waits for approval", internal=True),
    Template("notification-failed", "To the team: mails that did not arrive", internal=True),
    Template("webhook-disabled", "To the team: a webhook endpoint was switched off", internal=True),
)
TEMPLATES: dict[str, Template] = {template.name: template for template in _ALL}


def choose_language(*wishes: str | None) -> str:
    """The first wish that we can write in (``de-AT`` is German), else English."""
    for wish in wishes:
        if wish and (language := wish.replace("_", "-").split("-")[0].lower()) in LANGUAGES:
            return language
    return LANGUAGES[0]
