"""What the API tells in English sentences of its own: the checklist's steps and problems, what mails are for, prices.

As with refusals, who reads English is shown the API's words; other languages have theirs by id or code here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from common.money import Money
from contracts.phrases import translated
from portal.formats import money, sentence
from portal.translation import LANGUAGES, language
from portal.translation import lazy_gettext as _

# A step's id -> its title, and why it matters.
STEPS: dict[str, tuple[Any, Any]] = {
    "payment_gateway": (
        _("Connect a payment gateway"),
        _("No invoice can be paid online before. Several kinds and accounts can be used at once."),
    ),
    "services": (
        _("Create the services members pay for"),
        _("Memberships, day passes, fees, and rates for rooms and desks: what has no rate earns nothing when booked."),
    ),
    "automatic_generation": (
        _("Generate invoices automatically"),
        _("Until this switch is on, no invoice is made by itself."),
    ),
    "billing_automation": (
        _("Let invoices be sent and collected by themselves"),
        _("Sent by e-mail when generated, and charged to the method on file when due; each switch stands alone."),
    ),
    "storefront": (
        _("Set up the storefront"),
        _("The public page where anybody buys plans and day passes and books rooms."),
    ),
    "test": (
        _("Test before going live"),
        _("One invoice from end to end: advance the clock of a rehearsal, or send a small test charge and refund it."),
    ),
}

# A problem's code -> a sentence; ``about`` is whom or what it is about, or how many.
PROBLEMS: dict[str, Any] = {
    "no_location": _("There is no location yet."),
    "no_plan": _("There is nothing yet that members can subscribe to or buy."),
    "no_resource": _("There is nothing yet that can be booked."),
    "storefront_empty": _("The storefront is published, and strangers can buy nothing on it."),
    "resource_without_rate": _("%(about)s has no rate, so nobody can book it: set one, or mark it as free."),
    "resource_without_public_rate": _("%(about)s has a rate for members only, so the storefront does not show it."),
    "plans_without_tax": _("Plans without a tax rate of their own: %(about)s. The billing settings' rate applies."),
    "rates_without_tax": _("Rates without a tax rate of their own: %(about)s. The billing settings' rate applies."),
    "no_seller_address": _("Invoices need the organisation's address."),
    "no_seller_tax_number": _("Invoices need a VAT or tax number."),
    "no_member": _("There is nobody yet who could be billed."),
    "member_without_email": _("%(about)s has no e-mail address: no invoice, receipt or reminder can be sent."),
    "company_without_email": _("%(about)s has no e-mail address: no invoice, receipt or reminder can be sent."),
    "bookings_waiting": _("Bookings that wait for approval and hold their time: %(about)s."),
    "bookings_paid_too_late": _("Bookings that were paid after somebody else had taken their time: %(about)s."),
    "unbilled_items": _("Items that should have been invoiced by now: %(about)s. Make a billing run."),
    "billing_run_errors": _("Customers whom the last billing run could not bill: %(about)s."),
    "no_payment_gateway": _("No payment gateway is connected: nothing can be paid online."),
    "gateway_in_test_mode": _("A payment gateway has test keys: it takes no real money."),
    "gateway_without_events": _("A payment gateway has no signing secret: what its provider reports is not heard."),
    "gateway_credentials_rejected": _("A provider no longer accepts our keys."),
    "refunds_failed": _("Refunds that did not reach the customer: %(about)s. Give them back by hand."),
    "members_without_method": _("Members without a payment method to collect from: %(about)s."),
    "collections_awaiting_method": _("Invoices that wait for a payment method: %(about)s."),
    "collections_given_up": _("Invoices that were given up after the last attempt: %(about)s."),
    "notification_failed": _("This mail was not sent: %(about)s."),
    "service_unavailable": _("A part of the house does not answer just now, so this may look different in a moment."),
}

# An event's name -> when its mail is sent.
MAILS: dict[str, Any] = {
    "invoice": _("An invoice, with its PDF"),
    "receipt": _("Money arrived"),
    "payment-pending": _("A direct debit is on its way"),
    "payment-failed": _("A charge failed"),
    "payment-action-required": _("The bank wants a confirmation (3-D Secure)"),
    "payment-refunded": _("Money was given back"),
    "payment-reversed": _("A payment was taken back by the bank"),
    "payment-method-expiring": _("A card ends soon"),
    "invoice-due": _("Reminder before and on the due date"),
    "invoice-overdue": _("Reminder after the due date"),
    "invoice-voided": _("An invoice that was sent is void"),
    "credit-note": _("A credit note, with its PDF"),
    "booking-confirmed": _("A booking is confirmed, with a calendar entry"),
    "booking-requested": _("A booking waits for approval"),
    "booking-changed": _("A booking was moved or re-priced, with a calendar entry"),
    "booking-cancelled": _("A booking was cancelled, with its calendar entry's removal"),
    "booking-reminder": _("Some hours before a booking"),
    "bookings-blocked": _("No more bookings until an overdue invoice is paid"),
    "membership-started": _("A membership begins"),
    "membership-ending": _("A membership will end"),
    "welcome": _("A member is invited to the portal"),
    "invitation": _("A colleague is invited to the team"),
    "sign-in-link": _("A link to sign in with"),
    "gateway-disconnected": _("To the team: a payment gateway was disconnected"),
    "collection-failed": _("To the team: a collection was given up"),
    "payment-taken-back": _("To the team: a payment was taken back by the bank"),
    "refund-failed": _("To the team: a refund did not reach the customer"),
    "approval-needed": _("To the team: a booking waits for approval"),
    "notification-failed": _("To the team: mails that did not arrive"),
    "webhook-disabled": _("To the team: a webhook endpoint was switched off"),
}


def step_title(step: Mapping[str, Any]) -> str:
    """What a step is called."""
    return _told(step["title"], STEPS.get(step["id"], (None, None))[0])


def step_reason(step: Mapping[str, Any]) -> str:
    """Why a step matters."""
    return _told(step["why"], STEPS.get(step["id"], (None, None))[1])


def problem_text(problem: Mapping[str, Any]) -> str:
    """What is wrong, as a sentence."""
    known = PROBLEMS.get(problem["code"])
    if known is not None and language() != LANGUAGES[0]:
        known = str(known) % {"about": problem.get("about") or ""}
    return _told(sentence(problem["detail"]), known)


def mail_title(wording: Mapping[str, Any]) -> str:
    """When a mail is sent."""
    return _told(wording["title"], MAILS.get(wording["event"]))


def phrase(text: str | None) -> str:
    """How a price or a line came about, with amounts as people write them; an operator's own words stay as they are."""
    return translated(language(), text or "", _written)


def _written(amount: Money) -> str:
    return money({"amount_minor": amount.amount_minor, "currency": amount.currency})


def _told(english: str, known: Any) -> str:
    return english if known is None or language() == LANGUAGES[0] else str(known)


def register_told(app: Flask) -> None:
    """Give templates these."""
    for function in (step_title, step_reason, problem_text, mail_title, phrase):
        app.jinja_env.filters[function.__name__] = function
