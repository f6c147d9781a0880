"""Resource rates: prices per unit of time, for whom and when they hold, and which of several wins (PRI-4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from common.errors import InvalidError
from common.money import Money


class Unit(StrEnum):
    """A unit of time that has a price, shortest first."""

    HOUR = "hour"
    HALF_DAY = "half_day"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class When(StrEnum):
    """When a price holds. Weekend (Saturday, Sunday) goes before off-hours, and both before any time."""

    ANY = "any"
    OFF_HOURS = "off_hours"
    WEEKEND = "weekend"


class Audience(StrEnum):
    """Who a rate or a resource is for."""

    ANY = "any"
    MEMBERS = "members"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class RatePrice:
    """The price of one unit of time."""

    unit: Unit
    price: Money
    when: When = When.ANY


@dataclass(frozen=True, slots=True)
class Extra:
    """Something booked along with a resource, priced by the piece (PRI-5)."""

    code: str
    name: str
    price: Money


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who books: nobody known (the public), a member, a company, with the memberships and plans they hold."""

    member_id: UUID | None = None
    company_id: UUID | None = None
    membership_ids: frozenset[UUID] = frozenset()
    plan_ids: frozenset[UUID] = frozenset()

    @property
    def is_public(self) -> bool:
        """Whether nobody we know is buying."""
        return self.member_id is None and self.company_id is None


@dataclass(frozen=True, slots=True)
class Conditions:
    """For whom and when a rate holds. Empty sets mean anybody; ``valid_until`` is the last day (inclusive, local)."""

    audience: Audience = Audience.ANY
    member_ids: frozenset[UUID] = frozenset()
    company_ids: frozenset[UUID] = frozenset()
    membership_ids: frozenset[UUID] = frozenset()
    plan_ids: frozenset[UUID] = frozenset()
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the ``conditions`` of a rate; ids may be bare UUIDs or prefixed. Raises InvalidError."""
        try:
            return cls(
                audience=Audience(document.get("audience") or Audience.ANY),
                member_ids=_ids(document.get("member_ids")),
                company_ids=_ids(document.get("company_ids")),
                membership_ids=_ids(document.get("membership_ids")),
                plan_ids=_ids(document.get("plan_ids")),
                valid_from=_day(document.get("valid_from")),
                valid_until=_day(document.get("valid_until")),
            )
        except (TypeError, ValueError) as error:
            raise InvalidError("rate_conditions_invalid", "The conditions of the rate cannot be read.") from error

    def hold_for(self, buyer: Buyer) -> bool:
        """Whether the buyer is one of those whom the rate is for; the sets that are given are alternatives."""
        if self.audience is Audience.PUBLIC and not buyer.is_public:
            return False
        if self.audience is Audience.MEMBERS and buyer.is_public:
            return False
        named = self.member_ids or self.company_ids or self.membership_ids or self.plan_ids
        return not named or self._closeness_to(buyer) > 1

    def hold_on(self, day: date) -> bool:
        """Whether a local date lies in the date range."""
        return (self.valid_from or date.min) <= day <= (self.valid_until or date.max)

    @property
    def has_dates(self) -> bool:
        """Whether there is a date range at all."""
        return self.valid_from is not None or self.valid_until is not None

    def _closeness_to(self, buyer: Buyer) -> int:
        if buyer.member_id in self.member_ids or self.membership_ids & buyer.membership_ids:
            return 4
        if buyer.company_id in self.company_ids:
            return 3
        if self.plan_ids & buyer.plan_ids:
            return 2
        return 0 if self.audience is Audience.ANY else 1

    def specificity_for(self, buyer: Buyer) -> tuple[int, int]:
        """Sorts rates that hold: member or membership, company, plan, audience, anybody; then date ranges first."""
        return self._closeness_to(buyer), int(self.has_dates)


@dataclass(frozen=True, slots=True)
class Rate:
    """A version of a resource rate; without resources and types it is for all of them."""

    id: UUID
    version: int
    name: str
    prices: tuple[RatePrice, ...]
    resource_ids: frozenset[UUID] = frozenset()
    resource_types: frozenset[str] = frozenset()
    conditions: Conditions = Conditions()
    charge_slot_minutes: int = 15
    extras: tuple[Extra, ...] = ()
    tax_percent: Decimal | None = None
    taxes: tuple[Mapping[str, Any], ...] = ()
    prices_include_tax: bool | None = None
    revenue_account: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the fields of a rate as `resource-rate-changed` carries them (JSON types). Raises InvalidError."""
        try:
            tax = document.get("tax_percent")
            return cls(
                id=_id(document["rate_id"]),
                version=int(document["version"]),
                name=str(document["display_name"]),
                prices=tuple(_price(price) for price in document.get("prices") or ()),
                resource_ids=_ids(document.get("resource_ids")),
                resource_types=frozenset(document.get("resource_types") or ()),
                conditions=Conditions.from_document(document.get("conditions") or {}),
                charge_slot_minutes=_slot(document.get("charge_slot_minutes", 15)),
                extras=tuple(_extra(extra) for extra in document.get("extras") or ()),
                tax_percent=None if tax is None else Decimal(tax),
                taxes=tuple(document.get("taxes") or ()),
                prices_include_tax=document.get("prices_include_tax"),
                revenue_account=document.get("revenue_account"),
            )
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise InvalidError("rate_invalid", "The rate cannot be read.") from error

    def is_for(self, resource_id: UUID, resource_type: str) -> bool:
        """Whether it prices a resource."""
        if not self.resource_ids and not self.resource_types:
            return True
        return resource_id in self.resource_ids or resource_type in self.resource_types

    def closeness_to(self, resource_id: UUID) -> int:
        """2 when it names the resource, 1 when it names types, 0 when it is for all."""
        return 2 if resource_id in self.resource_ids else int(bool(self.resource_types))

    def prices_at(self, *, off_hours: bool, weekend: bool) -> dict[Unit, RatePrice]:
        """The price of each unit at such a time: a weekend price, else an off-hours one, else the one for any time."""
        holding = [When.ANY] + [When.OFF_HOURS] * off_hours + [When.WEEKEND] * weekend
        return {price.unit: price for when in holding for price in self.prices if price.when is when}


