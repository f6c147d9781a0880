"""What invoicing listens to: who is who, what is on sale, bookings, and money that moved."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts import booking, catalog, members, payments
from contracts.identity import keep_identity_copies
from contracts.subscriptions import BOOKINGS, MONEY
from invoicing.messages.publishes import plain
from invoicing.models import Customer, Location, Plan, PromoCode
from invoicing.services.bookings import record_booking, settle_expired
from invoicing.services.customers import lock_customer
from invoicing.services.failed_refunds import record_failed_refund
from invoicing.services.payments import record_payment
from invoicing.services.scheduling import reschedule_customer
from invoicing.services.settings import attend_to_open_invoices, billing_settings
from invoicing.services.zone_changes import move_to_zone

handlers = Handlers()
keep_identity_copies(handlers)


def _upsert(session: TenantSession, model: Any, values: dict[str, Any], first: dict[str, Any] | None = None) -> bool:
    """Keep a newer state of a copy; tells whether it was newer. ``first`` are values of a new row only."""
    statement = insert(model).values(organization_id=session.organization_id, **values, **(first or {}))
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new[name] for name in values if name != "id"},
        where=model.version < new.version,
    )
    return session.execute(statement.returning(model.id)).first() is not None


@handlers.on(members.MemberChanged)
def member_changed(session: TenantSession, message: members.MemberChanged, _envelope: Envelope) -> None:
    """Keep a member as a customer."""
    own = {
        "company_id": message.company_id,
        "is_billing_person": message.is_billing_person,
    }
    _keep_customer(session, message, message.member_id, "member", own)


@handlers.on(members.CompanyChanged)
def company_changed(session: TenantSession, message: members.CompanyChanged, _envelope: Envelope) -> None:
    """Keep a company as a customer."""
    _keep_customer(session, message, message.company_id, "company", {"is_billing_person": False})


def _keep_customer(
    session: TenantSession,
    message: members.MemberChanged | members.CompanyChanged,
    customer_id: Any,
    kind: str,
    own: dict[str, Any],
) -> None:
    columns = select(Customer.billing_day, Customer.reminders).where(Customer.id == customer_id)
    before = session.execute(columns).one_or_none()
    values = {
        "id": customer_id,
        "kind": kind,
        "name": message.display_name,
        "email": message.email,
        "location_id": message.location_id,
        "billing": plain(message.billing),
        "billing_day": message.billing_day,
        "auto_collect": message.auto_collect,
        "reminders": message.reminders,
        "language": message.language,
        "status": message.status,
        "version": message.version,
        **own,
    }
    kept = _upsert(session, Customer, values, {"bookings_blocked": False, "standing_version": 0})
    if kept and before is not None and message.reminders != before.reminders:
        attend_to_open_invoices(session, customer_id)
    if kept and message.billing_day != (before and before.billing_day):
        customer = lock_customer(session, customer_id)
        reschedule_customer(session, billing_settings(session), customer)


@handlers.on(catalog.LocationChanged)
def location_changed(session: TenantSession, message: catalog.LocationChanged, _envelope: Envelope) -> None:
    """Keep a location; when its zone is another, what is planned there moves with it."""
    zone_before = session.scalar(select(Location.timezone).where(Location.id == message.location_id))
    kept = _upsert(
        session,
        Location,
        {
            "id": message.location_id,
            "name": message.display_name,
            "code": message.code,
            "timezone": message.timezone,
            "address": message.address,
            "tax_percent": message.tax_percent,
            "taxes": plain(message.taxes) or None,
            "archived": message.archived,
            "version": message.version,
        },
    )
    if kept and message.timezone != (zone_before or session.organization.timezone):
        move_to_zone(session, message.location_id, message.timezone)


_PLAN_FIELDS = (
    "kind", "interval", "interval_count", "prorate", "trial_days", "minimum_term_months", "notice_days",
    "credits_hours", "credits_carry_over_cap", "passes", "allowance_valid_days", "resource_discount_percent",
    "tax_percent", "tax_category", "prices_include_tax", "revenue_account", "visibility", "archived", "version",
)  # fmt: skip


@handlers.on(catalog.PlanChanged)
def plan_changed(session: TenantSession, message: catalog.PlanChanged, _envelope: Envelope) -> None:
    """Keep a plan; memberships and fees made from it keep the terms they were made with."""
    values = {name: getattr(message, name) for name in _PLAN_FIELDS}
    values |= {
        "id": message.plan_id,
        "name": message.display_name,
        "currency": message.price.currency,
        "price_minor": message.price.amount_minor,
        "taxes": plain(message.taxes) or None,
        "setup_fee_minor": message.setup_fee.amount_minor if message.setup_fee else None,
        "deposit_minor": message.deposit.amount_minor if message.deposit else None,
    }
    _upsert(session, Plan, values)


@handlers.on(catalog.PromoCodeChanged)
def promo_code_changed(session: TenantSession, message: catalog.PromoCodeChanged, _envelope: Envelope) -> None:
    """Keep a promo code, in capitals."""
    names = (
        "percent",
        "scope",
        "max_uses",
        "max_uses_per_customer",
        "valid_from",
        "valid_until",
        "archived",
        "version",
    )
    values = {name: getattr(message, name) for name in names}
    values |= {
        "id": message.promo_code_id,
        "code": message.code.upper(),
        "amount_minor": message.amount.amount_minor if message.amount else None,
        "currency": message.amount.currency if message.amount else None,
    }
    _upsert(session, PromoCode, values)


def booking_changed(session: TenantSession, message: booking.BookingState, _envelope: Envelope) -> None:
    """Bring a booking's fee in step with it."""
    record_booking(session, message)


def payment_changed(session: TenantSession, message: payments.PaymentState, _envelope: Envelope) -> None:
    """Work out what an invoice has been paid, and what becomes of the bookings that waited for it."""
    if isinstance(message, payments.PaymentRefundFailed):
        record_failed_refund(session, message)
    else:
        record_payment(session, message)
    if message.booking_ids:
        settle_expired(session, message.booking_ids)


# One function for all messages that carry the same state.
for _booking in BOOKINGS:
    handlers.on(_booking)(cast(Any, booking_changed))
for _payment in MONEY:
    handlers.on(_payment)(cast(Any, payment_changed))
