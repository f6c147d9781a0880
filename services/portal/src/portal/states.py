"""How states are called and coloured, in one place for all pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from portal.refusals import in_words
from portal.translation import lazy_gettext as _

# word of the API -> (what people read, tone)
STATES: dict[str, tuple[Any, str]] = {
    "active": (_("active"), "good"),
    "archived": (_("archived"), "quiet"),
    "erased": (_("erased"), "quiet"),
    "invited": (_("invited"), "wait"),
    "deactivated": (_("deactivated"), "quiet"),
    "upcoming": (_("upcoming"), "wait"),
    "scheduled": (_("planned"), "wait"),
    "pending": (_("pending"), "wait"),
    "paused": (_("paused"), "wait"),
    "ended": (_("ended"), "quiet"),
    "trial": (_("trial"), "wait"),
    "draft": (_("draft"), "quiet"),
    "open": (_("open"), "wait"),
    "paid": (_("paid"), "good"),
    "void": (_("void"), "quiet"),
    "uncollectible": (_("uncollectible"), "bad"),
    "overdue": (_("overdue"), "bad"),
    "unpaid": (_("unpaid"), "wait"),
    "processing": (_("processing"), "wait"),
    "partially_paid": (_("partly paid"), "wait"),
    "failed": (_("failed"), "bad"),
    "refunded": (_("refunded"), "quiet"),
    "partially_refunded": (_("partly refunded"), "quiet"),
    "succeeded": (_("succeeded"), "good"),
    "reversed": (_("taken back"), "bad"),
    "action_required": (_("needs confirmation"), "wait"),
    "held": (_("held"), "wait"),
    "tentative": (_("awaits approval"), "wait"),
    "confirmed": (_("confirmed"), "good"),
    "checked_in": (_("checked in"), "good"),
    "completed": (_("completed"), "quiet"),
    "completed_with_errors": (_("completed with errors"), "bad"),
    "cancelled": (_("cancelled"), "quiet"),
    "no_show": (_("did not turn up"), "bad"),
    "rejected": (_("rejected"), "bad"),
    "expired": (_("expired"), "quiet"),
    "running": (_("running"), "wait"),
    "dry_run": (_("dry run"), "quiet"),
    "queued": (_("queued"), "wait"),
    "sending": (_("sending"), "wait"),
    "sent": (_("sent"), "good"),
    "connected": (_("connected"), "good"),
    "disconnected": (_("disconnected"), "quiet"),
    "unbilled": (_("not billed yet"), "wait"),
    "invoiced": (_("invoiced"), "good"),
    "waived": (_("waived"), "quiet"),
    "in_progress": (_("on its way"), "wait"),
    "delivered": (_("delivered"), "good"),
    "on": (_("switched on"), "good"),
    "switched_off": (_("switched off"), "quiet"),
    "done": (_("done"), "good"),
    "todo": (_("to do"), "wait"),
    "optional": (_("optional"), "quiet"),
    "planned": (_("planned"), "wait"),
    "waiting": (_("waiting"), "wait"),
    "gave_up": (_("given up"), "bad"),
    "given_up": (_("given up"), "bad"),
    "off": (_("by hand"), "quiet"),
    "awaiting_method": (_("no payment method"), "bad"),
    "no_method": (_("no payment method"), "bad"),
}

WORDS: dict[str, Any] = {
    "meeting_room": _("Meeting room"),
    "private_office": _("Private office"),
    "dedicated_desk": _("Dedicated desk"),
    "hot_desk": _("Hot desks"),
    "event_space": _("Event space"),
    "custom": _("Other"),
    "public": _("Everybody"),
    "members": _("Members"),
    "plans": _("Holders of certain plans"),
    "private": _("Staff only"),
    "recurring": _("Recurring"),
    "one_off": _("One-off"),
    "hour": _("hour"),
    "half_day": _("half day"),
    "day": _("day"),
    "week": _("week"),
    "month": _("month"),
    "year": _("year"),
    "owner": _("Owner"),
    "admin": _("Administrator"),
    "front_desk": _("Front desk"),
    "accountant": _("Accountant"),
    "member": _("Member"),
    "stripe": "Stripe",
    "gocardless": "GoCardless",
    "sandbox": _("Sandbox"),
    "manual": _("Manual"),
    "card": _("Card"),
    "none": "–",
    "cash": _("Cash"),
    "bank_transfer": _("Bank transfer"),
    "pos": _("Card terminal"),
    "direct_debit": _("Direct debit"),
    "sepa_debit": _("SEPA direct debit"),
    "automatic": _("automatic"),
    "pay_now": _("Pay Now"),
    "pay_later": _("Pay later"),
    "approval": _("After approval"),
    "checkout": _("storefront"),
    "test": _("test charge"),
    "rehearsal": _("Rehearsal"),
    "live": _("Live"),
    "insufficient_funds": _("not enough money in the account"),
    "lost_card": _("card reported lost"),
    "stolen_card": _("card reported stolen"),
    "card_declined": _("card declined"),
    "declined": _("declined by the bank"),
    "expired_card": _("card expired"),
    "no_payment_method": _("no payment method"),
    "payment_method_missing": _("no payment method"),
    "api_key": _("API key"),
    "generic_decline": _("declined by the bank"),
    "authentication_required": _("not confirmed with the bank"),
    "authentication_failed": _("not confirmed with the bank"),
    "processing_error": _("the bank could not be reached"),
    "off_hours": _("outside of business hours"),
    "weekend": _("on weekends"),
    "membership": _("With the membership"),
    "carry_over": _("Carried over"),
    "staff": _("Given by the house"),
    "grant": _("Given"),
    "reserve": _("Reserved"),
    "consume": _("Used"),
    "release": _("Given back"),
    "expire": _("Expired"),
    "held": _("Held"),
    "returned": _("Given back"),
    "applied": _("Used for invoices"),
    "forfeited": _("Kept"),
    "credited": _("Credited"),
    "unpaid": _("Payment taken back"),
}


# Events of webhooks -> what people call them
EVENTS: dict[str, Any] = {
    "member-changed": _("Member changed"),
    "company-changed": _("Company changed"),
    "location-changed": _("Location changed"),
    "booking-created": _("Booking made"),
    "booking-changed": _("Booking changed"),
    "booking-confirmed": _("Booking confirmed"),
    "booking-cancelled": _("Booking cancelled"),
    "booking-completed": _("Booking over"),
    "membership-changed": _("Membership changed"),
    "invoice-issued": _("Invoice issued"),
    "invoice-sent": _("Invoice sent"),
    "invoice-paid": _("Invoice paid"),
    "invoice-overdue": _("Invoice overdue"),
    "invoice-reminder-due": _("Reminder of an invoice due"),
    "invoice-voided": _("Invoice made void"),
    "credit-note-issued": _("Credit note issued"),
    "deposit-changed": _("Deposit changed"),
    "payment-succeeded": _("Payment received"),
    "payment-pending": _("Payment on its way"),
    "payment-failed": _("Payment failed"),
    "payment-reversed": _("Payment taken back by the bank"),
    "payment-refunded": _("Payment refunded"),
    "payment-refund-failed": _("Refund failed"),
    "payment-action-required": _("Payment needs confirmation"),
    "payment-method-changed": _("Payment method changed"),
    "payment-method-expiring": _("Payment method about to end"),
    "gateway-changed": _("Payment gateway changed"),
    "resource-changed": _("Room or desk changed"),
    "resource-rate-changed": _("Rate changed"),
    "plan-changed": _("Plan changed"),
    "promo-code-changed": _("Promo code changed"),
    "pass-used": _("Day pass used"),
    "plan-purchase-changed": _("Plan purchase changed"),
    "billing-settings-changed": _("Billing settings changed"),
    "customer-standing-changed": _("Standing of a customer changed"),
    "invoice-changed": _("Invoice changed"),
    "notification-failed": _("Mail failed"),
}


def event_name(name: str) -> str:
    """What an event of a webhook is called."""
    return str(EVENTS[name]) if name in EVENTS else name.replace("-", " ").capitalize()


def state_word(state: str | None) -> str:
    """What a state is called."""
    if not state:
        return "–"
    return str(STATES[state][0]) if state in STATES else state.replace("_", " ")


def state_tone(state: str | None) -> str:
    """good, wait, bad or quiet."""
    return STATES[state][1] if state in STATES else "quiet"


def word(name: str | None) -> str:
    """What a word of the API is called."""
    if not name:
        return "–"
    return str(WORDS[name]) if name in WORDS else name.replace("_", " ").replace("-", " ").capitalize()


def invoice_state(invoice: Mapping[str, Any]) -> str:
    """The one state of an invoice that matters most to people."""
    state = str(invoice.get("state"))
    if state != "open":
        return state
    paying = str(invoice.get("payment_state") or "")
    if paying in {"processing", "failed"}:
        return paying
    if invoice.get("overdue"):
        return "overdue"
    return paying if paying == "partially_paid" else state


def choices(*names: str) -> list[tuple[str, str]]:
    """Options of a select, by the API's words."""
    return [(name, word(name)) for name in names]


def register_states(app: Flask) -> None:
    """Give templates these as filters."""
    functions = (state_word, state_tone, word, invoice_state, event_name)
    app.jinja_env.filters.update({function.__name__: function for function in functions})
    app.jinja_env.filters["refusal"] = in_words
