"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from common.money import Money
from contracts.invoicing import (
    BillingSettingsChanged,
    CreditNoteIssued,
    CustomerStandingChanged,
    DepositChanged,
    InvoiceState,
    MembershipChanged,
    PlanPurchaseChanged,
)
from contracts.parts import Customer as CustomerPart
from contracts.parts import InvoiceLineSummary, Pause, Period
from invoicing.models import (
    BillingSettings,
    CreditNote,
    Customer,
    Deposit,
    Invoice,
    InvoiceLine,
    Membership,
    PlanPurchase,
)


def billing_settings_changed(settings: BillingSettings) -> BillingSettingsChanged:
    """The billing settings as others need them."""
    return BillingSettingsChanged(
        automatic_generation=settings.automatic_generation,
        automatic_sending=settings.automatic_sending,
        automatic_collection=settings.automatic_collection,
        pay_now=settings.pay_now,
        payment_terms_days=settings.payment_terms_days,
        tax_percent=settings.tax_percent,
        prices_include_tax=settings.prices_include_tax,
        retry_days=settings.retry_days,
        reminders=settings.reminders,
        block_bookings_after_days=settings.block_bookings_after_days,
        charge_hour=settings.charge_hour,
        version=settings.version,
    )


def membership_changed(membership: Membership, status: str) -> MembershipChanged:
    """The whole public state of a membership; ``status`` is as of today."""
    return MembershipChanged(
        membership_id=membership.id,
        plan_id=membership.plan_id,
        plan_name=membership.plan_name,
        member_id=membership.member_id,
        company_id=membership.company_id,
        location_id=membership.location_id,
        start_date=membership.start_date,
        end_date=membership.end_date,
        status=status,
        quantity=membership.quantity,
        price=membership.price,
        pauses=[
            Pause(start=pause.first_day, end=pause.last_day + timedelta(days=1) if pause.last_day else None)
            for pause in membership.pause_list
        ],
        billed_until=membership.billed_until,
        credits_hours=membership.credits_hours,
        credits_carry_over_cap=membership.credits_carry_over_cap,
        passes=membership.passes,
        resource_discount_percent=membership.resource_discount_percent,
        version=membership.version,
    )


def plan_purchase_changed(purchase: PlanPurchase) -> PlanPurchaseChanged:
    """What a bought one-off plan gives, for its whole quantity."""
    return PlanPurchaseChanged(
        purchase_id=purchase.id,
        plan_id=purchase.plan_id,
        plan_name=purchase.plan_name,
        member_id=purchase.member_id,
        company_id=purchase.company_id,
        location_id=purchase.location_id,
        purchased_on=purchase.purchased_on,
        quantity=purchase.quantity,
        passes=int(purchase.passes * purchase.quantity),
        credits_hours=purchase.credits_hours * purchase.quantity,
        expires_on=purchase.expires_on,
        status=purchase.status,
        version=purchase.version,
    )


def customer_part(invoice: Invoice | CreditNote) -> CustomerPart:
    """Who owes, as copied onto the document when it was issued."""
    return customer_from(invoice.customer, invoice.member_id, invoice.company_id)


def customer_from(snapshot: dict[str, Any], member_id: Any, company_id: Any) -> CustomerPart:
    """A document's customer from its snapshot."""
    return CustomerPart(
        member_id=member_id,
        company_id=company_id,
        name=snapshot["name"],
        email=snapshot.get("email"),
        language=snapshot.get("language"),
    )


def customer_of(customer: Customer) -> CustomerPart:
    """A customer as they are now."""
    return CustomerPart(
        member_id=customer.id if customer.kind == "member" else None,
        company_id=customer.id if customer.kind == "company" else None,
        name=customer.billing_name,
        email=customer.billing_email,
        language=customer.billing_language,
    )


def invoice_fields(invoice: Invoice) -> dict[str, Any]:
    """The fields of every message about an invoice; give them to the message's class with what it has besides."""
    return {
        "invoice_id": invoice.id,
        "number": invoice.number,
        "state": invoice.state,
        "payment_state": invoice.payment_state,
        "customer": customer_part(invoice),
        "location_id": invoice.location_id,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "timezone": invoice.timezone,
        "subtotal": invoice.subtotal,
        "tax_total": invoice.tax_total,
        "total": invoice.total,
        "paid": invoice.paid,
        "credited": invoice.credited,
        "payable": invoice.payable,
        "lines": [line_summary(line) for line in invoice.lines],
        "collect": invoice.collect,
        "collect_now": invoice.collect_now,
        "booking_ids": list(invoice.booking_ids),
        "checkout_id": invoice.checkout_id,
        "version": invoice.version,
    }


def line_summary(line: InvoiceLine) -> InvoiceLineSummary:
    """A line as mails show it."""
    period = None
    if line.period_start is not None and line.period_end is not None:
        period = Period(start=line.period_start, end=line.period_end)
    return InvoiceLineSummary(description=line.description, quantity=line.quantity, total=line.total, period=period)


def again(message: InvoiceState, kind: type[InvoiceState], **more: Any) -> InvoiceState:
    """The same state as another message (issued and at once paid)."""
    fields = {name: getattr(message, name) for name in InvoiceState.__struct_fields__}
    return kind(**{**fields, **more})


def credit_note_issued(note: CreditNote, invoice: Invoice, pdf: bytes = b"") -> CreditNoteIssued:
    """A credit note with what became of its amount."""
    return CreditNoteIssued(
        credit_note_id=note.id,
        number=note.number,
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        customer=customer_part(note),
        issue_date=note.issue_date,
        total=note.total,
        allocated=note.allocated,
        to_account_credit=note.to_account_credit,
        refund=note.refund,
        invoice_payable=invoice.payable,
        reason=note.reason,
        pdf=pdf,
        version=note.version,
    )


def deposit_changed(deposit: Deposit, customer: Customer) -> DepositChanged:
    """What is held of a deposit."""
    return DepositChanged(
        deposit_id=deposit.id,
        customer=customer_of(customer),
        state=deposit.state,
        held=Money(deposit.held_minor, deposit.currency),
        version=deposit.version,
    )


def customer_standing_changed(customer: Customer) -> CustomerStandingChanged:
    """Whether a customer is in arrears and may still book."""
    return CustomerStandingChanged(
        customer=customer_of(customer),
        overdue_since=customer.overdue_since,
        bookings_blocked=customer.bookings_blocked,
        version=customer.standing_version,
    )


def plain(value: Any) -> Any:
    """A message or part as JSON values."""
    return msgspec.to_builtins(value)
