"""Fees: one-off items a customer owes until a run invoices them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.errors import ConflictError, FieldError, InvalidError, NotFoundError
from common.jobs import wake_scheduler
from common.money import Money
from invoicing.domain.document_states import check_not_locked
from invoicing.models import BillingSettings, Customer, Fee
from invoicing.services.currency import check_currency
from invoicing.services.customers import known_location, lock_customer, resolve_payer, zone_of
from invoicing.services.plan_purchases import follow_fee, open_purchase
from invoicing.services.plans import find_plan
from invoicing.services.promo_codes import give_back_uses, redeem
from invoicing.services.scheduling import schedule_fee
from invoicing.services.settings import billing_settings
from invoicing.services.taxes import spell_fee_taxes


def create_fee(
    session: TenantSession,
    *,
    member_id: UUID | None = None,
    company_id: UUID | None = None,
    location_id: UUID | None = None,
    plan_id: UUID | None = None,
    name: str | None = None,
    price: Money | None = None,
    dated: date | None = None,
    promo_code: str | None = None,
    give_when_paid: bool = False,
    **values: Any,
) -> Fee:
    """Charge a customer for something once: a one-off plan, or a ``name`` and ``price`` per unit.

    ``dated`` is today at the location unless given. ``give_when_paid``: the plan's passes and credits wait for the
    payment. Raises InvalidError, or ConflictError when the date is locked.
    """
    check_currency(session, price)
    known_location(session, location_id)
    payer = resolve_payer(session, member_id, company_id, is_personal=bool(values.get("is_personal")))
    settings = billing_settings(session)
    given = {k: v for k, v in values.items() if v is not None}
    terms = _terms(session, plan_id, name, price) | spell_fee_taxes(given)
    location_id = location_id or payer.customer.location_id
    today = local_date(session.now(), zone_of(session, location_id))
    fee = Fee(
        payer_id=payer.customer.id,
        member_id=payer.member_id,
        company_id=payer.company_id,
        location_id=location_id,
        plan_id=plan_id,
        dated=dated or today,
        created_on=today,
        status="unbilled",
        details=[],
        created_at=session.now(),
        **terms,
    )
    check_not_locked(fee.dated, settings.lock_date)
    session.add(fee)
    session.flush()
    if promo_code is not None:
        _use_promo_code(session, fee, promo_code)
    store_fee(session, settings, payer.customer, fee)
    if plan_id is not None:
        open_purchase(session, fee, when_paid=give_when_paid)
    return fee


def _terms(session: TenantSession, plan_id: UUID | None, name: str | None, price: Money | None) -> dict[str, Any]:
    if plan_id is None:
        if name is None or price is None:
            missing = "/name" if name is None else "/price"
            raise InvalidError(
                "fee_incomplete",
                "a fee needs a one-off plan, or a name and a price",
                errors=[FieldError(missing, "Missing data.")],
            )
        return {"source": "manual", "name": name, "price_minor": price.amount_minor, "currency": price.currency}
    plan = find_plan(session, plan_id)
    if plan.kind != "one_off":
        raise InvalidError("plan_not_one_off", "a fee needs a one-off plan; recurring plans become memberships")
    return {
        "source": "plan",
        "name": name or plan.name,
        "price_minor": plan.price_minor if price is None else price.amount_minor,
        "currency": plan.currency,
        "listed_taxes": plan.taxes,
        "tax_percent": plan.tax_percent,
        "tax_category": plan.tax_category,
        "prices_include_tax": plan.prices_include_tax,
        "revenue_account": plan.revenue_account,
    }


def _use_promo_code(session: TenantSession, fee: Fee, text: str) -> None:
    code = redeem(session, text, fee.payer_id, fee.id, plan_id=fee.plan_id, location_id=fee.location_id)
    fee.promo_code_id = code.id
    if code.percent is not None:
        fee.discount_percent = 100 - (100 - (fee.discount_percent or Decimal(0))) * (100 - code.percent) / 100
    elif code.amount_minor is not None:
        fee.discount_minor = code.amount_minor


def store_fee(session: TenantSession, settings: BillingSettings, customer: Customer, fee: Fee) -> None:
    """Plan a new or changed fee and wake the scheduler."""
    schedule_fee(session, settings, customer, fee)
    session.flush()
    wake_scheduler(session)


def find_fee(session: TenantSession, fee_id: UUID, *, lock: bool = False) -> Fee:
    """A fee by id; ``lock`` takes its payer's lock first. Raises NotFoundError."""
    statement = select(Fee).where(Fee.id == fee_id)
    fee = session.scalars(statement).one_or_none()
    if fee is None:
        raise NotFoundError("fee_not_found", "there is no such fee")
    if lock:
        lock_customer(session, fee.payer_id)
        fee = session.scalars(statement.with_for_update()).one()
    return fee


def change_fee(session: TenantSession, fee: Fee, **values: Any) -> Fee:
    """Change a locked fee that is not invoiced yet. Raises ConflictError otherwise (amend it instead: DOC-6)."""
    _check_unbilled(fee)
    settings = billing_settings(session)
    price = values.pop("price", None)
    check_currency(session, price)
    if price is not None:
        values["price_minor"] = price.amount_minor
    if "location_id" in values:
        known_location(session, values["location_id"])
    check_not_locked(fee.dated, settings.lock_date)
    for name, value in spell_fee_taxes(values, fee).items():
        setattr(fee, name, value)
    check_not_locked(fee.dated, settings.lock_date)
    fee.touch()
    store_fee(session, settings, session.get_one(Customer, fee.payer_id), fee)
    follow_fee(session, fee)
    return fee


def drop_fee(session: TenantSession, fee: Fee, status: str = "removed", reason: str | None = None) -> Fee:
    """Remove or waive a locked fee that is not invoiced yet; its promo code may be used again. Raises ConflictError."""
    _check_unbilled(fee)
    settings = billing_settings(session)
    check_not_locked(fee.dated, settings.lock_date)
    fee.status, fee.reason = status, reason
    if fee.promo_code_id is not None:
        give_back_uses(session, [fee.id])
    fee.touch()
    store_fee(session, settings, session.get_one(Customer, fee.payer_id), fee)
    follow_fee(session, fee)
    return fee


def _check_unbilled(fee: Fee) -> None:
    if fee.status != "unbilled":
        raise ConflictError("fee_not_open", f"this fee is {fee.status}; amend it instead")
