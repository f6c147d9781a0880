"""Value shapes that several messages share."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from common.money import Money


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A nested value of a message; unknown fields are ignored."""


class ParallelTax(Part, frozen=True, kw_only=True):
    """One of several taxes on the same thing, told apart by their names (TAX-2)."""

    name: str = ""
    percent: Decimal
    category: str | None = None


class BillingProfile(Part, frozen=True, kw_only=True):
    """Whom an invoice is addressed to; with parallel ``taxes``, ``tax_percent`` is their sum."""

    name: str | None = None
    address: dict[str, str] = {}
    vat_number: str | None = None
    email: str | None = None
    language: str | None = None
    purchase_order: str | None = None
    tax_percent: Decimal | None = None
    tax_category: str | None = None
    taxes: list[ParallelTax] = []


class SigningKey(Part, frozen=True, kw_only=True):
    """A public key with which access tokens can be checked (PEM)."""

    kid: str
    public_key: str
    not_after: datetime | None = None


class RatePrice(Part, frozen=True, kw_only=True):
    """Price of one unit of time: ``hour``, ``half_day``, ``day``, ``week`` or ``month``."""

    unit: str
    price: Money
    when: str = "any"


class Extra(Part, frozen=True, kw_only=True):
    """Something booked along with a resource: catering, a projector."""

    code: str
    name: str
    price: Money


class ChargeLine(Part, frozen=True, kw_only=True):
    """One priced line of a booking, as shown to the customer and later invoiced."""

    description: str
    quantity: Decimal
    unit_price: Money
    net: Money


class Period(Part, frozen=True, kw_only=True):
    """A half-open interval of civil dates."""

    start: date
    end: date


class Pause(Part, frozen=True, kw_only=True):
    """Days without charge: ``start`` and ``end`` (exclusive, None: until further notice)."""

    start: date
    end: date | None = None


class InvoiceLineSummary(Part, frozen=True, kw_only=True):
    """A line of an invoice as mails and receipts show it."""

    description: str
    quantity: Decimal
    total: Money
    period: Period | None = None


class Customer(Part, frozen=True, kw_only=True):
    """Who owes: a member or a company, and how to reach them."""

    member_id: UUID | None = None
    company_id: UUID | None = None
    name: str = ""
    email: str | None = None
    language: str | None = None


Json = dict[str, Any]
