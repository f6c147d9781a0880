"""From specs to rows, the canonical document and the message of an issued invoice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from common.ids import new_id
from common.money import Money
from contracts.invoicing import InvoiceIssued
from contracts.parts import InvoiceLineSummary
from contracts.parts import Period as PeriodPart
from invoicing.domain.taxes import Tax, Taxes
from invoicing.domain.totals import DocumentTotals, LineTotals
from invoicing.messages.publishes import customer_from
from invoicing.services.billing.context import BillingContext
from invoicing.services.billing.specs import InvoiceSpec, LineSpec
from invoicing.services.wording import document_language

Row = dict[str, Any]


def customer_snapshot(customer: Any) -> Row:
    """Who owes, as it stands on the document from now on."""
    billing = customer.billing
    return {
        "name": customer.billing_name,
        "email": customer.billing_email,
        "address": billing.get("address") or {},
        "vat_number": billing.get("vat_number"),
        "purchase_order": billing.get("purchase_order"),
        "language": customer.billing_language,
    }


# A logo is a picture and no statement: it would only swell every document in the chain.
_PROFILE = (
    "legal_name", "address", "vat_number", "tax_number", "registration_number", "email", "phone", "website", "bank",
    "invoice_footer",
)  # fmt: skip


def seller_snapshot(context: BillingContext, location_id: UUID | None) -> Row:
    """Who sells, as it stands on the document from now on."""
    organization = context.organization
    location = context.locations.get(location_id) if location_id else None
    return {
        "name": organization.name,
        "country": organization.country,
        "profile": {name: organization.profile[name] for name in _PROFILE if organization.profile.get(name)},
        "location": None if location is None else {"name": location.name, "address": location.address},
        "payment_instructions": context.settings.payment_instructions,
        "footer": context.settings.invoice_footer,
    }


def tax_values(taxes: Taxes, amounts: Sequence[int]) -> list[Row]:
    """A line's taxes as stored: each with its amount in minor units, in their order."""
    return [
        {**_tax_words(tax.category, tax.percent, tax.name, tax.reason), "amount_minor": amount}
        for tax, amount in zip(taxes, amounts, strict=True)
    ]


@lru_cache(maxsize=512)
def _tax_words(category: str, percent: Decimal, name: str, reason: str) -> Row:
    return {"category": category, "percent": format(percent, "f"), "name": name, "reason": reason}


def breakdown_values(rows: Iterable[tuple[Tax, Sequence[int]]]) -> list[Row]:
    """The tax table as stored, of (tax, (what bears it, the tax on it)) in minor units."""
    return [
        {**_tax_words(tax.category, tax.percent, tax.name, tax.reason), "taxable_minor": taxable, "tax_minor": amount}
        for tax, (taxable, amount) in rows
    ]


def discount_values(spec: InvoiceSpec) -> list[Row]:
    """The document's discounts as stored."""
    return [
        {
            "percent": None if each.percent is None else format(each.percent, "f"),
            "amount_minor": None if each.amount is None else each.amount.amount_minor,
            "tax_percent": None if each.tax_percent is None else format(each.tax_percent, "f"),
        }
        for each in spec.discounts
    ]


def invoice_row(context: BillingContext, spec: InvoiceSpec, credited_minor: int, run_id: UUID | None) -> Row:
    """The row of an invoice whose number is still to come; ``credited_minor`` of account credit is laid on it."""
    customer, settings, totals = spec.customer, context.settings, spec.totals
    is_member = customer.kind == "member"
    settled = totals.total_minor == credited_minor
    due = spec.issue_date if spec.collect_now else spec.issue_date + timedelta(days=settings.payment_terms_days)
    return {
        "id": spec.invoice_id or new_id(),
        "organization_id": context.organization.id,
        "version": 2 if settled else 1,
        "number": None,
        "state": "paid" if settled else "open",
        "payment_state": "paid" if settled else "partially_paid" if credited_minor else "unpaid",
        "payer_id": customer.id,
        "member_id": customer.id if is_member else None,
        "company_id": None if is_member else customer.id,
        "customer": customer_snapshot(customer),
        "location_id": spec.location_id,
        "timezone": context.zone(spec.location_id),
        "language": document_language(customer.billing_language or context.organization.language),
        "currency": spec.currency,
        "issue_date": spec.issue_date,
        "due_date": spec.due_date or due,
        "note": spec.note,
        "discounts": discount_values(spec),
        "discount_total_minor": totals.discount_total_minor,
        "subtotal_minor": totals.subtotal_minor,
        "tax_breakdown": breakdown_values(totals.taxes.items()),
        "tax_total_minor": totals.tax_total_minor,
        "total_minor": totals.total_minor,
        "paid_minor": 0,
        "credited_minor": credited_minor,
        "payable_minor": totals.total_minor - credited_minor,
        "processing_minor": 0,
        "refunded_minor": 0,
        "collect": settings.automatic_collection and customer.auto_collect,
        "collect_now": spec.collect_now,
        "booking_ids": spec.booking_ids,
        "checkout_id": spec.checkout_id,
        "billing_run_id": run_id,
        "send_at": context.now if settings.automatic_sending else None,
        "sendings": 0,
        "dunning_at": None,
        "reminded": [],
        "overdue_announced": False,
        "late_fees": 0,
        "paid_at": context.now if settled else None,
        "issued_at": context.now,
        "created_at": context.now,
    }


