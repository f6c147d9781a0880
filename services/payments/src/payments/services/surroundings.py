"""What planning looks at besides the invoice, loaded for many invoices in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Many
from collections.abc import Sequence
from functools import cached_property
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from payments.models import BillingSettings, Collection, Customer, Gateway, Invoice, Payment, PaymentMethod


def billing_settings(session: TenantSession) -> BillingSettings | None:
    """The copy of the organisation's billing settings, once they have arrived."""
    return session.get(BillingSettings, session.organization.id)


class Surroundings:
    """Settings, customers, methods and charges around some locked invoices, each loaded for all when first asked for.

    An invoice that was just paid needs few of them. ``woken``: the scheduler knows already.
    """

    def __init__(self, session: TenantSession, invoices: Sequence[Invoice], *, woken: bool = False) -> None:
        self._session, self.woken = session, woken
        self._ids = [invoice.id for invoice in invoices]
        self._payers = {invoice.payer_id for invoice in invoices if invoice.payer_id is not None}

    @cached_property
    def settings(self) -> BillingSettings | None:
        """The organisation's billing settings, once they have arrived."""
        return billing_settings(self._session)

    @cached_property
    def collections(self) -> dict[UUID, Collection]:
        """The plans so far, by invoice."""
        found = self._session.scalars(select(Collection).where(Collection.id.in_(self._ids)))
        return {row.id: row for row in found}

    @cached_property
    def customers(self) -> dict[UUID, Customer]:
        """Who pays."""
        found = self._session.scalars(select(Customer).where(Customer.id.in_(self._payers)))
        return {row.id: row for row in found}

    @cached_property
    def methods(self) -> dict[UUID, list[tuple[PaymentMethod, Gateway]]]:
        """Payers' methods that can be charged, the best first."""
        return _usable_methods(self._session, self._payers)

    @cached_property
    def charges(self) -> dict[UUID, list[Payment]]:
        """Attempts that were made, by invoice, in their order."""
        return _charges(self._session, self._ids)

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
    """What is around locked invoices."""
    return Surroundings(session, invoices, woken=woken)


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
