"""The sandbox's test methods: each token names a way in which a real method can behave."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from payments.gateways.terms import FailureKind, MethodKind


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How charges of a test method go. A failure with ``fails_attempts`` happens to those first attempts only."""

    kind: MethodKind = MethodKind.CARD
    brand: str | None = "visa"
    last4: str = "4242"
    failure_code: str | None = None
    failure_kind: FailureKind | None = None
    fails_attempts: int | None = None
    settles_after: timedelta | None = None
    needs_action: bool = False
    answer_lost: bool = False
    exp_month: int | None = 12
    exp_year: int | None = 2099
    refund_settles_after: timedelta | None = None
    refund_failure: str | None = None

    def fails(self, attempt: int) -> bool:
        """Whether this attempt (counted from 1) ends badly."""
        return self.failure_kind is not None and (self.fails_attempts is None or attempt <= self.fails_attempts)


def _debit(kind: MethodKind, last4: str, days: int, failure: str | None = None) -> Behaviour:
    return Behaviour(
        kind=kind,
        brand=None,
        last4=last4,
        failure_code=failure,
        failure_kind=FailureKind.SOFT if failure else None,
        settles_after=timedelta(days=days),
        exp_month=None,
        exp_year=None,
    )


SOFT, HARD = FailureKind.SOFT, FailureKind.HARD

BEHAVIOURS = {
    "sandbox_ok": Behaviour(),
    "sandbox_mastercard": Behaviour(brand="mastercard", last4="4444"),
    "sandbox_declined": Behaviour(last4="0002", failure_code="generic_decline", failure_kind=SOFT),
    "sandbox_declined_once": Behaviour(
        last4="0341", failure_code="generic_decline", failure_kind=SOFT, fails_attempts=1
    ),
    "sandbox_insufficient_funds": Behaviour(last4="9995", failure_code="insufficient_funds", failure_kind=SOFT),
    "sandbox_lost_card": Behaviour(last4="9987", failure_code="lost_card", failure_kind=HARD),
    "sandbox_stolen_card": Behaviour(last4="9979", failure_code="stolen_card", failure_kind=HARD),
    "sandbox_expired_card": Behaviour(last4="0069", failure_code="expired_card", failure_kind=HARD),
    "sandbox_3ds": Behaviour(last4="3220", needs_action=True),
    "sandbox_refund_pending": Behaviour(last4="7726", refund_settles_after=timedelta(days=3)),
    "sandbox_refund_fails": Behaviour(
        last4="5126", refund_settles_after=timedelta(days=3), refund_failure="expired_or_canceled_card"
    ),
    "sandbox_timeout": Behaviour(last4="0119", answer_lost=True),
    "sandbox_pending": _debit(MethodKind.SEPA_DEBIT, "3000", days=3),
    "sandbox_pending_fails": _debit(MethodKind.SEPA_DEBIT, "3001", days=3, failure="insufficient_funds"),
    "sandbox_sepa": _debit(MethodKind.SEPA_DEBIT, "3000", days=5),
    "sandbox_ach": _debit(MethodKind.ACH_DEBIT, "6789", days=4),
    "sandbox_bacs": _debit(MethodKind.BACS_DEBIT, "2345", days=3),
}

# A guest who chooses a method only while paying; never saved.
ELEMENT = "sandbox_element"
_ELEMENT_BEHAVIOUR = Behaviour(needs_action=True)

# sandbox_expires_2027_05: a good card whose last month is May 2027, to watch the announcements of PAY-9.
_EXPIRING = re.compile(r"sandbox_expires_(2\d{3})_(0[1-9]|1[0-2])")


def behaviour_of(token: str) -> Behaviour | None:
    """The behaviour that a token names, or None for a token that the sandbox does not know."""
    if token == ELEMENT:
        return _ELEMENT_BEHAVIOUR
    if match := _EXPIRING.fullmatch(token):
        return replace(BEHAVIOURS["sandbox_ok"], exp_year=int(match[1]), exp_month=int(match[2]))
    return BEHAVIOURS.get(token)
