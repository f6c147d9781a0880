"""What `catalog` tells the others: what is on sale."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from common.messaging.message import Message
from common.money import Money
from contracts.parts import Extra, Json, ParallelTax, RatePrice


class CatalogMessage(Message, frozen=True, kw_only=True):
    """Any message of the catalog service."""

    service: ClassVar[str] = "catalog"


class LocationChanged(CatalogMessage, frozen=True, kw_only=True):
    """The whole public state of a location; with parallel ``taxes``, ``tax_percent`` is their sum."""

    name: ClassVar[str] = "location-changed"
    location_id: UUID
    display_name: str
    code: str | None = None
    timezone: str
    address: Json = {}
    opening_hours: dict[str, list[list[str]]] = {}
    closures: list[Json] = []
    tax_percent: Decimal | None = None
    taxes: list[ParallelTax] = []
    archived: bool = False
    version: int


class ResourceChanged(CatalogMessage, frozen=True, kw_only=True):
    """The whole public state of a resource, with the policies that apply to it."""

    name: ClassVar[str] = "resource-changed"
    resource_id: UUID
    display_name: str
    type: str
    location_id: UUID
    capacity: int = 1
    parent_ids: list[UUID] = []
    amenities: list[str] = []
    visibility: str = "members"
    plan_ids: list[UUID] = []
    is_free: bool = False
    booking_policy: Json = {}
    cancellation_policy: Json = {}
    published: bool = True
    archived: bool = False
    version: int


class ResourceRateChanged(CatalogMessage, frozen=True, kw_only=True):
    """The whole public state of a resource rate; with parallel ``taxes``, ``tax_percent`` is their sum."""

    name: ClassVar[str] = "resource-rate-changed"
    rate_id: UUID
    display_name: str
    resource_ids: list[UUID] = []
    resource_types: list[str] = []
    prices: list[RatePrice] = []
    conditions: Json = {}
    charge_slot_minutes: int = 15
    extras: list[Extra] = []
    currency: str
    tax_percent: Decimal | None = None
    taxes: list[ParallelTax] = []
    prices_include_tax: bool | None = None
    revenue_account: str | None = None
    archived: bool = False
    version: int


class PlanChanged(CatalogMessage, frozen=True, kw_only=True):
    """The whole public state of a plan; ``allowance_valid_days``: how long what a one-off plan gives is good.

    With parallel ``taxes``, ``tax_percent`` is their sum.
    """

    name: ClassVar[str] = "plan-changed"
    plan_id: UUID
    display_name: str
    description: str | None = None
    kind: str
    price: Money
    interval: str | None = None
    interval_count: int = 1
    prorate: bool = True
    setup_fee: Money | None = None
    deposit: Money | None = None
    trial_days: int = 0
    minimum_term_months: int = 0
    notice_days: int = 0
    credits_hours: Decimal = Decimal(0)
    credits_carry_over_cap: Decimal = Decimal(0)
    passes: int = 0
    allowance_valid_days: int | None = None
    resource_discount_percent: Decimal = Decimal(0)
    tax_percent: Decimal | None = None
    tax_category: str | None = None
    taxes: list[ParallelTax] = []
    prices_include_tax: bool | None = None
    revenue_account: str | None = None
    visibility: str = "public"
    archived: bool = False
    version: int


class PromoCodeChanged(CatalogMessage, frozen=True, kw_only=True):
    """The whole public state of a promo code."""

    name: ClassVar[str] = "promo-code-changed"
    promo_code_id: UUID
    code: str
    percent: Decimal | None = None
    amount: Money | None = None
    scope: Json = {}
    max_uses: int | None = None
    max_uses_per_customer: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    archived: bool = False
    version: int
