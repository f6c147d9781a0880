"""What planning looks at besides the invoice, loaded for many invoices in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Many
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from payments.models import BillingSettings, Collection, Customer, Gateway, Invoice, Payment, PaymentMethod


def billing_settings(session: TenantSession) -> BillingSettings | None:
    """The copy of the organisation's billing settings, once they have arrived."""
    return session.get(BillingSettings, session.organization.id)


@dataclass(slots=True)
class Surroundings:
    """Settings, customers, methods and charges around some locked invoices. ``woken``: the scheduler knows already."""

    settings: BillingSettings | None
    collections: dict[UUID, Collection]
    customers: dict[UUID, Customer]
    methods: dict[UUID, list[tuple[PaymentMethod, Gateway]]]
    charges: dict[UUID, list[Payment]]
    woken: bool = field(default=False)

    def way_for(self, invoice: Invoice) -> tuple[PaymentMethod, Gateway] | None:
        """The method that automatic collection charges, and where; None when the customer has to give one (PAY-6).

        Through the location's own gateway or one for all; the default first.
        """
        if invoice.payer_id is None:
            return None
        for method, gateway in self.methods[invoice.payer_id]:
            if gateway.location_id is None or gateway.location_id == invoice.location_id:
                return method, gateway
        return None


def look_around(session: TenantSession, invoices: Sequence[Invoice], *, woken: bool = False) -> Surroundings:
    """Load what is around locked invoices."""
    ids = [invoice.id for invoice in invoices]
    payers = {invoice.payer_id for invoice in invoices if invoice.payer_id is not None}
    collections = session.scalars(select(Collection).where(Collection.id.in_(ids)))
    customers = session.scalars(select(Customer).where(Customer.id.in_(payers)))
    return Surroundings(
        billing_settings(session),
        {row.id: row for row in collections},
        {row.id: row for row in customers},
        _usable_methods(session, payers),
        _charges(session, ids),
        woken,
    )


def _usable_methods(session: TenantSession, owners: Many[UUID]) -> dict[UUID, list[tuple[PaymentMethod, Gateway]]]:
    """Owners' methods that can be charged, each with its gateway, the best first.

    The sandbox moves no money, so a live organisation never collects with it.
    """
    statement = (
        select(PaymentMethod, Gateway)
        .join(Gateway, Gateway.id == PaymentMethod.gateway_id)
        .where(
            PaymentMethod.owner_id.in_(owners),
            PaymentMethod.state == "active",
            Gateway.state == "connected",
        )
        .order_by(PaymentMethod.is_default.desc(), Gateway.location_id.is_(None), PaymentMethod.since.desc())
    )
    if session.organization.mode == "live":
        statement = statement.where(Gateway.provider != "sandbox")
    found: dict[UUID, list[tuple[PaymentMethod, Gateway]]] = defaultdict(list)
    for method, gateway in session.execute(statement):
        found[method.owner_id].append((method, gateway))
    return found


def _charges(session: TenantSession, invoice_ids: Sequence[UUID]) -> dict[UUID, list[Payment]]:
    statement = select(Payment).where(Payment.invoice_id.in_(invoice_ids), Payment.source != "manual")
    found: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in session.scalars(statement.order_by(Payment.attempt, Payment.id)):
        if payment.invoice_id is not None:
            found[payment.invoice_id].append(payment)
    return found
