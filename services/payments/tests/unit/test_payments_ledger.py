"""What an invoice's money comes to, whatever payments do and however late invoicing counts it (PAY-4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.ids import new_id
from payments.domain.payment_state import ChargeFact, DisputeFact, RefundFact
from payments.models import Invoice, Payment
from payments.services import ledger

NOW = datetime(2027, 2, 1, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "pay", "refund", "refund_with_note", "credit", "dispute", "win", "return", "count"]),
        st.integers(1, 1500),
        st.integers(0, 3),
    ),
    max_size=25,
)


def an_invoice(total: int) -> Invoice:
    """An open invoice."""
    return Invoice(
        id=new_id(),
        state="open",
        currency="EUR",
        total_minor=total,
        credited_minor=0,
        kept_minor=0,
        noted_minor=0,
        due_date=date(2027, 2, 19),
    )


class Books:
    """Invoicing's side: it counts credit notes and refunds, late."""

    def __init__(self, invoice: Invoice) -> None:
        self.invoice, self.credited, self.given_back = invoice, 0, 0

    def count(self) -> None:
        """The next message arrives."""
        before = self.invoice.credited_minor
        self.invoice.credited_minor = min(self.credited + self.given_back, self.invoice.total_minor)
        ledger.reflect(self.invoice, before)


def a_payment(amount: int) -> Payment:
    """A payment that succeeded."""
    return Payment(
        id=new_id(),
        currency="EUR",
        amount_minor=amount,
        refunded_minor=0,
        kept_minor=0,
        charge=ChargeFact.SUCCEEDED.name,
        refunds={},
        disputes={},
    )


def step(invoice: Invoice, books: Books, payments: list[Payment], name: str, minor: int, place: int) -> None:
    """Let one thing happen."""
    if name == "pay":
        payments.append(a_payment(minor))
        ledger.refresh(payments[-1], invoice)
    elif name == "credit":
        books.credited += min(minor, max(invoice.payable.amount_minor, 0))
    elif name == "count":
        books.count()
    elif payments:
        _change(invoice, books, payments[place % len(payments)], name, minor)


def _change(invoice: Invoice, books: Books, payment: Payment, name: str, minor: int) -> None:
    facts: Any = ledger.facts_of(payment)
    with_note = name == "refund_with_note"
    if name.startswith("refund"):
        part = min(minor, facts.kept.amount_minor)
        if with_note:
            part = min(part, invoice.total_minor - books.credited - books.given_back)
        if part <= 0:
            return
        books.given_back += part if with_note else 0
        money = type(facts.amount)(part, "EUR")
        facts = facts.with_refund(str(new_id()), money, RefundFact.SUCCEEDED)
    elif name == "return":
        facts = facts.with_charge(ChargeFact.REVERSED)
    else:
        facts = facts.with_dispute("d", DisputeFact.OPENED if name == "dispute" else DisputeFact.WON)
    ledger.store_facts(payment, facts)
    ledger.refresh(payment, invoice, with_credit_note=with_note)


@settings(max_examples=300)
@given(total=st.integers(1, 2000), steps=STEPS)
def test_pay_4_total_is_paid_credited_and_payable_and_nothing_is_negative(total: int, steps: Any) -> None:
    invoice = an_invoice(total)
    books, payments = Books(invoice), list[Payment]()
    for name, minor, place in steps:
        step(invoice, books, payments, name, minor, place)
        assert invoice.payable.amount_minor >= 0
        assert invoice.noted_minor >= 0
        assert all(0 <= payment.kept_minor <= payment.amount_minor for payment in payments)
    books.count()
    kept = sum(ledger.facts_of(payment).kept.amount_minor for payment in payments)
    assert invoice.kept_minor == kept
    paid = min(kept, total - invoice.credited_minor)
    assert total == paid + invoice.credited_minor + invoice.payable.amount_minor


def test_a_notes_refund_that_fails_during_a_chargeback_leaves_the_whole_invoice_payable() -> None:
    """Neither the payment nor the note holds anything then; nothing was kept before the failure and after it."""
    invoice, payment = an_invoice(1000), a_payment(1000)
    ledger.refresh(payment, invoice)
    for facts in (
        lambda known: known.with_refund("re", known.amount, RefundFact.PENDING),
        lambda known: known.with_dispute("d", DisputeFact.OPENED),
        lambda known: known.with_refund("re", known.amount, RefundFact.FAILED),
    ):
        ledger.store_facts(payment, facts(ledger.facts_of(payment)))
        ledger.refresh(payment, invoice, with_credit_note=True)
    assert (invoice.noted_minor, invoice.kept_minor, invoice.payable.amount_minor) == (0, 0, 1000)


@given(state=st.sampled_from(["void", "paid", "draft"]))
def test_nothing_is_payable_on_what_is_closed(state: str) -> None:
    invoice = an_invoice(100)
    invoice.state = state
    assert not invoice.payable
