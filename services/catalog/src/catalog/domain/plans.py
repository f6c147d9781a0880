"""What fits together in a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.errors import FieldError, InvalidError

KINDS = ("recurring", "one_off")
INTERVALS = ("week", "month", "year")
VISIBILITIES = ("public", "members", "private")

_RECURRING_ONLY = {
    "interval": None,
    "interval_count": 1,
    "prorate": False,
    "trial_days": 0,
    "minimum_term_months": 0,
    "notice_days": 0,
    "credits_carry_over_cap": 0,
}


# A membership's allowance is good for its month; that of a purchase as long as the plan says.
_ONE_OFF_ONLY = {"allowance_valid_days": None}


def plan_defaults(kind: str) -> dict[str, Any]:
    """What is taken for fields not sent: recurring plans are monthly and prorate, one-off ones have no period."""
    if kind == "recurring":
        return {"interval": "month", "prorate": True}
    return {"interval": None, "prorate": False}


def check_plan(plan: Mapping[str, Any]) -> None:
    """Refuse a one-off plan with anything periodical, and a recurring one without a period.

    Raises InvalidError ``interval_missing``, ``recurring_only`` or ``one_off_only``.
    """
    if plan["kind"] == "recurring":
        if plan["interval"] is None:
            raise _refusal("interval_missing", "interval", "a recurring plan has an interval")
        _refuse(plan, _ONE_OFF_ONLY, "one_off_only", "only one-off plans have this")
    else:
        _refuse(plan, _RECURRING_ONLY, "recurring_only", "only recurring plans have this")


def _refuse(plan: Mapping[str, Any], fields: Mapping[str, Any], code: str, detail: str) -> None:
    for name, nothing in fields.items():
        if plan[name] != nothing:
            raise _refusal(code, name, detail)


def _refusal(code: str, field: str, detail: str) -> InvalidError:
    return InvalidError(code, detail, errors=[FieldError(f"/{field}", detail)])
