"""What bookings cost: one fee per booking, kept in step with the newest state of it (PRI-1, DOC-6).

Unbilled fees change with their booking; what was invoiced is credited and charged anew in one go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from babel.dates import format_date, format_time
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.clock import instant_to_wall, local_date
from common.db import TenantSession
from common.ids import new_id
from common.money import Money
from contracts.booking import BookingState
from invoicing.domain.grouping import payer
from invoicing.messages.publishes import plain
from invoicing.models import BookingCopy, Customer, Fee
from invoicing.services.amendments import line_of_fee, take_back
from invoicing.services.billing.context import load_context
from invoicing.services.billing.issuing import issue_invoices
from invoicing.services.billing.planning import fee_line
from invoicing.services.billing.specs import InvoiceSpec
from invoicing.services.customers import lock_customer, lock_customers, zone_of
from invoicing.services.drafts import take_off_draft
from invoicing.services.fees import store_fee
from invoicing.services.invoices import find_invoice
from invoicing.services.settings import billing_settings
from invoicing.services.wording import document_language, say

TAKES_PLACE = frozenset({"confirmed", "checked_in", "completed"})
NOT_YET = frozenset({"held", "tentative"})
# What of a booking stands on its fee, besides the charge itself.
_CHARGED = (
    "member_id", "company_id", "is_personal", "location_id", "resource_name", "timezone", "start", "end", "lines",
    "tax_percent", "taxes", "prices_include_tax", "revenue_account", "payment", "checkout_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charge:
    """What a booking costs now: its price, or what is owed for cancelling it."""

    source: str
    amount: Money


def charge_of(booking: BookingState) -> Charge | None:
    """The charge that follows from a booking's state; None for nothing. A booking to be paid before it is confirmed
    is charged while it is held (GH-2)."""
    if booking.status in TAKES_PLACE or (booking.status in NOT_YET and booking.payment == "now"):
        return Charge("booking", booking.price) if booking.price else None
    fee = booking.cancellation_fee
    if booking.status == "no_show" and fee is None:
        fee = booking.price
    return Charge("cancellation", fee) if fee and booking.status not in NOT_YET else None


def record_booking(session: TenantSession, booking: BookingState) -> None:
    """Keep the newest state of a booking and bring its fee in step with it; older and repeated ones change nothing."""
    _, payer_id = payer(booking.member_id, booking.company_id, is_personal=booking.is_personal)
    kind = "member" if payer_id == booking.member_id else "company"
    customer = lock_customers(session, [payer_id]).get(payer_id)
    if customer is None:
        known_customer(session, payer_id, kind)
        customer = lock_customer(session, payer_id)
    before = _known_state(session, booking.booking_id)
    if _keep(session, booking) and not _only_moved_on(session, before, booking, customer):
        reconcile(session, booking, customer)


def _known_state(session: TenantSession, booking_id: UUID) -> BookingState | None:
    state = session.scalar(select(BookingCopy.state).where(BookingCopy.id == booking_id))
    return None if state is None else BookingState.decode(msgspec.json.encode(state))


def _only_moved_on(
    session: TenantSession, before: BookingState | None, booking: BookingState, customer: Customer
) -> bool:
    """Whether a booking came about, was attended or ended, at the same time for the same price: its fee stays as it
    is, and with it what somebody has agreed since (another price, a removal: DOC-6)."""
    if before is None or charge_of(booking) is None or charge_of(before) != charge_of(booking):
        return False
    fee = _fee_of(session, booking.booking_id)
    if fee is not None and fee.payer_id != customer.id:
        return False
    return all(getattr(before, name) == getattr(booking, name) for name in _CHARGED)


def known_customer(session: TenantSession, customer_id: UUID, kind: str) -> None:
    """Make room for a customer whose details have not arrived yet."""
    statement = insert(Customer).values(
        id=customer_id,
        organization_id=session.organization_id,
        version=0,
        kind=kind,
        name="",
        billing={},
        auto_collect=True,
        reminders=True,
        is_billing_person=False,
        status="active",
        bookings_blocked=False,
        standing_version=0,
    )
    session.execute(statement.on_conflict_do_nothing())


def _keep(session: TenantSession, booking: BookingState) -> bool:
    statement = insert(BookingCopy).values(
        id=booking.booking_id,
        organization_id=session.organization_id,
        version=booking.version,
        state=plain(booking),
        starts_at=booking.start,
    )
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={"version": new.version, "state": new.state, "starts_at": new.starts_at},
        where=BookingCopy.version < new.version,
    )
    return session.execute(statement.returning(BookingCopy.id)).first() is not None


def reconcile(session: TenantSession, booking: BookingState, customer: Customer) -> None:
    """Bring the fee of a locked customer's booking in step with the booking."""
    charge, fee = charge_of(booking), _fee_of(session, booking.booking_id)
    if fee is not None and fee.status == "waived":
        return
    if fee is not None and fee.payer_id != customer.id:
        lock_customer(session, fee.payer_id)
        _off_its_draft(session, fee)
        _drop(session, fee)
        fee = None
    if fee is not None and _awaits_its_payment(session, booking, fee):
        return
    values = _values(session, booking, charge, customer) if charge else None
    if fee is not None and fee.invoice_id is not None and (values is None or not _same(session, fee, values)):
        _off_its_draft(session, fee)
    if fee is not None and (values is None or (fee.status == "invoiced" and not _same(session, fee, values))):
        _drop(session, fee, refund=booking.paid_too_late)
        fee = None
    if values is None or (fee is not None and fee.status == "invoiced"):
        return
    fee = _store(session, fee, values)
    if booking.payment == "now" and fee.source == "booking":
        _invoice_now(session, customer, fee)
    else:
        store_fee(session, billing_settings(session), customer, fee)


