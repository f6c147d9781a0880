"""An attempt to charge: its intent before the provider hears of it, and whatever is reported about it (PAY-1, PAY-3).

`begin_attempt` commits with the caller; then the provider is asked outside any transaction; then `report_charge` in a
second one. Reports only add facts, so an answer, a webhook and a sweep about one charge may come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Counter
from sqlalchemy import func, select

from common.db import TenantSession
from common.errors import NotFoundError
from common.ids import encode_id, new_id
from common.jobs import wake_scheduler
from common.messaging import outbox
from common.money import Money
from payments.domain.payment_state import ChargeFact
from payments.gateways.port import ChargeOutcome, ChargeRequest, ChargeState
from payments.messages.publishes import (
    payment_action_required,
    payment_failed,
    payment_pending,
    payment_reversed,
    payment_succeeded,
)
from payments.models import Collection, Gateway, Invoice, Payment, PaymentMethod
from payments.services import ledger
from payments.services.planning import METHOD_MISSING, lock_invoice, replan
from payments.services.providers import Providers
from payments.services.surroundings import Surroundings

CHARGES = Counter(
    "deskledger_charges_total", "What became of charges, each time it changed", ["source", "provider", "outcome"]
)
# How long a provider's answer may be on its way before somebody else asks for it (real seconds).
ANSWER_SECONDS = {"sandbox": 5}
USUAL_ANSWER_SECONDS = 150
# A member who does not confirm is given up after this long, and the ladder goes on.
ACTION_LASTS = timedelta(days=3)
# Webhooks get lost: what is pending is asked for once a day besides.
PENDING_ASKED = timedelta(days=1)
# A member whose bank said no may try again on the same page for as long; then the charge is cancelled there.
PAGE_LASTS = timedelta(minutes=30)
_RUNNING = {ChargeFact.UNKNOWN, ChargeFact.PENDING, ChargeFact.ACTION_REQUIRED}
_FACTS = {
    ChargeState.SUCCEEDED: ChargeFact.SUCCEEDED,
    ChargeState.PENDING: ChargeFact.PENDING,
    ChargeState.FAILED: ChargeFact.FAILED,
    ChargeState.ACTION_REQUIRED: ChargeFact.ACTION_REQUIRED,
    ChargeState.UNKNOWN: ChargeFact.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class NewMethod:
    """A method that the customer enters in the provider's element while paying (guest checkout, PAY-10)."""

    gateway: Gateway
    customer_reference: str


def begin_attempt(
    session: TenantSession,
    providers: Providers,
    invoice: Invoice,
    method: PaymentMethod | NewMethod,
    *,
    source: str,
    off_session: bool,
    return_url: str | None = None,
    request_key: str | None = None,
    fingerprint: str | None = None,
    attempts_made: int | None = None,
) -> Payment:
    """The intent row of the next attempt at a locked invoice, for all that is payable (PAY-1).

    The database refuses a second running attempt when it is flushed (IntegrityError on ``uq_payment_running``).
    """
    payment = new_payment(session, invoice, invoice.payable, source=source)
    payment.attempt = (_attempts_made(session, invoice.id) if attempts_made is None else attempts_made) + 1
    payment.key = f"{encode_id('inv', invoice.id)}:{payment.attempt}"
    payment.request_key, payment.request_fingerprint = request_key, fingerprint
    payment.action_url = providers.action_url(payment.id)
    if isinstance(method, NewMethod):
        payment.gateway_id, payment.provider, payment.method = method.gateway.id, method.gateway.provider, "card"
    else:
        paid_with(payment, method)
    payment.request = stored(
        ChargeRequest(
            idempotency_key=payment.key,
            amount=payment.amount,
            customer_reference=method.customer_reference,
            method_reference=None if isinstance(method, NewMethod) else method.reference,
            description=invoice.number,
            metadata=_metadata(payment),
            attempt=payment.attempt,
            off_session=off_session,
            return_url=return_url,
        )
    )
    watch(session, payment)
    session.add(payment)
    return payment


def new_payment(session: TenantSession, invoice: Invoice, amount: Money, *, source: str) -> Payment:
    """A payment towards an invoice, not yet added; how it is paid is the caller's to fill in."""
    now = session.now()
    return Payment(
        id=new_id(),
        version=1,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        customer=invoice.customer,
        member_id=_id(invoice.customer.get("member_id")),
        company_id=_id(invoice.customer.get("company_id")),
        location_id=invoice.location_id,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        refunded_minor=0,
        kept_minor=0,
        state="pending",
        charge=ChargeFact.UNKNOWN.name,
        refunds={},
        disputes={},
        running=True,
        source=source,
        attempt=1,
        attempts=[],
        asked=0,
        charged_at=now,
        occurred_at=now,
        created_at=now,
        booking_ids=invoice.booking_ids,
        checkout_id=invoice.checkout_id,
    )


