"""What booking listens to: copies of what is on sale and who buys it, and money that confirms bookings."""

from __future__ import annotations

from sqlalchemy import select

from booking.models import Membership, PlanPurchase, Resource
from booking.services import copies, grants, lifecycle, purchases, relinking
from common.db import TenantSession
from common.jobs import wake_scheduler
from common.messaging import Envelope, Handlers
from contracts.catalog import LocationChanged, PlanChanged, PromoCodeChanged, ResourceChanged, ResourceRateChanged
from contracts.identity import keep_identity_copies
from contracts.invoicing import (
    BillingSettingsChanged,
    CustomerStandingChanged,
    InvoicePaid,
    MembershipChanged,
    PlanPurchaseChanged,
)
from contracts.members import CompanyChanged, MemberChanged

handlers = Handlers()
keep_identity_copies(handlers)


@handlers.on(LocationChanged)
def location_changed(session: TenantSession, message: LocationChanged, _envelope: Envelope) -> None:
    """Keep the location."""
    copies.keep_location(session, message)


@handlers.on(ResourceChanged)
def resource_changed(session: TenantSession, message: ResourceChanged, _envelope: Envelope) -> None:
    """Keep the resource; what is booked above it takes it, too, and nothing else does."""
    if copies.keep_resource(session, message):
        statement = select(Resource).where(Resource.id == message.resource_id)
        resource = session.scalars(statement.execution_options(populate_existing=True)).one()
        relinking.free_what_is_unlinked(session, resource)
        relinking.take_what_is_linked(session, resource)


@handlers.on(ResourceRateChanged)
def rate_changed(session: TenantSession, message: ResourceRateChanged, _envelope: Envelope) -> None:
    """Keep the rate."""
    copies.keep_rate(session, message)


@handlers.on(PlanChanged)
def plan_changed(session: TenantSession, message: PlanChanged, _envelope: Envelope) -> None:
    """Keep the plan."""
    copies.keep_plan(session, message)


@handlers.on(PromoCodeChanged)
def promo_code_changed(session: TenantSession, message: PromoCodeChanged, _envelope: Envelope) -> None:
    """Keep the promo code."""
    copies.keep_promo_code(session, message)


@handlers.on(MemberChanged)
def member_changed(session: TenantSession, message: MemberChanged, _envelope: Envelope) -> None:
    """Keep the member."""
    copies.keep_member(session, message)


@handlers.on(CompanyChanged)
def company_changed(session: TenantSession, message: CompanyChanged, _envelope: Envelope) -> None:
    """Keep the company."""
    copies.keep_company(session, message)


@handlers.on(MembershipChanged)
def membership_changed(session: TenantSession, message: MembershipChanged, _envelope: Envelope) -> None:
    """Keep the membership, and fit the credits it grants."""
    if copies.keep_membership(session, message):
        statement = select(Membership).where(Membership.id == message.membership_id)
        membership = session.scalars(statement.execution_options(populate_existing=True)).one()
        grants.plan_grants(session, membership)
        wake_scheduler(session)


@handlers.on(PlanPurchaseChanged)
def plan_purchase_changed(session: TenantSession, message: PlanPurchaseChanged, _envelope: Envelope) -> None:
    """Keep the purchase, and fit the credits and passes it gives."""
    if copies.keep_plan_purchase(session, message):
        statement = select(PlanPurchase).where(PlanPurchase.id == message.purchase_id)
        purchase = session.scalars(statement.execution_options(populate_existing=True)).one()
        purchases.follow_purchase(session, purchase)
        wake_scheduler(session)


@handlers.on(InvoicePaid)
def invoice_paid(session: TenantSession, message: InvoicePaid, _envelope: Envelope) -> None:
    """Confirm what was held for the payment."""
    if message.booking_ids:
        lifecycle.confirm_paid(session, message.booking_ids)


@handlers.on(BillingSettingsChanged)
def billing_settings_changed(session: TenantSession, message: BillingSettingsChanged, _envelope: Envelope) -> None:
    """Keep the settings."""
    copies.keep_billing_settings(session, message)


@handlers.on(CustomerStandingChanged)
def standing_changed(session: TenantSession, message: CustomerStandingChanged, _envelope: Envelope) -> None:
    """Keep whether bookings are blocked."""
    copies.keep_standing(session, message)