def applicable_rates(rates: Iterable[Rate], resource_id: UUID, resource_type: str, buyer: Buyer) -> list[Rate]:
    """The rates that may price a booking, most specific first (PRI-4): resource over type, then for whom, then dates.

    Equals are ordered by id, newest first, so that a quote and the booking choose the same one.
    """
    fitting = [r for r in rates if r.is_for(resource_id, resource_type) and r.conditions.hold_for(buyer)]
    return sorted(
        fitting, key=lambda r: (r.closeness_to(resource_id), r.conditions.specificity_for(buyer), r.id), reverse=True
    )


def is_offered(rates: Iterable[Rate], resource_id: UUID, resource_type: str, today: date, *, to_all: bool) -> bool:
    """Whether a rate, now or to come, prices a resource at any time of day (DOMAIN section 0).

    ``to_all``: for strangers, too. Prices for weekends or off-hours alone are additions to another rate; the catalog
    lists resources by the same rule.
    """
    return any(
        rate.is_for(resource_id, resource_type)
        and (rate.conditions.valid_until or date.max) >= today
        and (rate.conditions.hold_for(Buyer()) or not to_all)
        and any(price.when is When.ANY for price in rate.prices)
        for rate in rates
    )


def prices_on(rates: Iterable[Rate], day: date) -> tuple[RatePrice, ...]:
    """The prices of the first rate (most specific first) that prices something in business hours on a local day."""
    for rate in rates:
        if rate.conditions.hold_on(day) and rate.prices_at(off_hours=False, weekend=day.weekday() >= 5):
            return rate.prices
    return ()


def extras_on(rates: Iterable[Rate], day: date) -> dict[str, Extra]:
    """What can be booked along on a local day, by code: as the first rate (most specific first) of that day has it."""
    found: dict[str, Extra] = {}
    for extra in (extra for rate in rates if rate.conditions.hold_on(day) for extra in rate.extras):
        found.setdefault(extra.code, extra)
    return found


def _price(document: Mapping[str, Any]) -> RatePrice:
    price = RatePrice(Unit(document["unit"]), _money(document["price"]), When(document.get("when") or When.ANY))
    if price.price.amount_minor < 0:
        raise ValueError("negative price")
    return price


def _extra(document: Mapping[str, Any]) -> Extra:
    return Extra(str(document["code"]), str(document["name"]), _money(document["price"]))


def _money(value: Money | Mapping[str, Any]) -> Money:
    return value if isinstance(value, Money) else Money(value["amount_minor"], value["currency"])


def _slot(value: object) -> int:
    minutes = int(str(value))
    if not 1 <= minutes <= 24 * 60:
        raise ValueError("a charge slot has 1 to 1440 minutes")
    return minutes


def _id(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value).rpartition("_")[2])


def _ids(values: Iterable[object] | None) -> frozenset[UUID]:
    return frozenset(_id(value) for value in values or ())


def _day(value: object) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))