def paid_with(payment: Payment, method: PaymentMethod) -> None:
    """Note which saved method a payment is made with."""
    payment.gateway_id, payment.provider = method.gateway_id, method.provider
    payment.payment_method_id, payment.method = method.id, method.kind
    payment.brand, payment.last4 = method.brand, method.last4


def record_missing_method(session: TenantSession, invoice: Invoice) -> Payment:
    """The due date came and there is nothing to charge: a failure that asks the member for a method (PAY-2)."""
    payment = new_payment(session, invoice, invoice.payable, source="automatic")
    payment.attempt = _attempts_made(session, invoice.id) + 1
    payment.provider, payment.method = "none", "none"
    payment.charge, payment.state, payment.running = ChargeFact.FAILED.name, "failed", False
    payment.failure_code, payment.failure_kind, payment.failed_at = METHOD_MISSING, "hard", session.now()
    note(session, payment, "failed", METHOD_MISSING)
    session.add(payment)
    session.flush()
    replan(session, invoice)
    _announce(session, payment, payment_failed(payment, None))
    return payment


def stored_request(payment: Payment) -> ChargeRequest:
    """The request exactly as it was sent, or was to be: the same key, the same parameters."""
    return msgspec.convert(payment.request, ChargeRequest)


def lock_payment(session: TenantSession, payment_id: UUID) -> tuple[Payment, Invoice | None]:
    """A payment and its invoice, held until the end of the transaction, the invoice first. Raises NotFoundError."""
    found = session.execute(select(Payment.id, Payment.invoice_id).where(Payment.id == payment_id)).one_or_none()
    if found is None:
        raise NotFoundError("payment_not_found", "there is no such payment")
    invoice = lock_invoice(session, found.invoice_id) if found.invoice_id else None
    statement = select(Payment).where(Payment.id == payment_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one(), invoice


def lock_payments(session: TenantSession, payment_ids: list[UUID]) -> list[tuple[Payment, Invoice | None]]:
    """As `lock_payment` for many, in two statements."""
    fresh = {"populate_existing": True}
    wanted = select(Payment.invoice_id).where(Payment.id.in_(payment_ids))
    statement = select(Invoice).where(Invoice.id.in_(wanted)).order_by(Invoice.id).with_for_update()
    invoices = {row.id: row for row in session.scalars(statement.execution_options(**fresh))}
    locked = select(Payment).where(Payment.id.in_(payment_ids)).order_by(Payment.id).with_for_update()
    payments = {row.id: row for row in session.scalars(locked.execution_options(**fresh))}
    return [(payments[key], invoices.get(payments[key].invoice_id)) for key in payment_ids]  # type: ignore[arg-type]  # None finds None


def report_charge(
    session: TenantSession,
    payment: Payment,
    invoice: Invoice | None,
    outcome: ChargeOutcome,
    *,
    taken_back: bool = False,
    at: datetime | None = None,
    around: Surroundings | None = None,
) -> None:
    """Add what was reported about a locked payment's charge; announces and plans what follows from it.

    ``at``: when it happened, if not now. ``around``: what `replan` looks at, when it is loaded already.
    """
    before = ChargeFact[payment.charge]
    fact = ChargeFact.REVERSED if taken_back else _FACTS[outcome.state]
    after = max(before, fact)
    payment.provider_reference = payment.provider_reference or outcome.provider_reference
    if outcome.client_secret and after is ChargeFact.ACTION_REQUIRED:
        payment.client_secret = outcome.client_secret
    if after is before:
        watch(session, payment, outcome, asked_again=True)
        return
    payment.touch()
    payment.charge, payment.running = after.name, after in _RUNNING
    payment.occurred_at = at or session.now()
    _note_failure(session, payment, outcome, after)
    note(session, payment, after.name.lower(), outcome.failure_code)
    payment.asked = 0
    watch(session, payment, outcome)
    ledger.refresh(payment, invoice)
    collection = replan(session, invoice, around) if invoice is not None else None
    _announce_charge(session, payment, before, after, collection)
    CHARGES.labels(payment.source, payment.provider, after.name.lower()).inc()


def watch(
    session: TenantSession, payment: Payment, outcome: ChargeOutcome | None = None, *, asked_again: bool = False
) -> None:
    """Store when to ask the provider about a payment, if ever."""
    fact = ChargeFact[payment.charge]
    payment.rest_until = None
    if fact is ChargeFact.UNKNOWN:
        _watch_unknown(session, payment, asked_again=asked_again or outcome is not None)
    elif fact is ChargeFact.PENDING:
        settles = outcome.settles_after if outcome else None
        payment.check_at = payment.charged_at + settles if settles is not None else session.now() + PENDING_ASKED
    elif fact is ChargeFact.ACTION_REQUIRED:
        payment.check_at = payment.charged_at + ACTION_LASTS
    elif may_still_succeed(payment):
        payment.check_at = session.now() + PAGE_LASTS
    else:
        payment.check_at = None


def may_still_succeed(payment: Payment) -> bool:
    """Whether a charge failed before its member's eyes, who can still have it succeed on the provider's page.

    No other attempt may be made beside it, or both could succeed. The sandbox takes no for an answer.
    """
    is_open = payment.client_secret is not None and payment.provider_reference is not None
    return payment.charge == ChargeFact.FAILED.name and is_open and payment.provider != "sandbox"


def report_closing(session: TenantSession, payment: Payment, invoice: Invoice | None, outcome: ChargeOutcome) -> None:
    """Add what became of cancelling a charge that `may_still_succeed`; one that did not is over for good."""
    if outcome.state is ChargeState.FAILED:
        payment.client_secret = None
    report_charge(session, payment, invoice, outcome)


def _watch_unknown(session: TenantSession, payment: Payment, *, asked_again: bool) -> None:
    """Ask when the answer had its time, then ever more seldom, up to once an hour; the sandbox at once.

    A rehearsal's clock stands still, so there the real rest alone decides.
    """
    seconds = ANSWER_SECONDS.get(payment.provider, USUAL_ANSWER_SECONDS)
    if asked_again:
        payment.asked += 1
        seconds = 0 if payment.provider == "sandbox" else min(5 * 2**payment.asked, 3600)
    rest = timedelta(seconds=seconds)
    payment.rest_until = session.clock.now() + rest
    payment.check_at = session.now() + (timedelta(0) if session.organization.clock_now else rest)
    if not rest:
        wake_scheduler(session)


def note(session: TenantSession, payment: Payment, state: str, code: str | None) -> None:
    """Add a line to the payment's own story."""
    line = {"at": session.now().isoformat().replace("+00:00", "Z"), "state": state, "failure_code": code}
    payment.attempts = [*payment.attempts, line]


def _note_failure(session: TenantSession, payment: Payment, outcome: ChargeOutcome, after: ChargeFact) -> None:
    if after not in {ChargeFact.FAILED, ChargeFact.REVERSED}:
        payment.failure_code = payment.failure_kind = payment.failed_at = None
        return
    payment.failure_code = outcome.failure_code or ("returned" if after is ChargeFact.REVERSED else "unknown")
    payment.failure_kind = outcome.failure_kind.value if outcome.failure_kind else "soft"
    payment.failed_at = session.now()


def _announce_charge(
    session: TenantSession, payment: Payment, before: ChargeFact, after: ChargeFact, collection: Collection | None
) -> None:
    if after is ChargeFact.SUCCEEDED:
        _announce(session, payment, payment_succeeded(payment))
    elif after is ChargeFact.PENDING:
        _announce(session, payment, payment_pending(payment))
    elif after is ChargeFact.ACTION_REQUIRED:
        _announce(session, payment, payment_action_required(payment, payment.action_url or ""))
    elif after is ChargeFact.REVERSED and before is ChargeFact.SUCCEEDED:
        _announce(session, payment, payment_reversed(payment, payment.failure_code or "returned"))
    else:
        _announce(session, payment, payment_failed(payment, collection.next_attempt_at if collection else None))


def _announce(session: TenantSession, payment: Payment, message: Any) -> None:
    outbox.add(session, message, aggregate_id=payment.id, aggregate_version=payment.version)


def _attempts_made(session: TenantSession, invoice_id: UUID) -> int:
    statement = select(func.count()).select_from(Payment)
    return session.scalar(statement.where(Payment.invoice_id == invoice_id, Payment.source != "manual")) or 0


def _metadata(payment: Payment) -> dict[str, str]:
    facts = {"payment_id": encode_id("pay", payment.id)}
    if payment.invoice_id is not None:
        facts["invoice_id"] = encode_id("inv", payment.invoice_id)
    return facts


def stored(request: ChargeRequest) -> dict[str, Any]:
    """The whole request as JSON; `stored_request` reads it back."""
    fields: dict[str, Any] = msgspec.to_builtins(request)
    return fields


def _id(text: Any) -> UUID | None:
    return UUID(str(text)) if text else None
