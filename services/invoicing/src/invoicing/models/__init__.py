"""Tables of invoicing."""

from invoicing.models.chain import ChainedDocument, ChainHead, NumberSeries
from invoicing.models.charges import Fee, Membership, PlanPurchase
from invoicing.models.copies import (
    BookingCopy,
    Customer,
    Location,
    PaymentCopy,
    Plan,
    PromoCode,
    PromoRedemption,
    RefundCopy,
)
from invoicing.models.credit_notes import CreditNote, CreditNoteLine
from invoicing.models.invoices import Invoice, InvoiceLine
from invoicing.models.ledgers import AccountCredit, CreditAllocation, Deposit, DepositEntry
from invoicing.models.metadata import Base
from invoicing.models.runs import BillingRun
from invoicing.models.settings import BillingSettings

__all__ = [
    "AccountCredit",
    "Base",
    "BillingRun",
    "BillingSettings",
    "BookingCopy",
    "ChainHead",
    "ChainedDocument",
    "CreditAllocation",
    "CreditNote",
    "CreditNoteLine",
    "Customer",
    "Deposit",
    "DepositEntry",
    "Fee",
    "Invoice",
    "InvoiceLine",
    "Location",
    "Membership",
    "NumberSeries",
    "PaymentCopy",
    "Plan",
    "PlanPurchase",
    "PromoCode",
    "PromoRedemption",
    "RefundCopy",
]
