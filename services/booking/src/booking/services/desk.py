"""All that is to be known before somebody can book, quote or change: read in one statement, for speed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.cancellation import CancellationPolicy
from booking.domain.opening_hours import LocationCalendar
from booking.domain.policies import BookingPolicy
from booking.domain.rates import Buyer, Rate
from booking.services.kept import Kept
from booking.services.occupancy import Premises, Units, all_units
from common.db import TenantSession
from common.errors import FieldError, InvalidError

# $1 is the resource, $2 the organisation, $3 the member, $4 the company.
_LOAD = """
WITH RECURSIVE below AS (
    SELECT c.id, c.number, c.capacity FROM resource c
    WHERE c.parent_ids <> '{}' AND c.parent_ids @> ARRAY[$1::uuid] AND c.organization_id = $2
      AND NOT c.archived
  UNION
    SELECT c.id, c.number, c.capacity FROM below b
    JOIN resource c ON c.parent_ids <> '{}' AND c.parent_ids @> ARRAY[b.id] AND c.organization_id = $2
      AND NOT c.archived
)
SELECT r.id, r.version, r.number, r.name, r.type, r.capacity, r.location_id, r.visibility, r.is_free, r.published,
  r.archived OR coalesce(l.archived, false) AS archived,
  r.state -> 'plan_ids' AS plan_ids, r.state -> 'booking_policy' AS booking_policy,
  r.state -> 'cancellation_policy' AS cancellation_policy,
  l.version AS location_version, l.timezone,
  l.state -> 'opening_hours' AS opening_hours, l.state -> 'closures' AS closures,
  (SELECT json_agg(json_build_array(number, capacity) ORDER BY number) FROM below) AS below,
  (SELECT json_agg(x.state) FROM resource_rate x WHERE x.organization_id = $2 AND NOT x.archived
     AND (r.id = ANY(x.resource_ids) OR r.type = ANY(x.resource_types)
          OR (x.resource_ids = '{}' AND x.resource_types = '{}'))) AS rates,
  m.id AS member_id, m.status AS member_status, c.id AS company_id, c.status AS company_status,
  coalesce(m.name, c.name) AS customer_name,
  (SELECT bool_or(s.bookings_blocked) FROM customer_standing s WHERE s.id IN (m.id, c.id)) AS blocked,
  (SELECT json_agg(json_build_array(x.id, x.plan_id, x.discount_percent::text, x.start_date, x.end_date,
                                    x.state -> 'pauses', x.state ->> 'credits_hours'))
     FROM membership x WHERE x.organization_id = $2 AND x.status NOT IN ('cancelled', 'void')
       AND (x.member_id = m.id OR (x.company_id = c.id AND x.member_id IS NULL))) AS memberships,
  EXISTS (SELECT FROM credit_grant g WHERE g.member_id = m.id OR g.company_id = c.id) AS has_grants
FROM resource r
LEFT JOIN location l ON l.id = r.location_id
LEFT JOIN customer m ON m.id = $3::uuid AND m.kind = 'member' AND m.organization_id = $2
LEFT JOIN customer c
  ON c.id = coalesce($4::uuid, m.company_id) AND c.kind = 'company' AND c.organization_id = $2
WHERE r.id = $1 AND r.organization_id = $2
"""


class _Row(NamedTuple):
    """A row of `_LOAD`."""

    id: UUID
    version: int
    number: int
    name: str
    type: str
    capacity: int
    location_id: UUID
    visibility: str
    is_free: bool
    published: bool
    archived: bool
    plan_ids: list[str] | None
    booking_policy: dict[str, Any] | None
    cancellation_policy: dict[str, Any] | None
    location_version: int
    timezone: str | None
    opening_hours: dict[str, Any] | None
    closures: list[Any] | None
    below: list[Units] | None
    rates: list[dict[str, Any]] | None
    member_id: UUID | None
    member_status: str | None
    company_id: UUID | None
    company_status: str | None
    customer_name: str | None
    blocked: bool | None
    memberships: list[Any] | None
    has_grants: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """A membership as far as prices and rights go: from its first to its last day, without its pauses."""

    membership_id: UUID
    plan_id: UUID
    discount_percent: Decimal
    start_date: str
    end_date: str | None
    pauses: tuple[tuple[str, str | None], ...]
    grants_credits: bool

    def is_on(self, day: str) -> bool:
        """Whether it holds on an ISO date."""
        if not self.start_date <= day <= (self.end_date or "9999-12-31"):
            return False
        return not any(start <= day < (end or "9999-12-31") for start, end in self.pauses)


@dataclass(frozen=True, slots=True)
class Desk:
    """A resource with all that decides who may book it and for how much, and the customer who asks."""

    resource_id: UUID
    version: int
    name: str
    type: str
    location_id: UUID
    is_free: bool
    is_bookable: bool
    is_public: bool
    calendar: LocationCalendar
    policy: BookingPolicy
    cancellation: CancellationPolicy
    premises: Premises
    rates: tuple[Rate, ...]
    member_id: UUID | None
    company_id: UUID | None
    customer_name: str | None
    holdings: tuple[Holding, ...]
    is_blocked: bool
    has_grants: bool

    @property
    def zone(self) -> str:
        """The location's time zone."""
        return self.calendar.zone

    def for_strangers(self) -> Desk:
        """The desk as somebody meets it whom nobody knows."""
        return replace(
            self,
            member_id=None,
            company_id=None,
            customer_name=None,
            holdings=(),
            is_blocked=False,
            has_grants=False,
        )

    def buyer_on(self, day: str) -> Buyer:
        """The customer with the memberships that hold on an ISO date."""
        held = [holding for holding in self.holdings if holding.is_on(day)]
        return Buyer(
            self.member_id,
            self.company_id,
            frozenset(holding.membership_id for holding in held),
            frozenset(holding.plan_id for holding in held),
        )

    def discount_on(self, day: str) -> Decimal:
        """The best discount of the memberships that hold on an ISO date, in per cent."""
        return max((h.discount_percent for h in self.holdings if h.is_on(day)), default=Decimal(0))


