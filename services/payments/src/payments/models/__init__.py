"""Tables of the payments service."""

from payments.models.gateways import CustomerReference, Gateway, PaymentMethod
from payments.models.invoices import BillingSettings, Collection, Customer, Invoice, Location
from payments.models.metadata import Base
from payments.models.payments import Payment, Refund, WebhookEvent
from payments.models.payouts import Payout, PayoutFeed, PayoutItem

__all__ = [
    "Base",
    "BillingSettings",
    "Collection",
    "Customer",
    "CustomerReference",
    "Gateway",
    "Invoice",
    "Location",
    "Payment",
    "PaymentMethod",
    "Payout",
    "PayoutFeed",
    "PayoutItem",
    "Refund",
    "WebhookEvent",
]