def _off_its_draft(session: TenantSession, fee: Fee) -> None:
    """A draft is no document yet: what was planned on it follows its booking."""
    invoice = find_invoice(session, fee.invoice_id, lock=True) if fee.invoice_id else None
    if invoice is not None and invoice.state == "draft":
        take_off_draft(session, invoice, fee)


def _fee_of(session: TenantSession, booking_id: UUID) -> Fee | None:
    statement = select(Fee).where(
        Fee.source_id == booking_id,
        Fee.source.in_(("booking", "cancellation")),
        Fee.status.in_(("unbilled", "invoiced", "waived")),
    )
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _awaits_its_payment(session: TenantSession, booking: BookingState, fee: Fee) -> bool:
    """Whether a hold ran out while its payment was made: booking hears of the payment and then either revives the
    booking or says that it was paid too late. Until then nothing is taken back."""
    if booking.status != "expired" or booking.paid_too_late or fee.invoice_id is None:
        return False
    invoice = find_invoice(session, fee.invoice_id)
    return bool(invoice.paid_minor or invoice.processing_minor)


def settle_expired(session: TenantSession, booking_ids: Iterable[UUID]) -> None:
    """After a payment of these bookings changed: what it held open of an expired one is taken back if it failed."""
    statement = select(BookingCopy).where(BookingCopy.id.in_(list(booking_ids)))
    expired = statement.where(BookingCopy.state["status"].astext == "expired").order_by(BookingCopy.id)
    for copy in session.scalars(expired.execution_options(populate_existing=True)).all():
        booking = BookingState.decode(msgspec.json.encode(copy.state))
        _, payer_id = payer(booking.member_id, booking.company_id, is_personal=booking.is_personal)
        reconcile(session, booking, lock_customer(session, payer_id))


def _drop(session: TenantSession, fee: Fee, *, refund: bool = False) -> None:
    if fee.status == "invoiced":
        take_back(session, fee, "booking changed", refund=refund)
    else:
        fee.status, fee.issue_on, fee.run_at = "removed", None, None
        fee.touch()
    session.flush()


def _values(session: TenantSession, booking: BookingState, charge: Charge, customer: Customer) -> dict[str, Any]:
    name = _name(session, booking, customer)
    language = customer.billing_language or session.organization.language
    return {
        "payer_id": customer.id,
        "member_id": booking.member_id,
        "company_id": booking.company_id,
        "is_personal": booking.is_personal,
        "location_id": booking.location_id,
        "source": charge.source,
        "source_id": booking.booking_id,
        "name": name if charge.source == "booking" else say(language, "cancellation", name),
        "details": plain(booking.lines) if charge.source == "booking" else [],
        "currency": charge.amount.currency,
        "price_minor": charge.amount.amount_minor,
        "amount_minor": charge.amount.amount_minor,
        "tax_percent": booking.tax_percent,
        "listed_taxes": plain(booking.taxes) or None,
        "prices_include_tax": booking.prices_include_tax,
        "revenue_account": booking.revenue_account,
        "dated": local_date(booking.start, booking.timezone),
        "checkout_id": booking.checkout_id,
    }


def _name(session: TenantSession, booking: BookingState, customer: Customer) -> str:
    """``Blue Room, 15 Feb 2027, 09:00–12:00`` in local time and the customer's language."""
    language = document_language(customer.billing_language or session.organization.language)
    start, end = (instant_to_wall(at, booking.timezone) for at in (booking.start, booking.end))
    day = format_date(start.date(), "d MMM y", locale=language)
    if start.date() != end.date():
        until = f"{format_date(end.date(), 'd MMM y', locale=language)}, {format_time(end, 'HH:mm', locale=language)}"
    else:
        until = format_time(end, "HH:mm", locale=language)
    return f"{booking.resource_name}, {day}, {format_time(start, 'HH:mm', locale=language)}–{until}"


def _same(session: TenantSession, fee: Fee, values: dict[str, Any]) -> bool:
    """Whether an invoiced fee already charges this."""
    line = line_of_fee(session, fee)
    return line is not None and fee.source == values["source"] and line.amount_minor == values["amount_minor"]


def _store(session: TenantSession, fee: Fee | None, values: dict[str, Any]) -> Fee:
    if fee is None:
        today = local_date(session.now(), zone_of(session, values["location_id"]))
        fee = Fee(id=new_id(), status="unbilled", created_on=today, created_at=session.now(), **values)
        session.add(fee)
    else:
        for name, value in values.items():
            setattr(fee, name, value)
        fee.touch()
    session.flush()
    return fee


def _invoice_now(session: TenantSession, customer: Customer, fee: Fee) -> None:
    """A booking that is to be paid at once gets its own invoice at once (GH-2)."""
    context = load_context(session)
    spec = InvoiceSpec(
        customer,
        context.today(fee.location_id),
        fee.location_id,
        fee.currency,
        [fee_line(context, customer, fee)],
        collect_now=True,
        checkout_id=fee.checkout_id,
    )
    issue_invoices(session, context, [spec])
    session.expire(fee)
