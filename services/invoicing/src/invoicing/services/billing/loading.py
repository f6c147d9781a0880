"""What planning reads, loaded by the batch without the ORM: rows with the columns and properties that it asks for."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from sqlalchemy import Select, select

from common.db import TenantSession
from invoicing.models import Customer, Fee, Membership

_CustomerRow = namedtuple(
    "_CustomerRow", "id kind version location_id name email language billing auto_collect reminders"
)


class CustomerRow(_CustomerRow):
    """A customer as documents name them."""

    __slots__ = ()
    billing_email = Customer.billing_email
    billing_name = Customer.billing_name
    billing_language = Customer.billing_language


_MembershipRow = namedtuple(
    "_MembershipRow",
    """id payer_id plan_id plan_name location_id start_date end_date currency price_minor quantity discount_percent
    interval interval_count anchor_date prorate trial_days setup_fee_minor deposit_minor listed_taxes
    tax_percent tax_category prices_include_tax revenue_account pauses billed_until earliest_issue""",
)


class MembershipRow(_MembershipRow):
    """The terms of a membership."""

    __slots__ = ()
    pause_list = Membership.pause_list


_FeeRow = namedtuple(
    "_FeeRow",
    """id payer_id location_id source source_id plan_id name details currency price_minor quantity discount_percent
    discount_minor amount_minor taxes listed_taxes tax_percent tax_category prices_include_tax revenue_account
    dated created_on is_refundable issue_on""",
)


class FeeRow(_FeeRow):
    """A fee to be billed."""

    __slots__ = ()


_MODELS: dict[type[Any], Any] = {CustomerRow: Customer, MembershipRow: Membership, FeeRow: Fee}


def rows_of(session: TenantSession, kind: type[Any]) -> Select[Any]:
    """A statement for rows of a kind, of the session's organisation."""
    table = _MODELS[kind].__table__
    columns = [table.c[name] for name in kind._fields]
    return select(*columns).where(table.c.organization_id == session.organization_id)


def load(session: TenantSession, kind: type[Any], statement: Select[Any]) -> list[Any]:
    """The rows that a statement of `rows_of` finds."""
    return list(map(kind._make, session.connection().execute(statement).all()))
