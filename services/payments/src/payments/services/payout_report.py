"""What the providers say against what we say: payouts of a period, compared with payments, refunds and chargebacks.

A difference belongs to the day on which its money arrived, or, when it never did, to the day of the payment. Fees are
the provider's word alone; they are held against the payout's amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import joinedload

from common.clock import end_of_day, local_date, start_of_day
from common.db import TenantSession
from common.money import Money
from payments.domain.payment_state import ChargeFact, RefundFact
from payments.domain.reconciling import Line, OurPayment, OurRefund, Theirs, Verdict, compare, unknown_here
from payments.domain.refunds import WAITING
from payments.models import Gateway, Payment, Payout, PayoutFeed, PayoutItem, Refund
from payments.services import ledger
from payments.services.payout_sums import Period, arrives

# Providers take up to two weeks from a debit to the payout.
PAID_OUT_WITHIN = timedelta(days=14)
_BATCH = 500
_COMPARED = ("charge", "refund", "dispute")
_COLLECTED = {ChargeFact.SUCCEEDED.name, ChargeFact.REVERSED.name}


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A comparison as it is shown. ``what``: payment, refund or payout. Amounts None: that side knows nothing of it."""

    day: date
    what: str
    verdict: Verdict
    gateway_id: UUID
    provider: str
    currency: str
    theirs_minor: int | None
    ours_minor: int | None
    payout_id: UUID | None = None
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    invoice_id: UUID | None = None
    invoice_number: str | None = None
    customer_name: str | None = None
    provider_reference: str | None = None

    @property
    def provider_amount(self) -> Money | None:
        """What the provider says."""
        return None if self.theirs_minor is None else Money(self.theirs_minor, self.currency)

    @property
    def our_amount(self) -> Money | None:
        """What we say."""
        return None if self.ours_minor is None else Money(self.ours_minor, self.currency)


def report_lines(session: TenantSession, period: Period) -> Iterator[ReportLine]:
    """Every comparison of the period, agreeing or not: payouts, our payments and refunds, then what we do not know."""
    gateways = {row.id: row for row in session.scalars(_followed(period))}
    yield from _payout_lines(session, period, gateways)
    after = UUID(int=0)
    while payments := session.scalars(_candidates(session, period, gateways, after)).all():
        yield from _payment_lines(session, period, gateways, payments)
        after = payments[-1].id
    yield from _strange_lines(session, period, gateways)


def _followed(period: Period) -> Select[Gateway]:
    statement = select(Gateway).join(PayoutFeed, PayoutFeed.id == Gateway.id)
    return statement if period.gateway_id is None else statement.where(Gateway.id == period.gateway_id)


def _payout_lines(session: TenantSession, period: Period, gateways: dict[UUID, Gateway]) -> Iterator[ReportLine]:
    """Whether each payout is the sum of its parts."""
    statement = select(Payout).where(Payout.gateway_id.in_(gateways), arrives(period), Payout.itemised)
    for payout in session.scalars(statement.order_by(Payout.arrives_on, Payout.id)):
        agrees = payout.amount_minor == payout.explained.amount_minor
        unfinished = Verdict.AMOUNT_DIFFERS if payout.complete else Verdict.ON_THE_WAY
        yield ReportLine(
            day=payout.arrives_on,
            what="payout",
            verdict=Verdict.AGREES if agrees else unfinished,
            gateway_id=payout.gateway_id,
            provider=gateways[payout.gateway_id].provider,
            currency=payout.currency,
            theirs_minor=payout.amount_minor,
            ours_minor=payout.explained.amount_minor,
            payout_id=payout.id,
            provider_reference=payout.provider_reference,
        )


def _candidates(session: TenantSession, period: Period, gateways: dict[UUID, Gateway], after: UUID) -> Select[Payment]:
    """Payments that were charged, refunded or paid out in the period."""
    zone = session.organization.timezone
    first, end = start_of_day(period.first, zone), end_of_day(period.last, zone)
    charged = and_(Payment.charge == ChargeFact.SUCCEEDED.name, Payment.charged_at >= first, Payment.charged_at < end)
    refunded = exists().where(Refund.payment_id == Payment.id, Refund.created_at >= first, Refund.created_at < end)
    paid_out = exists().where(
        PayoutItem.gateway_id == Payment.gateway_id,
        PayoutItem.charge_reference == Payment.provider_reference,
        PayoutItem.payout_id == Payout.id,
        arrives(period),
    )
    return (
        select(Payment)
        .where(Payment.gateway_id.in_(gateways), Payment.id > after, or_(charged, refunded, paid_out))
        .order_by(Payment.id)
        .limit(_BATCH)
        .options(joinedload(Payment.payer))
    )


def _payment_lines(
    session: TenantSession, period: Period, gateways: dict[UUID, Gateway], payments: Sequence[Payment]
) -> Iterator[ReportLine]:
    refunds, told = _refunds_of(session, payments), _told_of(session, payments)
    young_since, zone = session.now() - PAID_OUT_WITHIN, session.organization.timezone
    for payment in payments:
        for line in compare(_ours(payment, refunds[payment.id]), told[payment.gateway_id, payment.provider_reference]):
            day = _day(line, payment, zone)
            if period.first <= day <= period.last:
                yield _shown(line, day, line.verdict(young_since), gateways, payment)


