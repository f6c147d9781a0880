"""The plan to charge each invoice, decided anew from all that is known whenever something about it changes.

The invoice's row is the mutex: whoever plans, charges or records holds its lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from common.db import TenantSession
from common.jobs import wake_scheduler
from payments.domain.collection import CollectionFacts, Decision, NextStep, decide
from payments.domain.payment_state import ChargeFact
from payments.domain.schedule import DEFAULT_RETRY_DAYS, ChargeCalendar, Failure
from payments.models import Collection, Gateway, Invoice, Payment, PaymentMethod
from payments.services.surroundings import Surroundings, look_around

DEFAULT_CHARGE_HOUR = 9
# What the member was told once they were asked for a method; a new one then is tried at once (PAY-2).
METHOD_MISSING = "payment_method_missing"
_ATTENDED = ("pay_now", "checkout")
_FAILED = (ChargeFact.FAILED.name, ChargeFact.REVERSED.name)


def payer_of(customer: Mapping[str, Any]) -> UUID | None:
    """Whose methods pay: the member the invoice is for, or else the company."""
    text = customer.get("member_id") or customer.get("company_id")
    return UUID(str(text)) if text else None


def lock_invoice(session: TenantSession, invoice_id: UUID) -> Invoice | None:
    """The copy of an invoice, held until the end of the transaction; None while it has not arrived."""
    statement = select(Invoice).where(Invoice.id == invoice_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def replan(session: TenantSession, invoice: Invoice, around: Surroundings | None = None) -> Collection:
    """Decide again what is to be done about a locked invoice, and store it."""
    if around is None:
        session.flush()
        around = look_around(session, [invoice])
    # Looking around would otherwise write the plan half made, once for every question.
    with session.no_autoflush:
        return _replan(session, invoice, around)


def _replan(session: TenantSession, invoice: Invoice, around: Surroundings) -> Collection:
    calendar = ChargeCalendar(around.settings.charge_hour if around.settings else DEFAULT_CHARGE_HOUR, invoice.timezone)
    collection = _collection(session, invoice, around, calendar)
    if not invoice.payable:
        return _set(session, collection, Decision(NextStep.NOTHING), "done")
    made = around.charges[invoice.id]
    failed = [payment for payment in made if payment.charge in _FAILED]
    collection.failures = len(failed)
    collection.last_failure_code = failed[-1].failure_code if failed else None
    way = around.way_for(invoice)
    facts = CollectionFacts(
        payable=invoice.payable,
        due_date=invoice.due_date,
        automatic=_automatic(invoice, collection, around),
        running=any(payment.running for payment in made),
        failures=[_failure(payment, way) for payment in failed],
        method_since=_method_since(way, failed),
        at_once=invoice.received_at if invoice.collect_now else None,
    )
    retry_days = tuple(around.settings.retry_days) if around.settings else DEFAULT_RETRY_DAYS
    decision = decide(facts, calendar, retry_days)
    return _set(session, collection, decision, "stopped" if collection.stopped else "off", around)


def replan_payer(session: TenantSession, payer_id: UUID) -> None:
    """Plan all open invoices of a customer again: their methods or their choice changed."""
    _replan_all(session, Invoice.payer_id == payer_id)


def replan_everything(session: TenantSession) -> None:
    """Plan all open invoices of the organisation again: a switch, the hour or the ladder changed."""
    _replan_all(session)


def _replan_all(session: TenantSession, *conditions: Any) -> None:
    statement = select(Invoice).where(Invoice.state.in_(("open", "uncollectible")), *conditions)
    fresh = statement.order_by(Invoice.id).with_for_update().execution_options(populate_existing=True)
    session.flush()
    invoices = session.scalars(fresh).all()
    around = look_around(session, invoices)
    for invoice in invoices:
        replan(session, invoice, around)


def _collection(session: TenantSession, invoice: Invoice, around: Surroundings, calendar: ChargeCalendar) -> Collection:
    due_at = invoice.received_at if invoice.collect_now else calendar.charge_at(invoice.due_date)
    collection = around.collections.get(invoice.id)
    if collection is None:
        collection = Collection(id=invoice.id, due_at=due_at, state="scheduled")
        session.add(collection)
        around.collections[invoice.id] = collection
    collection.due_at = due_at
    return collection


def _automatic(invoice: Invoice, collection: Collection, around: Surroundings) -> bool:
    """Whether the invoice may be charged by itself: the switch, the customer's own choice, and nothing gone wrong."""
    if collection.stopped is not None or invoice.state == "uncollectible":
        return False
    if invoice.checkout_id is not None:
        # Whoever typed an address on the storefront pays with what they enter there, not that member's card (GH-1).
        return False
    if invoice.collect_now:
        return True
    customer = around.customers.get(invoice.payer_id) if invoice.payer_id else None
    switch = around.settings.automatic_collection if around.settings else invoice.collect
    return switch and (customer.auto_collect if customer else invoice.collect)


def _failure(payment: Payment, way: tuple[PaymentMethod, Gateway] | None) -> Failure:
    """A decline is hard for the method that it happened to: another card's says nothing about the one to be charged."""
    failed_at = payment.failed_at or payment.occurred_at
    other = way is not None and payment.payment_method_id not in {None, way[0].id}
    return Failure(
        payment.key or str(payment.id),
        failed_at,
        hard=payment.failure_kind == "hard" and not other,
        attended=payment.source in _ATTENDED,
    )


def _method_since(way: tuple[PaymentMethod, Gateway] | None, failed: Sequence[Payment]) -> datetime | None:
    """A method that no attempt has failed with is newer than every failure, also while a rehearsal's clock stands."""
    if way is None:
        return None
    method, _ = way
    if not failed or any(payment.payment_method_id == method.id for payment in failed):
        return method.since
    last = max(payment.failed_at or payment.occurred_at for payment in failed)
    return max(method.since, last + timedelta(microseconds=1))


def _set(
    session: TenantSession,
    collection: Collection,
    decision: Decision,
    idle: str,
    around: Surroundings | None = None,
) -> Collection:
    states = {
        NextStep.NOTHING: idle,
        NextStep.WAIT: "in_progress",
        NextStep.CHARGE: "scheduled",
        NextStep.ASK_FOR_METHOD: "awaiting_method",
        NextStep.GIVE_UP: "gave_up",
    }
    collection.state = states[decision.step]
    collection.next_attempt_at = decision.at
    if decision.step is NextStep.ASK_FOR_METHOD and not collection.failures:
        # On the due date the member is asked, as after a decline.
        collection.next_attempt_at = collection.due_at
    due = collection.next_attempt_at is not None and collection.next_attempt_at <= session.now()
    if due and around is not None and not around.woken:
        wake_scheduler(session)
        around.woken = True
    return collection
