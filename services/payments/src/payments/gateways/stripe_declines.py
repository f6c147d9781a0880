"""Stripe's decline and failure codes as soft or hard (PAY-2; https://docs.stripe.com/declines/codes)."""

from __future__ import annotations

from payments.gateways.terms import FailureKind

# No later attempt with the same method can work: the member must give another one, or mend this one.
_HARD = frozenset(
    """
    account_closed bank_account_closed bank_account_unusable bank_ownership_changed card_not_supported
    charge_not_authorized currency_not_supported customer_canceled_authorization debit_not_authorized
    expired_card fraudulent incorrect_account_holder_name incorrect_cvc incorrect_number invalid_account
    invalid_account_number invalid_bank_account_iban invalid_card_type invalid_cvc invalid_expiry_month
    invalid_expiry_year invalid_number lost_card mandate_invalid merchant_blacklist no_account
    payment_method_invalid payment_method_not_available pickup_card restricted_card
    revocation_of_all_authorizations revocation_of_authorization security_violation stolen_card
    stop_payment_order testmode_decline transaction_not_allowed
    """.split()
)

# The bank wants the member to confirm; not a refusal.
AUTHENTICATION_CODES = frozenset({"authentication_required", "authentication_not_handled"})


def failure_kind(code: str) -> FailureKind:
    """Hard for the codes that say so; everything else, unknown codes included, may work in a few days."""
    return FailureKind.HARD if code in _HARD else FailureKind.SOFT
