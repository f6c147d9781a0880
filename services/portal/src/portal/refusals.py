"""What the API refuses, in the visitor's language: by the problem's code where people meet it, else as the API says it.

The API speaks English, and there with the numbers of the case; who reads English is shown just that.
"""

from __future__ import annotations

from typing import Any

from portal.translation import LANGUAGES, language
from portal.translation import lazy_gettext as _

# Codes that people meet -> what to tell them.
REFUSALS: dict[str, Any] = {
    # Signing in
    "password_wrong": _("The present password is not right."),
    "too_many_attempts": _("Too many attempts to sign in. Please wait for some minutes."),
    "too_many_requests": _("That was too often. Please wait for a moment."),
    "email_taken": _("Somebody with this e-mail address is here already."),
    "slug_taken": _("This short name is taken. Please choose another one."),
    "cannot_be_invited": _("Only somebody who is active and has an e-mail address can be invited."),
    "last_owner": _("There must be at least one owner. Make somebody else an owner first."),
    "role_not_allowed": _("Your role may not do this."),
    "location_not_in_scope": _("You do not work at this location."),
    "field_not_allowed": _("Some of this only the team may change."),
    # Booking
    "slot_taken": _("This time is taken."),
    "conflict": _("Some of these dates are taken."),
    "hold_expired": _("The time is no longer kept for you. Please book again."),
    "in_the_past": _("This time is over."),
    "too_short_notice": _("It is too late to book this time without us."),
    "too_far_ahead": _("That is too far ahead."),
    "too_short": _("That is shorter than it can be booked for."),
    "too_long": _("That is longer than it can be booked for."),
    "closed": _("It is closed then."),
    "outside_opening_hours": _("It is not open for all of this time."),
    "members_only": _("Only members may book this."),
    "plan_required": _("Your plan does not include this."),
    "bookings_blocked": _("Bookings are blocked. Please ask the house."),
    "recurring_not_allowed": _("This cannot be booked as a series."),
    "quota_exceeded": _("That is more than one may book in a week or a month."),
    "unknown_extra": _("One of the extras is not to be had here."),
    "extra_quantity": _("The quantity of an extra must be more than nothing."),
    "no_rate": _("There is no price for this time."),
    "price_too_large": _("This costs more than can be charged."),
    "not_bookable": _("This cannot be booked just now."),
    "end_not_after_start": _("The end must be after the start."),
    "recurrence_overlaps_itself": _("The booking is longer than the time between its dates."),
    "begun_already": _("It has begun already."),
    "too_late_to_change": _("It is too late to move it: by now that would cost a fee. You can cancel it instead."),
    "status_transition": _("In its present state that cannot be done with the booking."),
    "too_early": _("It is too early to check in."),
    "checked_in_already": _("Checked in already."),
    "no_pass": _("There is no day pass left for today."),
    "credits_insufficient": _("There are not enough hours left."),
    # Buying and paying
    "promo_code_unknown": _("There is no such promo code."),
    "promo_code_expired": _("This promo code is no longer valid."),
    "promo_code_not_yet_valid": _("This promo code is not valid yet."),
    "promo_code_not_applicable": _("This promo code is for something else."),
    "promo_code_used_up": _("This promo code has been used up."),
    "checkout_expired": _("The time to pay is over. Please choose anew."),
    "checkout_refused": _("This order was refused. Please order anew."),
    "plan_archived": _("This plan is no longer sold."),
    "same_plan": _("This is the plan already."),
    "commitment": _("An end so early is not possible: notice, minimum term and what is billed count."),
    "member_change_off": _("Please ask the house to change this membership."),
    "end_not_yours": _("The house has set this end. Please ask there."),
    "membership_ended": _("This membership has ended."),
    "membership_replaced": _("Another membership has followed this one. Change that one."),
    "pay_now_off": _("Here nothing can be paid in the Member Portal."),
    "invoice_paid": _("There is nothing left to pay."),
    "invoice_not_payable": _("This invoice cannot be paid."),
    "invoice_not_unpaid": _("Only an unpaid invoice can be made void. Make a credit note instead."),
    "invoice_issued": _("This invoice was issued and cannot be changed. Make a credit note instead."),
    "not_the_newest_invoice": _("Later invoices build on this one. Begin with the newest, or make a credit note."),
    "nothing_to_invoice": _("There is nothing to invoice."),
    "nothing_to_credit": _("All of this invoice has been credited."),
    "credit_exceeds_line": _("That is more than is left of the line."),
    "allocation_exceeded": _("That is more than is left of the credit note or of the invoice."),
    "refund_exceeded": _("That is more than is left of the credit note, or than was paid."),
    "refund_exceeds_paid": _("More cannot go back than was paid."),
    "refund_exceeds_payment": _("That is more than is left of the payment."),
    "payment_not_collected": _("Only a payment that succeeded can be refunded."),
    "payment_disputed": _("The bank has taken this money back already."),
    "payment_method_unusable": _("This payment method cannot pay this invoice."),
    "payment_method_missing": _("Please choose a payment method."),
    "payment_method_incomplete": _("Please finish entering the payment method first."),
    "payment_method_elsewhere": _("This payment method belongs to another payment gateway."),
    "no_payment_gateway": _("Connect a payment gateway first."),
    "gateway_disconnected": _("This payment gateway is no longer connected."),
    "deposit_exceeded": _("No more can be taken than is held."),
    "deposit_released": _("Part of this deposit has been given back or used already."),
    "invalid_as_of": _("This day is too far away."),
    "billing_locked": _("The books are closed up to a later day."),
    # Looking after the house
    "changed_meanwhile": _("Somebody has changed this meanwhile. Please load the page anew."),
    "company_has_members": _("Move or archive the company's members first."),
    "location_code_taken": _("Another location has this short code."),
    "expires_too_early": _("It must be good for a day at least."),
    "location_in_use": _("Archive or move the rooms and desks of this location first."),
    "resource_without_rate": _("It needs a rate before it can be sold."),
    "clock_goes_back": _("A clock never goes back. Please choose a later time."),
    "template_invalid": _("There is a fault in these words."),
    "picture_unreadable": _("This is no PNG, JPEG or WebP picture, or it is damaged."),
    "picture_too_large": _("This picture is too large."),
    "too_many_pictures": _("There are as many pictures as there can be."),
    "logo_unreadable": _("This is no PNG or JPEG picture, or it is damaged."),
    "logo_too_large": _("This logo has more than 2,000 pixels a side."),
    "webhook_endpoint_disabled": _("Switch the address on first."),
    "already_under_way": _("It is on its way already."),
    "no_email": _("There is no e-mail address to send it to."),
    "service_unavailable": _("That cannot be done just now. Please try again in a moment."),
}