def load_desk(
    session: TenantSession, resource_id: UUID, *, member_id: UUID | None = None, company_id: UUID | None = None
) -> Desk:
    """Read a resource's desk for a customer (nobody: the public).

    Raises InvalidError ``unknown_resource``, ``unknown_member``, ``unknown_company``.
    """
    (found,) = session.start((_LOAD, (resource_id, session.organization_id, member_id, company_id)))
    row = _Row(*found[0]) if found else None
    if row is None or row.timezone is None:
        raise _unknown("resource", "there is no such resource")
    if member_id is not None and row.member_id is None:
        raise _unknown("member", "there is no such member")
    if company_id is not None and row.company_id is None:
        raise _unknown("company", "there is no such company")
    return _desk(row)


def _unknown(what: str, detail: str) -> InvalidError:
    return InvalidError(f"unknown_{what}", detail, errors=[FieldError(f"/{what}_id", detail)])


def _desk(row: _Row) -> Desk:
    calendar, policy, cancellation = _rules(row)
    holdings = tuple(_holding(*entry) for entry in row.memberships or ())
    inactive = {row.member_status, row.company_status} & {"inactive", "archived", "deleted", "former"}
    return Desk(
        resource_id=row.id,
        version=row.version,
        name=row.name,
        type=row.type,
        location_id=row.location_id,
        is_free=row.is_free,
        is_bookable=row.published and not row.archived,
        is_public=row.visibility == "public",
        calendar=calendar,
        policy=policy,
        cancellation=cancellation,
        premises=Premises(row.number, row.capacity, tuple(all_units(n, size) for n, size in row.below or ())),
        rates=tuple(read_rate(state) for state in row.rates or ()),
        member_id=row.member_id,
        company_id=row.company_id,
        customer_name=row.customer_name,
        holdings=holdings,
        is_blocked=bool(row.blocked) or bool(inactive),
        has_grants=row.has_grants or any(holding.grants_credits for holding in holdings),
    )


def _holding(
    membership_id: str,
    plan_id: str,
    discount: str,
    start: str,
    end: str | None,
    pauses: list[dict[str, Any]] | None,
    credits_hours: str | None,
) -> Holding:
    spans = tuple((pause["start"], pause.get("end")) for pause in pauses or ())
    return Holding(
        UUID(membership_id), UUID(plan_id), Decimal(discount), start, end, spans, Decimal(credits_hours or 0) > 0
    )


def _rules(row: _Row) -> tuple[LocationCalendar, BookingPolicy, CancellationPolicy]:
    calendar = read_calendar(row.location_id, row.location_version, row)
    return calendar, *read_policies(row)


def read_calendar(location_id: UUID, version: int, row: Any) -> LocationCalendar:
    """The calendar of a row with ``timezone``, ``opening_hours`` and ``closures``, kept per version of the location."""
    return _CALENDARS.get(
        (location_id, version),
        lambda: LocationCalendar.from_document(row.timezone, row.opening_hours or {}, row.closures or ()),
    )


def read_policies(row: Any) -> tuple[BookingPolicy, CancellationPolicy]:
    """The policies of a row with a resource's fields, kept per version of the resource."""
    return _POLICIES.get((row.id, row.version), lambda: _policies(row))


def _policies(row: Any) -> tuple[BookingPolicy, CancellationPolicy]:
    plan_ids = [UUID(plan_id) for plan_id in row.plan_ids or ()]
    policy = BookingPolicy.from_document(row.booking_policy or {}, visibility=row.visibility, plan_ids=plan_ids)
    return policy, CancellationPolicy.from_document(row.cancellation_policy or {})


def read_rate(state: dict[str, Any]) -> Rate:
    """A rate from its copy's document, kept per version."""
    return _RATES.get((state["rate_id"], state["version"]), lambda: Rate.from_document(state))


_CALENDARS: Kept[LocationCalendar] = Kept(1000)
_POLICIES: Kept[tuple[BookingPolicy, CancellationPolicy]] = Kept(5000)
_RATES: Kept[Rate] = Kept(5000)
