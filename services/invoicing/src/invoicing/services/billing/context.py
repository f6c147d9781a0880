"""What planning and issuing need to know of an organisation, read once per batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.clock import local_date
from common.db import TenantSession
from common.db.database import Organization
from invoicing.domain.grouping import Grouping
from invoicing.domain.numbering import NumberTemplate, parse_template
from invoicing.domain.taxes import Tax, Taxes, pick_taxes, tax_of
from invoicing.models import BillingSettings, Location
from invoicing.services.billing.charges import Charges
from invoicing.services.settings import billing_settings
from invoicing.services.taxes import named_taxes, overriding_taxes

DEPOSIT_TAXES: Taxes = (Tax("E", Decimal(0), reason="Refundable deposit"),)


@dataclass(frozen=True, slots=True)
class BillingContext:
    """Organisation, settings and locations as of one instant; the clock does not move within a batch."""

    organization: Organization
    settings: BillingSettings
    locations: dict[UUID, Location]
    now: datetime
    organization_taxes: Taxes | None
    own_taxes: dict[UUID | str, Taxes]
    charges: Charges
    grouping: Grouping

    @property
    def currency(self) -> str:
        """The organisation's one currency."""
        return self.organization.currency

    def zone(self, location_id: UUID | None) -> str:
        """The zone of a location, else of the organisation."""
        location = self.locations.get(location_id) if location_id else None
        return location.timezone if location is not None else self.organization.timezone

    def today(self, location_id: UUID | None = None) -> date:
        """The civil date now at a location."""
        return local_date(self.now, self.zone(location_id))

    def template(self, kind: str) -> NumberTemplate:
        """The number template of invoices or credit notes (DOC-2)."""
        settings = self.settings
        text = settings.number_template if kind == "invoice" else settings.credit_note_number_template
        return _template(text)

    def code(self, location_id: UUID | None) -> str | None:
        """A location's short code, for numbers that contain it."""
        location = self.locations.get(location_id) if location_id else None
        return location.code if location is not None else None

    def taxes(self, customer: Any, item: Any, location_id: UUID | None) -> Taxes:
        """The taxes of an item by priority: customer, location, item, organisation (TAX-1)."""
        return pick_taxes(
            customer=self._customer_taxes(customer),
            location=self._location_taxes(location_id) if location_id else None,
            item=self._item_taxes(item),
            organization=self.organization_taxes,
        )

    def _customer_taxes(self, customer: Any) -> Taxes | None:
        own = self.own_taxes.get(customer.id) if self.own_taxes else None
        billing = customer.billing
        if not own and billing.get("taxes"):
            return named_taxes(billing["taxes"])
        if own or not ("tax_percent" in billing or "tax_category" in billing):
            return own
        return one_tax(_decimal(billing.get("tax_percent")), billing.get("tax_category"))

    def _location_taxes(self, location_id: UUID) -> Taxes | None:
        location = self.locations.get(location_id)
        if location is None:
            return None
        if location_id in self.own_taxes:
            return self.own_taxes[location_id]
        return named_taxes(location.taxes) if location.taxes else one_tax(location.tax_percent)

    def _item_taxes(self, item: Any) -> Taxes | None:
        """A fee's own parallel taxes, else those the settings give its plan or its account, else those that its plan or
        rate lists, else its one tax."""
        several = getattr(item, "taxes", None)
        if several:
            return named_taxes(several)
        for whose in (getattr(item, "plan_id", None), item.revenue_account) if self.own_taxes else ():
            if whose in self.own_taxes:
                return self.own_taxes[whose]
        listed = getattr(item, "listed_taxes", None)
        return named_taxes(listed) if listed else one_tax(item.tax_percent, item.tax_category)

    def includes_tax(self, item: Any) -> bool:
        """Whether an item's prices are gross: its own word, else the organisation's."""
        own: bool | None = item.prices_include_tax
        return self.settings.prices_include_tax if own is None else own


@lru_cache(maxsize=64)
def _template(text: str) -> NumberTemplate:
    return parse_template(text)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


@lru_cache(maxsize=512)
def one_tax(percent: Decimal | None, category: str | None = None) -> Taxes | None:
    """A rate and category as stored, as the domain's taxes; None when neither is given. A category alone is 0 %."""
    if percent is None and category is None:
        return None
    return (tax_of(percent if percent is not None else Decimal(0), category),)


def load_context(session: TenantSession) -> BillingContext:
    """Read the organisation's context."""
    locations = {row.id: row for row in session.scalars(select(Location))}
    settings = billing_settings(session)
    taxes = named_taxes(settings.taxes) if settings.taxes else one_tax(settings.tax_percent)
    charges, own_taxes = Charges(settings.generate_days_before), overriding_taxes(settings)
    return BillingContext(
        session.organization, settings, locations, session.now(), taxes, own_taxes, charges, settings.grouping
    )