# What the API says of a field's form, word for word -> what to tell people.
FORM_FAULTS: dict[str, Any] = {
    "Missing data for required field.": _("Please fill this in."),
    "Field may not be null.": _("Please fill this in."),
    "Not a valid email address.": _("Please write a whole e-mail address."),
    "Not a valid URL.": _("Please write a whole address, with https:// at the beginning."),
    "Not a valid date.": _("Please give a date."),
    "Not a valid number.": _("Please write a number."),
    "Not a decimal string.": _("Please write a number."),
    "Not a valid integer.": _("Please write a whole number."),
    "Number too large.": _("This number is too large."),
    "Unknown field.": _("This cannot be given here."),
}


def in_words(code: str, detail: str) -> str:
    """A refusal with its code, for who reads."""
    if language() == LANGUAGES[0]:
        return detail
    known = REFUSALS.get(code, FORM_FAULTS.get(detail))
    return detail if known is None else str(known)


def fault_codes(body: Any) -> list[str]:
    """The code of each of a problem's faults.

    A booking's broken rules each have one. A single fault has the problem's; several are each about their own place.
    """
    faults = body.get("errors") or ()
    violations = body.get("violations") or ()
    if len(violations) == len(faults):
        return [str(code) for code in violations]
    return [str(body.get("code"))] if len(faults) == 1 else [""] * len(faults)