def _day(line: Line, payment: Payment, zone: str) -> date:
    arrived = [item.arrives_on for item in line.items]
    return max(arrived) if arrived else local_date(line.since or payment.charged_at, zone)


def _ours(payment: Payment, refunds: Sequence[Refund]) -> OurPayment:
    facts = ledger.facts_of(payment)
    brought = payment.amount_minor if facts.collected and not facts.disputed else 0
    # A report about the charge or a chargeback moves the time from which a payout has to catch up.
    since = max(payment.charged_at, payment.occurred_at) if facts.disputes else payment.charged_at
    given = [
        OurRefund(
            refund.id,
            refund.provider_reference,
            0 if refund.fact in (RefundFact.FAILED.name, WAITING) else refund.amount_minor,
            refund.created_at,
        )
        for refund in refunds
    ]
    return OurPayment(payment.id, payment.charge in _COLLECTED, brought, since, given)


def _refunds_of(session: TenantSession, payments: Sequence[Payment]) -> dict[UUID, list[Refund]]:
    found: dict[UUID, list[Refund]] = defaultdict(list)
    statement = select(Refund).where(Refund.payment_id.in_([payment.id for payment in payments]))
    for refund in session.scalars(statement.order_by(Refund.id)):
        found[refund.payment_id].append(refund)
    return found


def _told_of(session: TenantSession, payments: Sequence[Payment]) -> dict[tuple[object, object], list[Theirs]]:
    """All that any payout, also outside of the period, says about these payments."""
    references = {payment.provider_reference for payment in payments if payment.provider_reference}
    currencies = {(payment.gateway_id, payment.provider_reference): payment.currency for payment in payments}
    statement = (
        select(PayoutItem, Payout)
        .join(Payout, Payout.id == PayoutItem.payout_id)
        .where(
            PayoutItem.gateway_id.in_({payment.gateway_id for payment in payments}),
            PayoutItem.charge_reference.in_(references),
            PayoutItem.kind.in_(_COMPARED),
        )
        .order_by(Payout.arrives_on, PayoutItem.id)
    )
    found: dict[tuple[object, object], list[Theirs]] = defaultdict(list)
    for item, payout in session.execute(statement):
        key = (item.gateway_id, item.charge_reference)
        if key in currencies:
            found[key].append(_theirs(item, payout, currencies[key]))
    return found


def _theirs(item: PayoutItem, payout: Payout, currency: str) -> Theirs:
    return Theirs(
        is_refund=item.kind == "refund",
        minor=item.paid_minor if item.paid_currency == currency else None,
        refund_reference=item.refund_reference,
        payout_id=payout.id,
        arrives_on=payout.arrives_on,
    )


def _strange_lines(session: TenantSession, period: Period, gateways: dict[UUID, Gateway]) -> Iterator[ReportLine]:
    """Money in the period's payouts that belongs to no payment of ours: taken in the provider's dashboard, say."""
    ours = exists().where(
        Payment.gateway_id == PayoutItem.gateway_id, Payment.provider_reference == PayoutItem.charge_reference
    )
    statement = (
        select(PayoutItem, Payout)
        .join(Payout, Payout.id == PayoutItem.payout_id)
        .where(PayoutItem.gateway_id.in_(gateways), PayoutItem.kind.in_(_COMPARED), arrives(period), ~ours)
        .order_by(Payout.arrives_on, PayoutItem.id)
    )
    for item, payout in session.execute(statement):
        currency = item.paid_currency or item.currency
        line = unknown_here(_theirs(item, payout, currency))
        yield ReportLine(
            day=payout.arrives_on,
            what="refund" if line.is_refund else "payment",
            verdict=Verdict.MISSING_HERE,
            gateway_id=item.gateway_id,
            provider=gateways[item.gateway_id].provider,
            currency=currency,
            theirs_minor=line.theirs,
            ours_minor=None,
            payout_id=payout.id,
            provider_reference=item.refund_reference or item.charge_reference or item.provider_reference,
        )


def _shown(
    line: Line,
    day: date,
    verdict: Verdict,
    gateways: dict[UUID, Gateway],
    payment: Payment,
) -> ReportLine:
    gateway = gateways[payment.gateway_id]  # type: ignore[index]  # candidates have a gateway
    payout_id = line.items[-1].payout_id if line.items else None
    refund = line.refund
    return ReportLine(
        day=day,
        what="refund" if line.is_refund else "payment",
        verdict=verdict,
        gateway_id=gateway.id,
        provider=gateway.provider,
        currency=payment.currency,
        theirs_minor=line.theirs,
        ours_minor=line.ours,
        payout_id=payout_id,
        payment_id=payment.id,
        refund_id=refund.refund_id if refund else None,
        invoice_id=payment.invoice_id,
        invoice_number=payment.invoice_number,
        customer_name=payment.customer_name,
        provider_reference=(refund.reference if refund else None) or payment.provider_reference,
    )
