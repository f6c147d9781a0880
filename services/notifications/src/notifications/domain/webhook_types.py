"""The event types that endpoints can subscribe to: the public messages' names."""

from __future__ import annotations

# Each with the field that holds the id of what it is about; None for what an organisation or customer has one of.
EVENT_TYPES: dict[str, str | None] = {
    "member-changed": "member_id",
    "company-changed": "company_id",
    "location-changed": "location_id",
    "resource-changed": "resource_id",
    "resource-rate-changed": "rate_id",
    "plan-changed": "plan_id",
    "promo-code-changed": "promo_code_id",
    "booking-created": "booking_id",
    "booking-changed": "booking_id",
    "booking-confirmed": "booking_id",
    "booking-cancelled": "booking_id",
    "booking-completed": "booking_id",
    "pass-used": "pass_id",
    "membership-changed": "membership_id",
    "plan-purchase-changed": "purchase_id",
    "billing-settings-changed": None,
    "customer-standing-changed": None,
    "invoice-issued": "invoice_id",
    "invoice-changed": "invoice_id",
    "invoice-sent": "invoice_id",
    "invoice-paid": "invoice_id",
    "invoice-overdue": "invoice_id",
    "invoice-reminder-due": "invoice_id",
    "invoice-voided": "invoice_id",
    "credit-note-issued": "credit_note_id",
    "deposit-changed": "deposit_id",
    "payment-succeeded": "payment_id",
    "payment-pending": "payment_id",
    "payment-failed": "payment_id",
    "payment-reversed": "payment_id",
    "payment-refunded": "payment_id",
    "payment-refund-failed": "payment_id",
    "payment-action-required": "payment_id",
    "payment-method-changed": "payment_method_id",
    "payment-method-expiring": "payment_method_id",
    "gateway-changed": "gateway_id",
    "notification-failed": "notification_id",
}
EVERYTHING = "*"
TEST_EVENT = "test"


def is_wanted(event_type: str, wanted: list[str]) -> bool:
    """Whether an endpoint that subscribed to ``wanted`` gets this type."""
    return event_type in wanted or EVERYTHING in wanted
