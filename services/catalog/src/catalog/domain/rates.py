"""Which customers a resource rate prices, and what its prices must fulfil (PRI-4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from common.errors import FieldError, InvalidError

UNITS = ("hour", "half_day", "day", "week", "month")
WHENS = ("any", "off_hours", "weekend")
AUDIENCES = ("any", "members", "public")
_NAMED = ("member_ids", "company_ids", "membership_ids", "plan_ids")


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a rate prices.

    ``open_to_public``: strangers may see and get it. ``for_public`` and ``for_members``: strangers, members find a
    price for any time in it. ``valid_until``: its last day.
    """

    open_to_public: bool
    for_public: bool
    for_members: bool
    valid_until: date | None


def reach_of(prices: Sequence[Mapping[str, Any]], conditions: Mapping[str, Any]) -> Reach:
    """What a rate covers. Prices for weekends or off-hours alone are additions to another rate and cover nothing."""
    at_any_time = any(price["when"] == "any" for price in prices)
    audience = conditions.get("audience", "any")
    open_to_public = audience in {"any", "public"} and not names_customers(conditions)
    return Reach(
        open_to_public=open_to_public,
        for_public=at_any_time and open_to_public,
        for_members=at_any_time and audience in {"any", "members"},
        valid_until=date.fromisoformat(conditions["valid_until"]) if conditions.get("valid_until") else None,
    )


def names_customers(conditions: Mapping[str, Any]) -> bool:
    """Whether a rate is only for some members, companies, memberships or holders of plans."""
    return any(conditions.get(name) for name in _NAMED)


def check_prices(prices: Sequence[Mapping[str, Any]]) -> None:
    """One price for each unit at a time. Raises InvalidError ``price_repeated``."""
    _refuse_repeated("prices", "price_repeated", [(price["unit"], price["when"]) for price in prices])


def check_extras(extras: Sequence[Mapping[str, Any]]) -> None:
    """Extras are ordered by their code. Raises InvalidError ``extra_repeated``."""
    _refuse_repeated("extras", "extra_repeated", [extra["code"] for extra in extras])


def check_subjects(resource_ids: Sequence[Any], resource_types: Sequence[str]) -> None:
    """A rate says what it prices. Raises InvalidError ``rate_for_nothing``."""
    if not resource_ids and not resource_types:
        detail = "name the resources or the types of resources that this rate is for"
        raise InvalidError("rate_for_nothing", detail, errors=[FieldError("/resource_ids", detail)])


def _refuse_repeated(field: str, code: str, keys: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for place, key in enumerate(keys):
        if key in seen:
            detail = f"{' '.join(key) if isinstance(key, tuple) else key} is there already"
            raise InvalidError(code, detail, errors=[FieldError(f"/{field}/{place}", detail)])
        seen.add(key)
