"""TAX-1 to TAX-5, MON-2: taxes, discounts, totals and credit notes add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InvalidError
from common.money import CurrencyMismatchError, Money
from invoicing.domain.credit_notes import CreditNoteTotals
from invoicing.domain.discounts import DocumentDiscount, without_share
from invoicing.domain.rounding import divide_half_up, spread
from invoicing.domain.taxes import NO_TAX, Tax, Taxes, inclusive_net, inclusive_taxes, pick_taxes, tax_of
from invoicing.domain.totals import DocumentTotals, LineInput, document_totals

VAT19, VAT7, VAT20 = tax_of(Decimal(19)), tax_of(Decimal(7)), tax_of(Decimal(20))
GST, PST = tax_of(Decimal(5), name="GST"), tax_of(Decimal("9.975"), name="QST")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def line(minor: int, *taxes: Tax, included: bool = False) -> LineInput:
    return LineInput(eur(minor), taxes=taxes or (VAT19,), prices_include_tax=included)


def figures(totals: DocumentTotals | CreditNoteTotals) -> tuple[int, int, int]:
    return totals.subtotal.amount_minor, totals.tax_total.amount_minor, totals.total.amount_minor


def assert_parts_add_up(totals: DocumentTotals) -> None:
    assert totals.subtotal + totals.tax_total == totals.total
    for name, whole in {"net": totals.subtotal, "tax": totals.tax_total, "total": totals.total}.items():
        assert Money.total([getattr(each, name) for each in totals.lines], "EUR") == whole
    assert Money.total([each.amount for each in totals.lines], "EUR") == totals.lines_total
    assert Money.total([each.discount for each in totals.lines], "EUR") == totals.discount_total
    assert Money.total([row.amount for row in totals.tax_breakdown], "EUR") == totals.tax_total
    for each in totals.lines:
        assert each.net + each.tax == each.total
        assert Money.total(each.taxes, "EUR") == each.tax


def test_the_first_that_names_a_tax_wins_tax_1() -> None:
    choices = {"customer": None, "location": (VAT7,), "item": (VAT19,), "organization": (VAT20,)}
    assert pick_taxes(**choices) == (VAT7,)
    assert pick_taxes(**{**choices, "customer": (tax_of(Decimal(0), "AE"),)})[0].category == "AE"
    assert pick_taxes(**{**choices, "location": None}) == (VAT19,)
    assert pick_taxes(customer=None, location=None, item=None, organization=(VAT20,)) == (VAT20,)
    assert pick_taxes(customer=None, location=None, item=None, organization=None) == (NO_TAX,)


def test_reverse_charge_and_exempt_carry_their_reason_tax_3() -> None:
    assert tax_of(Decimal(0), "AE").reason == "Reverse charge"
    assert tax_of(Decimal(0), "E", reason="§ 19 UStG").reason == "§ 19 UStG"
    assert tax_of(Decimal(0), "S").category == "Z"
    for percent, category in ((Decimal(19), "AE"), (Decimal(101), "S"), (Decimal(19), "X")):
        with pytest.raises(InvalidError):
            tax_of(percent, category)


def test_inclusive_ten_at_twenty_per_cent_is_8_33_and_1_67_tax_2() -> None:
    totals = document_totals([line(1000, VAT20, included=True)], "EUR")
    assert figures(totals) == (833, 167, 1000)


def test_tax_is_computed_on_the_sum_of_a_rate_and_not_per_line_tax_2() -> None:
    totals = document_totals([line(33), line(33), line(33)], "EUR")
    assert figures(totals) == (99, 19, 118)  # per line 6.27 -> 6, three times 18
    assert [each.tax.amount_minor for each in totals.lines] == [7, 6, 6]
    assert_parts_add_up(totals)


def test_rates_are_equal_however_they_are_written_tax_2() -> None:
    totals = document_totals([line(33, Tax("S", Decimal(19))), line(33, Tax("S", Decimal("19.00")))], "EUR")
    assert len(totals.tax_breakdown) == 1


def test_several_rates_have_a_row_each_tax_2() -> None:
    totals = document_totals([line(10000), line(5000, VAT7), line(1000, NO_TAX)], "EUR")
    assert [(row.tax.percent, row.taxable, row.amount) for row in totals.tax_breakdown] == [
        (Decimal(19), eur(10000), eur(1900)),
        (Decimal(7), eur(5000), eur(350)),
        (Decimal(0), eur(1000), eur(0)),
    ]


def test_parallel_taxes_are_rounded_each_alone_tax_2() -> None:
    totals = document_totals([line(1010, GST, PST)], "EUR")
    assert [row.amount.amount_minor for row in totals.tax_breakdown] == [51, 101]  # 50.5 and 100.7
    assert figures(totals) == (1010, 152, 1162)


def test_parallel_taxes_of_one_rate_are_both_charged_tax_2() -> None:
    totals = document_totals([line(1000, tax_of(Decimal(9), name="CGST"), tax_of(Decimal(9), name="SGST"))], "EUR")
    assert figures(totals) == (1000, 180, 1180)


def test_parallel_taxes_inside_a_price_leave_the_gross_alone_tax_2() -> None:
    assert inclusive_taxes(1000, (tax_of(Decimal(5), name="a"), tax_of(Decimal(7), name="b"))) == [45, 63]
    totals = document_totals(
        [line(1000, tax_of(Decimal(5), name="a"), tax_of(Decimal(7), name="b"), included=True)], "EUR"
    )
    assert figures(totals) == (892, 108, 1000)


def test_inclusive_net_is_taken_from_the_sum_of_grosses_tax_2() -> None:
    totals = document_totals([line(999, included=True)] * 3, "EUR")
    assert figures(totals) == (2518, 479, 2997)
    assert [each.total.amount_minor for each in totals.lines] == [999, 999, 999]
    assert_parts_add_up(totals)


def test_yen_and_dinar_count_their_own_minor_units_mon_1() -> None:
    yen = document_totals([LineInput(Money(1001, "JPY"), taxes=(tax_of(Decimal(10)),))], "JPY")
    assert yen.total == Money(1101, "JPY")
    with pytest.raises(CurrencyMismatchError):
        document_totals([line(100)], "JPY")


def test_line_and_document_discounts_come_before_tax_tax_4() -> None:
    setup = LineInput(eur(1003), Decimal(3), Decimal(10), taxes=(VAT19,))
    totals = document_totals([setup], "EUR", [DocumentDiscount(amount=eur(500), tax_percent=Decimal(19))])
    assert totals.lines_total == eur(2708)
    assert totals.tax_breakdown[0].taxable == eur(2208)
    assert figures(totals) == (2208, 420, 2628)


def test_percentages_come_before_fixed_amounts_whatever_the_order_tax_4() -> None:
    both = [DocumentDiscount(amount=eur(1000)), DocumentDiscount(percent=Decimal(10))]
    assert document_totals([line(10000, NO_TAX)], "EUR", both).total == eur(8000)
    on_line = LineInput(eur(10000), Decimal(1), Decimal(10), eur(1000))
    assert document_totals([on_line], "EUR").total == eur(8000)


def test_discounts_are_capped_at_the_subtotal_tax_4() -> None:
    totals = document_totals([line(100), line(50, VAT7)], "EUR", [DocumentDiscount(amount=eur(99999))])
    assert figures(totals) == (0, 0, 0)
    capped = LineInput(eur(100), discount_amount=eur(500), taxes=(VAT19,))
    assert document_totals([capped], "EUR").total == eur(0)


def test_a_document_discount_is_spread_by_largest_remainder_tax_4() -> None:
    totals = document_totals([line(100), line(100), line(100)], "EUR", [DocumentDiscount(amount=eur(100))])
    assert [each.discount.amount_minor for each in totals.lines] == [34, 33, 33]


def test_a_discount_for_one_rate_leaves_the_others_alone_tax_4() -> None:
    off = [DocumentDiscount(percent=Decimal(50), tax_percent=Decimal("7.0"))]
    totals = document_totals([line(1000), line(1000, VAT7)], "EUR", off)
    assert [each.net.amount_minor for each in totals.lines] == [1000, 500]
    with pytest.raises(InvalidError, match="No line"):
        document_totals([line(1000)], "EUR", off)


def test_credit_lines_bear_no_discount_tax_4() -> None:
    totals = document_totals([line(1000), line(-400)], "EUR", [DocumentDiscount(amount=eur(900))])
    assert [each.discount.amount_minor for each in totals.lines] == [600, 0]
    assert figures(totals) == (0, 0, 0)


def test_a_discount_is_either_percent_or_amount_and_in_range_tax_4() -> None:
    for wrong in ({}, {"percent": Decimal(5), "amount": eur(5)}, {"percent": Decimal(101)}, {"amount": eur(-1)}):
        with pytest.raises(InvalidError):
            DocumentDiscount(**wrong)


tax_sets: st.SearchStrategy[Taxes] = st.sampled_from([(VAT19,), (VAT7,), (NO_TAX,), (GST, PST), (GST,)])
line_inputs = st.builds(
    LineInput,
    unit_price=st.integers(-50000, 500000).map(eur),
    quantity=st.decimals(Decimal("0.01"), Decimal(20), places=2),
    discount_percent=st.sampled_from([Decimal(0), Decimal(10), Decimal("33.3"), Decimal(100)]),
    taxes=tax_sets,
    prices_include_tax=st.booleans(),
    discount_amount=st.none(),
    amount=st.none(),
)
discount_lists = st.lists(
    st.one_of(
        st.builds(DocumentDiscount, percent=st.decimals(0, 100, places=1)),
        st.builds(DocumentDiscount, amount=st.integers(0, 300000).map(eur)),
    ),
    max_size=3,
)


@settings(max_examples=150)
@given(lines=st.lists(line_inputs, min_size=1, max_size=7), discounts=discount_lists)
def test_all_parts_of_a_document_add_up_mon_2(lines: list[LineInput], discounts: list[DocumentDiscount]) -> None:
    totals = document_totals(lines, "EUR", discounts)
    assert_parts_add_up(totals)
    for given_line, done in zip(lines, totals.lines, strict=True):
        if given_line.prices_include_tax:
            assert done.total == done.amount - done.discount
        else:
            assert done.net == done.amount - done.discount
        assert done.discount.amount_minor in range(max(done.amount.amount_minor, 0) + 1)


any_parallel_taxes = st.lists(st.decimals(0, 20, places=3), min_size=1, max_size=5).map(
    lambda rates: tuple(tax_of(rate, name=f"T{n}") for n, rate in enumerate(rates))
)


@settings(max_examples=150)
@given(
    amounts=st.lists(st.integers(0, 10**7), min_size=1, max_size=5), taxes=any_parallel_taxes, included=st.booleans()
)
def test_any_parallel_taxes_are_rounded_each_alone_and_add_up_tax_2(
    amounts: list[int], taxes: Taxes, included: bool
) -> None:
    totals = document_totals([line(amount, *taxes, included=included) for amount in amounts], "EUR")
    assert_parts_add_up(totals)
    assert (totals.total if included else totals.subtotal) == eur(sum(amounts))
    whole = sum(tax.percent for tax in taxes)
    for tax, row in zip(taxes, totals.tax_breakdown, strict=True):
        exact = sum(amounts) * tax.percent / (100 + whole if included else 100)
        assert abs(row.amount.amount_minor - exact) <= Decimal("0.5")


@settings(max_examples=80)
@given(
    shares=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9),
    below=st.integers(1, 997),
    extra=st.integers(-30, 30),
)
def test_spread_parts_add_up_and_stay_near_their_share_mon_2(shares: list[int], below: int, extra: int) -> None:
    total = divide_half_up(sum(shares), below)
    assert sum(spread(total + extra, shares, below)) == total + extra
    parts = spread(total, shares, below)
    assert all(abs(part * below - share) < below for part, share in zip(parts, shares, strict=True)) or len(shares) == 1


@given(gross=st.integers(-(10**9), 10**9), percent=st.decimals(0, 100, places=2))
@settings(max_examples=80)
def test_inclusive_net_is_the_nearest_whole_tax_2(gross: int, percent: Decimal) -> None:
    net = inclusive_net(gross, (Tax("S", percent),))
    assert abs(2 * (net * (100 + percent) - gross * 100)) <= 100 + percent


def test_the_tax_table_shows_the_net_inside_inclusive_prices_tax_2() -> None:
    totals = document_totals([line(1000, VAT20, included=True), line(1000, VAT20)], "EUR")
    assert [(row.taxable, row.amount) for row in totals.tax_breakdown] == [(eur(1833), eur(367))]


@given(st.integers(0, 10000), st.integers(0, 9999))
def test_a_share_taken_out_of_two_percentages_leaves_the_other_tax_4(own: int, share: int) -> None:
    """10 and then 50 are 55; 55 without 50 are 10."""
    first, second = Decimal(own) / 100, Decimal(share) / 100
    both = 100 - (100 - first) * (100 - second) / 100
    assert without_share(both, second) == first


@pytest.mark.parametrize(("percent", "share"), [(100, 100), (20, 50)])
def test_a_share_that_cannot_be_told_leaves_nothing_tax_4(percent: int, share: int) -> None:
    assert without_share(Decimal(percent), Decimal(share)) == 0
