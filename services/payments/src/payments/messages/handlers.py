"""What payments listens to: people, places, settings, and what is owed."""

from __future__ import annotations

import msgspec

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.catalog import LocationChanged
from contracts.identity import keep_identity_copies
from contracts.invoicing import (
    BillingSettingsChanged,
    CreditNoteIssued,
    InvoiceChanged,
    InvoiceIssued,
    InvoicePaid,
    InvoiceState,
    InvoiceVoided,
    RefundRequested,
)
from contracts.members import CompanyChanged, MemberChanged, OrganizationChanged
from payments.services import copies
from payments.services.accounts import connect_sandbox_once
from payments.services.demands import refund_credit_note, refund_surplus

handlers = Handlers()
keep_identity_copies(handlers)


@handlers.on(OrganizationChanged)
def connect_sandbox(session: TenantSession, message: OrganizationChanged, _envelope: Envelope) -> None:
    """A rehearsal organisation can be paid from its first minute."""
    if message.mode == "rehearsal":
        connect_sandbox_once(session, message.organization_id, message.clock_now or session.clock.now())


@handlers.on(MemberChanged)
def keep_member(session: TenantSession, message: MemberChanged, _envelope: Envelope) -> None:
    """A member's copy."""
    copies.keep_customer(
        session,
        {
            "id": message.member_id,
            "kind": "member",
            "name": message.billing.name or message.display_name,
            "email": message.billing.email or message.email,
            "language": message.billing.language or message.language,
            "company_id": message.company_id,
            "location_id": message.location_id,
            "auto_collect": message.auto_collect,
            "status": message.status,
            "version": message.version,
        },
    )


@handlers.on(CompanyChanged)
def keep_company(session: TenantSession, message: CompanyChanged, _envelope: Envelope) -> None:
    """A company's copy."""
    copies.keep_customer(
        session,
        {
            "id": message.company_id,
            "kind": "company",
            "name": message.billing.name or message.display_name,
            "email": message.billing.email or message.email,
            "language": message.billing.language or message.language,
            "company_id": None,
            "location_id": message.location_id,
            "auto_collect": message.auto_collect,
            "status": message.status,
            "version": message.version,
        },
    )


@handlers.on(LocationChanged)
def keep_location(session: TenantSession, message: LocationChanged, _envelope: Envelope) -> None:
    """A location's copy."""
    copies.keep_location(
        session,
        {
            "id": message.location_id,
            "name": message.display_name,
            "timezone": message.timezone,
            "version": message.version,
        },
    )


@handlers.on(BillingSettingsChanged)
def keep_settings(session: TenantSession, message: BillingSettingsChanged, _envelope: Envelope) -> None:
    """The settings' copy."""
    copies.keep_settings(
        session,
        {
            "automatic_collection": message.automatic_collection,
            "pay_now": message.pay_now,
            "retry_days": message.retry_days,
            "charge_hour": message.charge_hour,
            "version": message.version,
        },
    )


def _keep_invoice(session: TenantSession, message: InvoiceState, _envelope: Envelope) -> None:
    copies.keep_invoice(
        session,
        {
            "id": message.invoice_id,
            "number": message.number,
            "state": message.state,
            "customer": msgspec.to_builtins(message.customer),
            "location_id": message.location_id,
            "issue_date": message.issue_date,
            "due_date": message.due_date,
            "timezone": message.timezone,
            "currency": message.total.currency,
            "total_minor": message.total.amount_minor,
            "credited_minor": message.credited.amount_minor,
            "collect": message.collect,
            "collect_now": message.collect_now,
            "booking_ids": [str(value) for value in message.booking_ids],
            "checkout_id": message.checkout_id,
            "version": message.version,
        },
    )


for _type in (InvoiceIssued, InvoiceChanged, InvoicePaid, InvoiceVoided):
    handlers.on(_type)(_keep_invoice)


@handlers.on(CreditNoteIssued)
def give_back(session: TenantSession, message: CreditNoteIssued, _envelope: Envelope) -> None:
    """A credit note whose rest goes back to the customer (DOC-5)."""
    if message.refund.amount_minor > 0:
        refund_credit_note(session, message.invoice_id, message.credit_note_id, message.refund, message.reason)


@handlers.on(RefundRequested)
def give_surplus_back(session: TenantSession, message: RefundRequested, _envelope: Envelope) -> None:
    """Money that came after its invoice was void goes back (GH-2)."""
    refund_surplus(session, message.invoice_id, message.request_id, message.amount, message.reason)
