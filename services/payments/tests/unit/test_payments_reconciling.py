"""Their word against ours: whatever the payouts say, no cent is left out of the comparison or counted twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.ids import new_id
from payments.domain.reconciling import Line, OurPayment, OurRefund, Theirs, Verdict, compare

NOW = datetime(2027, 3, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
REFERENCES = st.sampled_from([None, "re_1", "re_2", "re_3"])
ITEMS = st.lists(st.tuples(st.booleans(), st.integers(-500, 500), REFERENCES), max_size=8)
REFUNDS = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from(["re_1", "re_2", "re_4"])),
    max_size=3,
    unique_by=lambda refund: refund[1],
)


def item(minor: int | None, reference: str | None = None, *, is_refund: bool = False) -> Theirs:
    """A part of a payout."""
    return Theirs(is_refund, minor, reference, new_id(), date(2027, 2, 24))


def payment(brought: int, *refunds: OurRefund, collected: bool = True, since: datetime = LONG_AGO) -> OurPayment:
    """A payment of ours."""
    return OurPayment(new_id(), collected, brought, since, refunds)


def verdicts(lines: list[Line]) -> list[Verdict]:
    """What came of each."""
    return [line.verdict(NOW - timedelta(days=14)) for line in lines]


@given(brought=st.integers(0, 1000), collected=st.booleans(), items=ITEMS, refunds=REFUNDS)
def test_every_cent_of_either_side_is_in_exactly_one_line(
    brought: int, collected: bool, items: Any, refunds: Any
) -> None:
    told = [item(minor, reference, is_refund=is_refund) for is_refund, minor, reference in items]
    given_back = [OurRefund(new_id(), reference, minor, LONG_AGO) for minor, reference in refunds]
    brought = brought if collected else 0
    lines = compare(payment(brought, *given_back, collected=collected), told)
    assert sorted(str(part.payout_id) for line in lines for part in line.items) == sorted(
        str(part.payout_id) for part in told
    )
    assert sum(line.theirs or 0 for line in lines) == sum(part.minor or 0 for part in told)
    assert sum(line.ours or 0 for line in lines) == brought - sum(refund.minor for refund in given_back)
    for line, verdict in zip(lines, verdicts(lines), strict=True):
        assert (verdict is Verdict.AGREES) == (line.theirs == line.ours)


def test_a_late_return_and_a_chargeback_take_away_from_what_a_payment_brought() -> None:
    assert verdicts(compare(payment(0), [item(4500), item(-4500)])) == [Verdict.AGREES]
    assert verdicts(compare(payment(0), [item(4500)])) == [Verdict.AMOUNT_DIFFERS]
    assert verdicts(compare(payment(0, since=NOW), [item(4500)])) == [Verdict.ON_THE_WAY]


def test_money_of_a_payment_that_failed_here_is_missing_here() -> None:
    assert verdicts(compare(payment(0, collected=False), [item(4500)])) == [Verdict.MISSING_HERE]
    assert compare(payment(0, collected=False), []) == []


def test_refunds_are_found_by_reference_and_else_by_amount() -> None:
    first, second = (OurRefund(new_id(), reference, 100, LONG_AGO) for reference in ("re_1", "re_2"))
    lines = compare(payment(0, first, second), [item(-100, is_refund=True), item(-100, "re_2", is_refund=True)])
    assert verdicts(lines) == [Verdict.AGREES, Verdict.AGREES]
    assert verdicts(compare(payment(0, first), [item(-90, "re_9", is_refund=True)])) == [
        Verdict.MISSING_THERE,
        Verdict.MISSING_HERE,
    ]


def test_a_refund_that_came_back_agrees_and_until_it_is_told_does_not() -> None:
    failed = OurRefund(new_id(), "re_1", 0, LONG_AGO)
    gone, back = item(-100, "re_1", is_refund=True), item(100, "re_1", is_refund=True)
    assert verdicts(compare(payment(0, failed), [gone, back])) == [Verdict.AGREES]
    assert verdicts(compare(payment(0, failed), [gone])) == [Verdict.AMOUNT_DIFFERS]
    assert compare(payment(0, failed), []) == []


def test_what_cannot_be_told_in_our_currency_is_there_at_least() -> None:
    assert verdicts(compare(payment(4500), [item(None)])) == [Verdict.AGREES]
