"""Who may see and do what (ACC-1), and what several routes share."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import current_app, request
from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import object_session

from common.auth import Principal, Role, current_principal
from common.errors import ForbiddenError, NotFoundError, UnavailableError
from common.http.idempotency import REPLAYED_HEADER, idempotency_key
from common.ids import new_id
from payments.models import Customer, Gateway, Invoice, Payment, PaymentMethod
from payments.services.methods import Owner
from payments.services.providers import Providers

EVERYBODY = tuple(Role)
CASHIERS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)
MANAGERS = (Role.OWNER, Role.ADMIN)


def providers() -> Providers:
    """The way to providers, as the service's set-up made it."""
    found: Providers = current_app.extensions["providers"]
    return found


def publishable_key(payment: Payment) -> str | None:
    """The public half of the account's keys while its member must act: the provider's script needs it."""
    session = object_session(payment)
    if payment.state != "action_required" or payment.provider != "stripe" or session is None:
        return None
    gateway = session.get(Gateway, payment.gateway_id)
    try:
        return providers().vault.open(gateway.credentials).get("publishable_key") if gateway else None
    except UnavailableError:
        # Sealed with a secret that is gone: what happened to the payment is shown all the same.
        return None


def request_key() -> str:
    """The Idempotency-Key in the scope of caller and route; a fresh one when none was sent."""
    key = idempotency_key()
    if key is None:
        return new_id().hex
    principal = current_principal()
    return hashlib.sha256(f"{principal.subject}\n{request.method} {request.path}\n{key}".encode()).hexdigest()


def request_fingerprint() -> str:
    """What tells another body under the same key apart."""
    return hashlib.sha256(request.get_data()).hexdigest()


def replayed(answer: Any) -> Any:
    """What an earlier request with the same key led to, as it stands now: nothing was changed by asking again."""
    return answer, {REPLAYED_HEADER: "true"}


def companies_of(principal: Principal, *, billing: bool = True) -> UUID | None:
    """The company whose money a member may see."""
    if principal.company_id is None or (billing and not principal.is_billing_person):
        return None
    return principal.company_id


def owned_by(principal: Principal, model: Any) -> ColumnElement[bool]:
    """The filter on rows that the caller may see: a member's own, and their company's for its billing person.

    Staff see all, or what belongs to their locations; a payment method belongs where its customer does.
    """
    if principal.is_staff:
        return at_locations(principal, model) if hasattr(model, "location_id") else of_customers(principal, model)
    mine = model.member_id == principal.member_id if principal.member_id else false()
    company = companies_of(principal)
    return mine if company is None else or_(mine, model.company_id == company)


def at_locations(principal: Principal, model: Any) -> ColumnElement[bool]:
    """The filter of staff who work at some locations only."""
    if principal.location_ids is None:
        return true()
    condition: ColumnElement[bool] = model.location_id.in_(principal.location_ids)
    return condition


def of_customers(principal: Principal, model: Any) -> ColumnElement[bool]:
    """The filter on what customers own: those of the caller's locations, and those of none."""
    if principal.location_ids is None:
        return true()
    elsewhere = select(Customer.id).where(Customer.location_id.not_in(principal.location_ids))
    condition: ColumnElement[bool] = model.owner_id.not_in(elsewhere)
    return condition


def permit_customer(principal: Principal, customer: Customer | None, code: str) -> None:
    """Raise NotFoundError for a customer of a location at which the caller does not work."""
    location_id = customer.location_id if customer and principal.is_staff else None
    if location_id is not None and not works_at(principal, location_id):
        raise NotFoundError(code, "there is no such thing")


def gateways_in_reach(principal: Principal) -> ColumnElement[bool]:
    """The filter on gateways: those of the caller's locations, and those for all."""
    if principal.location_ids is None:
        return true()
    return or_(Gateway.location_id.is_(None), Gateway.location_id.in_(principal.location_ids))


def own_gateways(principal: Principal, gateway_id: Any) -> ColumnElement[bool]:
    """The filter on payouts: all that a gateway pays out, so for staff of some locations those of these alone."""
    if principal.location_ids is None:
        return true()
    mine = select(Gateway.id).where(Gateway.location_id.in_(principal.location_ids))
    condition: ColumnElement[bool] = gateway_id.in_(mine)
    return condition


def permit_gateway(principal: Principal, gateway: Gateway) -> None:
    """Raise NotFoundError for the gateway of a location at which the caller does not work."""
    if gateway.location_id is not None and not works_at(principal, gateway.location_id):
        raise NotFoundError("gateway_not_found", "there is no such payment gateway")


def permit_reach(principal: Principal, location_id: UUID | None) -> None:
    """Raise ForbiddenError unless what is about this location (None: all of them) is within the caller's reach."""
    if not works_at(principal, location_id):
        raise ForbiddenError("location_not_in_scope", "you do not work at every location that this is about")


def works_at(principal: Principal, location_id: UUID | None) -> bool:
    """Whether a row of this location is within the caller's reach."""
    return principal.location_ids is None or location_id in principal.location_ids


def may_see(principal: Principal, member_id: UUID | None, company_id: UUID | None) -> bool:
    """Whether a row of these owners is the caller's to see."""
    if principal.is_staff or (member_id is not None and member_id == principal.member_id):
        return True
    return company_id is not None and company_id == companies_of(principal)


def permit_row(principal: Principal, row: Any, code: str) -> None:
    """Raise NotFoundError for what is not the caller's."""
    here = works_at(principal, row.location_id) if hasattr(row, "location_id") else True
    if not here or not may_see(principal, row.member_id, row.company_id):
        raise NotFoundError(code, "there is no such thing")
    if isinstance(row, PaymentMethod):
        permit_customer(principal, row.owner, code)


def permit_invoice(principal: Principal, invoice: Invoice, *, pay_now: bool) -> None:
    """Members pay their own with Pay Now on or in a checkout. Raises NotFoundError, ForbiddenError ``pay_now_off``."""
    ids = {name: UUID(invoice.customer[name]) if invoice.customer.get(name) else None for name in _OWNERS}
    here = works_at(principal, invoice.location_id)
    if not here or not may_see(principal, ids["member_id"], ids["company_id"]):
        raise NotFoundError("invoice_not_found", "there is no such invoice")
    if not principal.is_staff and not pay_now and invoice.checkout_id is None:
        raise ForbiddenError("pay_now_off", "this space does not take payments in the Member Portal")


def permit_method(principal: Principal, invoice: Invoice, method: PaymentMethod) -> None:
    """Members pay with their own methods, staff with the customer's. Raises NotFoundError for others."""
    allowed = may_see(principal, method.member_id, method.company_id)
    if not allowed or (principal.is_staff and method.owner_id != invoice.payer_id):
        raise NotFoundError("payment_method_not_found", "there is no such payment method")


def owner_of(principal: Principal, member_id: UUID | None, company_id: UUID | None) -> Owner:
    """Whose method a request is about: a member's own unless told. Raises NotFoundError for somebody else's."""
    if member_id is None and company_id is None and not principal.is_staff:
        member_id = principal.member_id
    owner = Owner(member_id, None if member_id else company_id)
    if not may_see(principal, owner.member_id, owner.company_id):
        raise NotFoundError("customer_not_found", "there is no such member or company")
    return owner


_OWNERS = ("member_id", "company_id")
