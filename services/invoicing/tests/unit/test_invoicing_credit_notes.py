"""TAX-5, DOC-5: credit notes, full and partial, add up to their invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import ConflictError, InvalidError, NotFoundError
from common.money import CurrencyMismatchError, Money
from invoicing.domain.credit_notes import CreditableLine, CreditLine, CreditNoteTotals, credit_note_totals
from invoicing.domain.discounts import DocumentDiscount
from invoicing.domain.taxes import NO_TAX, Tax, Taxes, tax_of
from invoicing.domain.totals import DocumentTotals, LineInput, document_totals

VAT19, VAT7, VAT20 = tax_of(Decimal(19)), tax_of(Decimal(7)), tax_of(Decimal(20))
GST, PST = tax_of(Decimal(5), name="GST"), tax_of(Decimal("9.975"), name="QST")

tax_sets: st.SearchStrategy[Taxes] = st.sampled_from([(VAT19,), (VAT7,), (NO_TAX,), (GST, PST), (GST,)])


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def line(minor: int, *taxes: Tax, included: bool = False) -> LineInput:
    return LineInput(eur(minor), taxes=taxes or (VAT19,), prices_include_tax=included)


def figures(totals: DocumentTotals | CreditNoteTotals) -> tuple[int, int, int]:
    return totals.subtotal.amount_minor, totals.tax_total.amount_minor, totals.total.amount_minor


def creditable(inputs: Sequence[LineInput], totals: DocumentTotals) -> list[CreditableLine]:
    return [
        CreditableLine(
            uuid4(),
            done.net,
            given_line.taxes,
            done.taxes,
            given_line.prices_include_tax,
            eur(0),
            tuple(eur(0) for _ in done.taxes),
        )
        for given_line, done in zip(inputs, totals.lines, strict=True)
    ]


def after(lines: Sequence[CreditableLine], note: CreditNoteTotals) -> list[CreditableLine]:
    """The invoice's lines with the credit note's amounts added to what was credited before."""
    by_id = {each.line_id: each for each in note.lines}
    return [_credited(each, by_id) for each in lines]


def _credited(each: CreditableLine, by_id: Mapping[UUID, CreditLine]) -> CreditableLine:
    credit = by_id.get(each.line_id)
    if credit is None:
        return each
    taxes = tuple(a + b for a, b in zip(each.credited_tax_amounts, credit.taxes, strict=True))
    return CreditableLine(
        each.line_id,
        each.net,
        each.taxes,
        each.tax_amounts,
        each.prices_include_tax,
        each.credited_net + credit.net,
        taxes,
    )


def test_a_full_credit_note_nets_to_zero_tax_5() -> None:
    inputs = [line(33), line(33), line(999, VAT20, included=True), line(1010, GST, PST, included=True)]
    totals = document_totals(inputs, "EUR")
    assert figures(credit_note_totals(creditable(inputs, totals), "EUR")) == figures(totals)


def test_partial_credit_notes_use_the_cumulated_net_tax_5() -> None:
    """Three credits of 0.33 from 0.99 at 19 %: 6, 7 (13 of 0.66 minus 6), 6 and together the invoice's 19."""
    inputs = [line(99)]
    lines = creditable(inputs, document_totals(inputs, "EUR"))
    taxes = []
    for _ in range(3):
        note = credit_note_totals(lines, "EUR", {lines[0].line_id: eur(33)})
        taxes.append(note.tax_total.amount_minor)
        lines = after(lines, note)
    assert taxes == [6, 7, 6]
    with pytest.raises(ConflictError, match="been credited"):
        credit_note_totals(lines, "EUR")


def test_partial_credit_of_an_inclusive_line_keeps_the_gross_tax_5() -> None:
    inputs = [line(1000, VAT20, included=True)]
    lines = creditable(inputs, document_totals(inputs, "EUR"))
    first = credit_note_totals(lines, "EUR", {lines[0].line_id: eur(333)})
    assert figures(first) == (278, 55, 333)  # 2.775 -> 2.78
    assert figures(credit_note_totals(after(lines, first), "EUR")) == (833 - 278, 167 - 55, 667)


def test_credit_amounts_are_bounded_by_their_line_doc_5() -> None:
    lines = creditable([line(100)], document_totals([line(100)], "EUR"))
    for amount in (101, -1, 0):
        with pytest.raises(InvalidError):
            credit_note_totals(lines, "EUR", {lines[0].line_id: eur(amount)})
    with pytest.raises(NotFoundError):
        credit_note_totals(lines, "EUR", {uuid4(): eur(1)})
    with pytest.raises(CurrencyMismatchError):
        credit_note_totals(lines, "EUR", {lines[0].line_id: Money(1, "USD")})


@settings(max_examples=120)
@given(
    inputs=st.lists(
        st.builds(
            lambda minor, taxes, included: line(minor, *taxes, included=included),
            st.integers(1, 9999),
            tax_sets,
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    discount=st.integers(0, 400),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4000)), max_size=7),
)
def test_any_sequence_of_credit_notes_adds_up_to_the_invoice_tax_5(
    inputs: list[LineInput], discount: int, steps: list[tuple[int, int]]
) -> None:
    totals = document_totals(inputs, "EUR", [DocumentDiscount(amount=eur(discount))])
    lines = creditable(inputs, totals)
    credited = [0, 0, 0]
    for index, amount in steps:
        target = lines[index % len(lines)]
        part = min(amount, target.creditable.amount_minor)
        if not part:
            continue
        note = credit_note_totals(lines, "EUR", {target.line_id: eur(part)})
        assert all(figure >= 0 for figure in figures(note))
        credited = [a + b for a, b in zip(credited, figures(note), strict=True)]
        lines = after(lines, note)
    if any(each.creditable for each in lines):
        credited = [a + b for a, b in zip(credited, figures(credit_note_totals(lines, "EUR")), strict=True)]
    assert tuple(credited) == figures(totals)


def test_a_partial_credit_never_takes_more_tax_than_its_line_bore_tax_5() -> None:
    """Three times 0.05 at 19 % bear 0.02 in all, so one line bears none: 4/5 of that line hold no tax either."""
    inputs = [line(5, included=True)] * 3
    lines = creditable(inputs, document_totals(inputs, "EUR"))
    assert lines[2].tax_amounts == (eur(0),)
    assert figures(credit_note_totals(lines, "EUR", {lines[2].line_id: eur(4)})) == (4, 0, 4)
