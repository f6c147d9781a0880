"""PAY-8 and BIL-5: reminders, late fees, blocked bookings; payers and groups."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from common.errors import InvalidError
from common.money import Money
from invoicing.domain.dunning import (
    LateFeePolicy,
    blocks_bookings,
    earliest_unpaid_due,
    late_fee,
    late_fees_owed,
    reminder_dates,
    reminder_due,
)
from invoicing.domain.grouping import Grouping, group_key, payer

DUE = date(2027, 3, 10)


def after(days: int) -> date:
    return DUE + timedelta(days=days)


def test_reminders_lie_before_on_and_after_the_due_date_pay_8() -> None:
    assert reminder_dates(DUE, [7, -3, 0, 7]) == [(-3, after(-3)), (0, DUE), (7, after(7))]


@pytest.mark.parametrize(
    ("day", "sent", "expected"),
    [
        (-4, [], None),
        (-3, [], -3),
        (-1, [-3], None),
        (0, [-3], 0),
        (20, [], 14),  # after downtime only the latest
        (20, [14], None),
        (5, [7], None),  # a later one went out already
    ],
)
def test_one_reminder_at_a_time_pay_8(day: int, sent: list[int], expected: int | None) -> None:
    assert reminder_due(DUE, after(day), sent) == expected


def test_bookings_are_blocked_fourteen_days_after_the_earliest_unpaid_due_date_pay_8() -> None:
    due = earliest_unpaid_due([(after(5), Money(1, "EUR")), (DUE, Money(1, "EUR")), (after(-9), Money(0, "EUR"))])
    assert due == DUE
    assert not blocks_bookings(due, after(13))
    assert blocks_bookings(due, after(14))
    assert not blocks_bookings(earliest_unpaid_due([]), after(99))
    assert not blocks_bookings(due, after(99), None)


def test_late_fees_start_after_the_days_of_grace_pay_8() -> None:
    once, weekly = LateFeePolicy(Decimal(5), grace_days=3), LateFeePolicy(Decimal(5), grace_days=3, repeat_every_days=7)
    assert [late_fees_owed(once, DUE, after(day)) for day in (0, 3, 4, 60)] == [0, 0, 1, 1]
    assert [late_fees_owed(weekly, DUE, after(day)) for day in (3, 4, 10, 11, 18)] == [0, 1, 1, 2, 3]


def test_a_late_fee_is_a_share_plus_a_fixed_amount_pay_8() -> None:
    policy = LateFeePolicy(Decimal("2.5"), Money(1000, "EUR"))
    assert late_fee(policy, Money(30010, "EUR")) == Money(1750, "EUR")
    with pytest.raises(InvalidError):
        LateFeePolicy(Decimal(-1))
    with pytest.raises(InvalidError):
        LateFeePolicy(grace_days=-1)


MEMBER, COMPANY, HOME, AWAY = uuid4(), uuid4(), uuid4(), uuid4()


def test_the_company_pays_unless_the_item_is_personal_bil_5() -> None:
    assert payer(MEMBER, COMPANY, is_personal=False) == ("company", COMPANY)
    assert payer(MEMBER, COMPANY, is_personal=True) == ("member", MEMBER)
    assert payer(MEMBER, None, is_personal=False) == ("member", MEMBER)
    assert payer(None, COMPANY, is_personal=True) == ("company", COMPANY)
    with pytest.raises(InvalidError):
        payer(None, None, is_personal=False)


def test_items_share_an_invoice_by_payer_part_and_location_bil_5() -> None:
    buyer = payer(MEMBER, None, is_personal=False)
    homes = {"home_location_id": HOME, "use_location_id": AWAY}
    together, apart = Grouping(), Grouping("membership_and_usage", "use")
    assert group_key(together, buyer, "membership", "EUR", **homes) == group_key(
        together, buyer, "booking", "EUR", **homes
    )
    assert group_key(together, buyer, "fee", "EUR", **homes) != group_key(together, buyer, "fee", "USD", **homes)
    assert group_key(apart, buyer, "setup_fee", "EUR", **homes).part == "memberships"
    usage = group_key(apart, buyer, "booking", "EUR", **homes)
    assert (usage.part, usage.location_id) == ("usage", AWAY)
    assert group_key(apart, buyer, "fee", "EUR", home_location_id=HOME, use_location_id=None).location_id == HOME
