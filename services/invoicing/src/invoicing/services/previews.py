"""Invoices as they would be made."""

from __future__ import annotations

from datetime import date
from typing import Any

from common.db import TenantSession
from common.ids import new_id
from invoicing.models import Customer
from invoicing.services.billing.context import load_context
from invoicing.services.billing.planning import CutOff, plan_customer
from invoicing.services.billing.selecting import load_unbilled
from invoicing.services.billing.specs import InvoiceSpec
from invoicing.services.memberships import draft_membership


def preview_invoices(
    session: TenantSession, customer: Customer, as_of: date, what_if: dict[str, Any] | None = None
) -> list[InvoiceSpec]:
    """Every invoice that would be made for a customer up to and including ``as_of``, also for a membership that they
    do not have. Changes nothing."""
    context = load_context(session)
    due = load_unbilled(session, customer.id, lock=False)
    memberships = list(due.memberships)
    if what_if is not None:
        membership = draft_membership(session, context.settings, customer, member_id=customer.id, **what_if)
        membership.id = new_id()
        memberships.append(membership)
    return plan_customer(context, due.customer, memberships, due.fees, CutOff(as_of))
