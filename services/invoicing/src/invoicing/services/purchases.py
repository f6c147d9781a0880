"""Buying several things at once: plans become memberships, one-off plans and named items become fees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.clock import local_date
from common.db import TenantSession
from common.errors import InvalidError
from common.money import Money
from invoicing.models import Customer, Fee, Invoice, Membership
from invoicing.services.billing.context import load_context
from invoicing.services.billing.issuing import issue_invoices
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.specs import InvoiceSpec
from invoicing.services.customers import resolve_payer, zone_of
from invoicing.services.fees import create_fee
from invoicing.services.invoices import find_invoice
from invoicing.services.memberships import create_membership
from invoicing.services.plans import find_plan
from invoicing.services.promo_codes import first_fit


@dataclass(frozen=True, slots=True)
class Item:
    """A thing to buy: a plan, or a name and a price."""

    plan_id: UUID | None = None
    name: str | None = None
    price: Money | None = None
    quantity: Decimal = Decimal(1)
    start_date: date | None = None
    tax_percent: Decimal | None = None
    taxes: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a purchase made; ``invoice`` is None when it waits for the next run."""

    memberships: list[Membership]
    fees: list[Fee]
    invoice: Invoice | None


def buy(
    session: TenantSession,
    *,
    items: list[Item],
    pay: str,
    member_id: UUID | None = None,
    company_id: UUID | None = None,
    location_id: UUID | None = None,
    promo_code: str | None = None,
    checkout_id: UUID | None = None,
    is_personal: bool = False,
) -> Purchase:
    """Buy items for a customer. ``pay`` now: one invoice at once, collected at once; on_invoice: with the next run.

    ``is_personal``: the member's company does not pay. Raises InvalidError for what does not fit; all or nothing.
    """
    payer = resolve_payer(session, member_id, company_id, is_personal=is_personal)
    location_id = location_id or payer.customer.location_id
    today = local_date(session.now(), zone_of(session, location_id))
    who: dict[str, Any] = {"member_id": member_id, "company_id": company_id, "location_id": location_id}
    if is_personal:
        who["is_personal"] = True
    memberships: list[Membership] = []
    fees: list[Fee] = []
    discounted = -1 if promo_code is None else first_fit(session, promo_code, [i.plan_id for i in items], location_id)
    for position, item in enumerate(items):
        # A promo code is used once, by the first item that it is for.
        code = promo_code if position == discounted else None
        if item.plan_id is not None and find_plan(session, item.plan_id).kind == "recurring":
            start = item.start_date or today
            terms: dict[str, Any] = {"plan_id": item.plan_id, "start_date": start, "quantity": item.quantity}
            memberships.append(create_membership(session, **who, **terms, promo_code=code))
        else:
            fees.append(_fee(session, who, item, code, checkout_id, in_advance=pay == "now"))
    if pay != "now":
        return Purchase(memberships, fees, None)
    session.flush()
    return _invoiced(session, payer.customer, memberships, fees, checkout_id, today)


def _fee(
    session: TenantSession,
    who: dict[str, Any],
    item: Item,
    promo_code: str | None,
    checkout_id: UUID | None,
    *,
    in_advance: bool,
) -> Fee:
    return create_fee(
        session,
        **who,
        plan_id=item.plan_id,
        name=item.name,
        price=item.price,
        quantity=item.quantity,
        tax_percent=item.tax_percent,
        taxes=item.taxes,
        promo_code=promo_code,
        checkout_id=checkout_id,
        bill_in_advance=in_advance,
        give_when_paid=in_advance,
    )


def _invoiced(
    session: TenantSession,
    customer: Customer,
    memberships: list[Membership],
    fees: list[Fee],
    checkout_id: UUID | None,
    today: date,
) -> Purchase:
    """One invoice of today for exactly these items; a membership's first period is paid when it is bought."""
    context = load_context(session)
    spec = InvoiceSpec(
        customer, today, customer.location_id, context.currency, collect_now=True, checkout_id=checkout_id
    )
    for planned in _planned(session, customer, memberships, fees, today):
        spec.lines += planned.lines
    if not spec.lines:
        raise InvalidError("nothing_to_invoice", "nothing of this purchase is to be paid now")
    (row,) = issue_invoices(session, context, [spec])
    session.expire_all()
    return Purchase(memberships, fees, find_invoice(session, row["id"]))


def _planned(
    session: TenantSession, customer: Customer, memberships: list[Membership], fees: list[Fee], today: date
) -> list[InvoiceSpec]:
    context = load_context(session)
    specs = plan_customer(context, customer, (), fees, CutOff(today, together_on=today))
    for membership in memberships:
        # Bought now, paid now: the first invoice does not wait for the start, but for the end of a trial (PRO-7).
        day = today if membership.trial_days else max(membership.issue_on or today, today)
        specs += plan_customer(context, customer, [membership], (), CutOff(day))
    return specs
