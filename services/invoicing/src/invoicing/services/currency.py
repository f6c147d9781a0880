"""The organisation's one currency."""

from __future__ import annotations

from common.db import TenantSession
from common.errors import InvalidError
from common.money import Money


def check_currency(session: TenantSession, amount: Money | None) -> None:
    """Raise InvalidError for money that is not in the organisation's currency."""
    if amount is not None and amount.currency != session.organization.currency:
        raise InvalidError("currency_mismatch", f"amounts are in {session.organization.currency}")