def line_rows(spec: InvoiceSpec, invoice: Row) -> list[Row]:
    """The rows of an invoice's lines."""
    organization_id, invoice_id = invoice["organization_id"], invoice["id"]
    return [
        _line_row(line, totals, position, organization_id, invoice_id)
        for position, (line, totals) in enumerate(zip(spec.lines, spec.totals.lines, strict=True), start=1)
    ]


def _line_row(line: LineSpec, totals: LineTotals, position: int, organization_id: UUID, invoice_id: UUID) -> Row:
    given, period = line.input, line.period
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "invoice_id": invoice_id,
        "position": position,
        "kind": line.kind,
        "description": line.description,
        "explain": line.explain,
        "details": list(line.details),
        "membership_id": line.membership_id,
        "fee_id": line.fee_id,
        "booking_id": line.booking_id,
        "plan_id": line.plan_id,
        "location_id": line.location_id,
        "revenue_account": line.revenue_account,
        "period_start": period.start if period else None,
        "period_end": period.end if period else None,
        "quantity": given.quantity,
        "currency": totals.currency,
        "unit_price_minor": given.unit_price.amount_minor,
        "discount_percent": given.discount_percent,
        "amount_minor": totals.amount_minor,
        "discount_minor": totals.discount_minor,
        "net_minor": totals.net_minor,
        "tax_minor": totals.tax_minor,
        "total_minor": totals.total_minor,
        "taxes": tax_values(given.taxes, totals.tax_minors),
        "prices_include_tax": given.prices_include_tax,
        "used_days": line.used_days,
        "full_days": line.full_days,
        "charged_days": line.used_days,
        "is_refundable": line.is_refundable,
        "credited_net_minor": 0,
        "credited_taxes": [0] * len(given.taxes),
        "released": False,
    }


def invoice_issued(invoice: Row, lines: Sequence[Row], totals: DocumentTotals) -> InvoiceIssued:
    """The message about an invoice just issued."""
    currency = invoice["currency"]
    return InvoiceIssued(
        invoice_id=invoice["id"],
        number=invoice["number"],
        state=invoice["state"],
        payment_state=invoice["payment_state"],
        customer=customer_from(invoice["customer"], invoice["member_id"], invoice["company_id"]),
        location_id=invoice["location_id"],
        issue_date=invoice["issue_date"],
        due_date=invoice["due_date"],
        timezone=invoice["timezone"],
        subtotal=totals.subtotal,
        tax_total=totals.tax_total,
        total=totals.total,
        paid=Money(0, currency),
        credited=Money(invoice["credited_minor"], currency),
        payable=Money(invoice["payable_minor"], currency),
        lines=[_summary(line, currency) for line in lines],
        collect=invoice["collect"],
        collect_now=invoice["collect_now"],
        booking_ids=invoice["booking_ids"],
        checkout_id=invoice["checkout_id"],
        version=1,
    )


def _summary(line: Row, currency: str) -> InvoiceLineSummary:
    start: date | None = line["period_start"]
    return InvoiceLineSummary(
        description=line["description"],
        quantity=line["quantity"],
        total=Money(line["total_minor"], currency),
        period=None if start is None else PeriodPart(start=start, end=line["period_end"]),
    )
