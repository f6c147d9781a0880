"""Who pays for an item and which items share an invoice (BIL-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from common.errors import InvalidError

PayerKind = Literal["member", "company"]
ItemKind = Literal["membership", "setup_fee", "deposit", "fee", "booking", "extra"]
InvoicePer = Literal["customer", "membership_and_usage"]
LocationBy = Literal["home", "use"]

_MEMBERSHIP_KINDS = frozenset({"membership", "setup_fee", "deposit"})


@dataclass(frozen=True, slots=True)
class Grouping:
    """The organisation's choice: one invoice per customer or memberships apart; by home location or location of use."""

    invoice_per: InvoicePer = "customer"
    location_by: LocationBy = "home"


class GroupKey(NamedTuple):
    """Items with equal keys and equal planned dates share an invoice."""

    payer_kind: PayerKind
    payer_id: UUID
    currency: str
    location_id: UUID | None
    part: Literal["all", "memberships", "usage"]


def payer(member_id: UUID | None, company_id: UUID | None, *, is_personal: bool) -> tuple[PayerKind, UUID]:
    """The company pays unless the item is personal or there is none (BIL-5). Raises InvalidError without any payer."""
    if company_id is not None and not (is_personal and member_id is not None):
        return "company", company_id
    if member_id is None:
        raise InvalidError("payer_missing", "Name a member or a company that pays.")
    return "member", member_id


def group_key(
    grouping: Grouping,
    payer_of_item: tuple[PayerKind, UUID],
    kind: ItemKind,
    currency: str,
    *,
    home_location_id: UUID | None,
    use_location_id: UUID | None,
) -> GroupKey:
    """Where an item is gathered. One without a location of use belongs to the home location."""
    location = home_location_id if grouping.location_by == "home" else use_location_id or home_location_id
    part: Literal["all", "memberships", "usage"] = "all"
    if grouping.invoice_per == "membership_and_usage":
        part = "memberships" if kind in _MEMBERSHIP_KINDS else "usage"
    return GroupKey(*payer_of_item, currency, location, part)
