"""What somebody writes on an invoice by hand: lines, discounts, its date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.money import Money
from invoicing.domain.discounts import DocumentDiscount
from invoicing.domain.taxes import tax_of
from invoicing.domain.totals import LineInput
from invoicing.models import Customer
from invoicing.services.billing.context import BillingContext
from invoicing.services.billing.specs import LineSpec
from invoicing.services.currency import check_currency
from invoicing.services.taxes import named_taxes


@dataclass(frozen=True, slots=True)
class ManualLine:
    """A line as somebody writes it."""

    description: str
    unit_price: Money
    quantity: Decimal = Decimal(1)
    discount_percent: Decimal = Decimal(0)
    tax_percent: Decimal | None = None
    tax_category: str | None = None
    taxes: Sequence[Mapping[str, Any]] | None = None
    prices_include_tax: bool | None = None
    revenue_account: str | None = None


@dataclass(frozen=True, slots=True)
class ManualDiscount:
    """A discount on the whole document."""

    percent: Decimal | None = None
    amount: Money | None = None
    tax_percent: Decimal | None = None


def manual_issue_date(context: BillingContext, location_id: UUID | None, issue_date: date | None) -> date:
    """Today at the location unless given. Raises InvalidError for a date in the future."""
    today = context.today(location_id)
    if issue_date is not None and issue_date > today:
        raise InvalidError(
            "invalid_issue_date",
            "an invoice cannot be dated in the future",
            errors=[FieldError("/issue_date", "Must not be after today.")],
        )
    return issue_date or today


def manual_line(
    session: TenantSession, context: BillingContext, customer: Customer, line: ManualLine, location_id: UUID | None
) -> LineSpec:
    """A line as it goes onto the invoice. Raises InvalidError for another currency or taxes that do not fit."""
    check_currency(session, line.unit_price)
    if line.taxes:
        taxes = named_taxes(line.taxes)
    elif line.tax_percent is None and line.tax_category is None:
        taxes = context.taxes(customer, line, location_id)
    else:
        taxes = (tax_of(line.tax_percent or Decimal(0), line.tax_category),)
    return LineSpec(
        "manual",
        line.description,
        LineInput(
            line.unit_price,
            line.quantity,
            line.discount_percent,
            taxes=taxes,
            prices_include_tax=context.includes_tax(line),
        ),
        location_id=location_id,
        revenue_account=line.revenue_account,
    )


def manual_discounts(session: TenantSession, discounts: Sequence[ManualDiscount]) -> list[DocumentDiscount]:
    """Discounts as the domain has them. Raises InvalidError for another currency."""
    for discount in discounts:
        check_currency(session, discount.amount)
    return [DocumentDiscount(each.percent, each.amount, each.tax_percent) for each in discounts]
