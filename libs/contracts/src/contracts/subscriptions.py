"""The map of the system: which service listens to which messages.

Every worker declares the queues of all services from this map, so that no event is lost because its listener has
not started yet; the gateway uses it to know whose inboxes to look into.
"""

from __future__ import annotations

from common.messaging.message import Message
from contracts import booking, catalog, invoicing, members, notifications, payments

IDENTITY: tuple[type[Message], ...] = (
    members.OrganizationChanged,
    members.ClockAdvanced,
    members.SigningKeysChanged,
)
PEOPLE: tuple[type[Message], ...] = (members.MemberChanged, members.CompanyChanged)
OFFERS: tuple[type[Message], ...] = (
    catalog.LocationChanged,
    catalog.ResourceChanged,
    catalog.ResourceRateChanged,
    catalog.PlanChanged,
    catalog.PromoCodeChanged,
)
BOOKINGS: tuple[type[Message], ...] = (
    booking.BookingCreated,
    booking.BookingChanged,
    booking.BookingConfirmed,
    booking.BookingCancelled,
    booking.BookingCompleted,
)
INVOICES: tuple[type[Message], ...] = (
    invoicing.InvoiceIssued,
    invoicing.InvoiceChanged,
    invoicing.InvoicePaid,
    invoicing.InvoiceVoided,
    invoicing.CreditNoteIssued,
)
MONEY: tuple[type[Message], ...] = (
    payments.PaymentSucceeded,
    payments.PaymentPending,
    payments.PaymentFailed,
    payments.PaymentReversed,
    payments.PaymentRefunded,
    payments.PaymentRefundFailed,
)

SUBSCRIPTIONS: dict[str, tuple[type[Message], ...]] = {
    "members": (catalog.LocationChanged,),
    "catalog": IDENTITY,
    "booking": (
        *IDENTITY,
        *PEOPLE,
        *OFFERS,
        invoicing.MembershipChanged,
        invoicing.PlanPurchaseChanged,
        invoicing.BillingSettingsChanged,
        invoicing.CustomerStandingChanged,
        invoicing.InvoicePaid,
    ),
    "invoicing": (
        *IDENTITY,
        *PEOPLE,
        catalog.LocationChanged,
        catalog.PlanChanged,
        catalog.PromoCodeChanged,
        *BOOKINGS,
        *MONEY,
    ),
    "payments": (
        *IDENTITY,
        *PEOPLE,
        catalog.LocationChanged,
        invoicing.BillingSettingsChanged,
        *INVOICES,
        invoicing.RefundRequested,
    ),
    "notifications": (
        *IDENTITY,
        *PEOPLE,
        members.UserInvited,
        members.SignInLinkRequested,
        *OFFERS,
        *BOOKINGS,
        booking.PassUsed,
        invoicing.MembershipChanged,
        invoicing.PlanPurchaseChanged,
        invoicing.BillingSettingsChanged,
        *INVOICES,
        invoicing.InvoiceSent,
        invoicing.InvoiceOverdue,
        invoicing.InvoiceReminderDue,
        invoicing.DepositChanged,
        invoicing.CustomerStandingChanged,
        *MONEY,
        payments.PaymentActionRequired,
        payments.PaymentMethodChanged,
        payments.PaymentMethodExpiring,
        payments.GatewayChanged,
        notifications.NotificationFailed,
    ),
}

MESSAGES: tuple[type[Message], ...] = (
    *IDENTITY,
    *PEOPLE,
    members.UserInvited,
    members.SignInLinkRequested,
    *OFFERS,
    *BOOKINGS,
    booking.PassUsed,
    invoicing.MembershipChanged,
    invoicing.PlanPurchaseChanged,
    invoicing.BillingSettingsChanged,
    *INVOICES,
    invoicing.InvoiceSent,
    invoicing.InvoiceOverdue,
    invoicing.InvoiceReminderDue,
    invoicing.RefundRequested,
    invoicing.DepositChanged,
    invoicing.CustomerStandingChanged,
    *MONEY,
    payments.PaymentActionRequired,
    payments.PaymentMethodChanged,
    payments.PaymentMethodExpiring,
    payments.GatewayChanged,
    notifications.NotificationFailed,
)


def routing_keys(service: str) -> list[str]:
    """The routing keys that a service's queue is bound to."""
    return [message.routing_key() for message in SUBSCRIPTIONS[service]]


def subscribers(routing_key: str) -> list[str]:
    """The services that listen to a routing key."""
    return [name for name, types in SUBSCRIPTIONS.items() if routing_key in {t.routing_key() for t in types}]


ROUTING: dict[str, list[str]] = {service: routing_keys(service) for service in SUBSCRIPTIONS}
