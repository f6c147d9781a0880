"""Charging what is due: claim and commit intents, call providers over a bounded pool, record answers (PAY-1).

Providers are called outside any transaction. While charges are on their way, the next ones are claimed and the answers
of others are recorded, several in one transaction: the pool never waits for the database.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from uuid import UUID

import structlog
from sqlalchemy import select

from common.db import TenantSession
from common.errors import UnavailableError
from common.jobs import JobRun
from payments.gateways.port import ChargeOutcome, ChargeRequest, ChargeState, PaymentGateway
from payments.models import Collection, Gateway, Invoice, Payment
from payments.services import charging
from payments.services.planning import replan
from payments.services.providers import Pace, Providers
from payments.services.surroundings import Surroundings, look_around

logger = structlog.get_logger(__name__)
# Intents are committed this many at a time, at first fewer, so that no worker waits for the first batch.
_BATCH_PER_WORKER = 8
_FIRST_PER_WORKER = 2
# More are claimed when no more than this wait for the pool: enough for it never to wait. With the batch it bounds
# what a killed worker leaves to the sweeper.
_BACKLOG_PER_WORKER = 16
# Answers wait this long for others, to be recorded with them.
_MOMENT_SECONDS = 0.05
_UNUSABLE_REST = timedelta(hours=1)
_CLOSING_REST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """A committed intent with all that is needed to carry it to the provider."""

    payment_id: UUID
    gateway: PaymentGateway
    pace: Pace
    request: ChargeRequest


Answer = tuple[UUID, ChargeOutcome]
Answers = SimpleQueue[Answer | BaseException | None]


def collect_due(run: JobRun, providers: Providers) -> None:
    """Charge every invoice of the organisation whose time has come, in the order of their due times."""
    answers: Answers = SimpleQueue()
    with (
        ThreadPoolExecutor(1, thread_name_prefix="record") as desk,
        ThreadPoolExecutor(providers.charge_workers, thread_name_prefix="charge") as pool,
    ):
        recording = desk.submit(_record_all, run, answers)
        try:
            _send_all(run, providers, pool, answers, recording)
        finally:
            # What cannot be recorded is not sent either; what was sent gets its answer.
            pool.shutdown(cancel_futures=recording.done())
            answers.put(None)
        recording.result()


def _send_all(run: JobRun, providers: Providers, pool: Executor, answers: Answers, recording: Future[None]) -> None:
    """Claim ahead of the pool, so that it never waits for the database; the first few at once."""
    workers = providers.charge_workers
    size, exhausted = workers * _FIRST_PER_WORKER, False
    sent: deque[Future[None]] = deque()
    while not exhausted and not recording.done():
        errands, exhausted = _claim(run, providers, size)
        sent += [pool.submit(_send, errand, answers) for errand in errands]
        while len(sent) > workers * _BACKLOG_PER_WORKER:
            sent.popleft().result()
        size = min(2 * size, workers * _BATCH_PER_WORKER)


def _send(errand: Errand, answers: Answers) -> None:
    try:
        answers.put(carry(errand))
    except BaseException as error:
        answers.put(error)
        raise


def _record_all(run: JobRun, answers: Answers) -> None:
    while batch := _gathered(answers):
        _record(run, batch)


def _gathered(answers: Answers) -> list[Answer]:
    """The next answers, those together that come within a moment; none at the end. Raises what broke the pool."""
    found: list[Answer] = []
    until = time.monotonic() + _MOMENT_SECONDS
    answer = answers.get()
    while answer is not None:
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
        try:
            answer = answers.get(timeout=max(until - time.monotonic(), 0))
        except Empty:
            return found
    if found:
        answers.put(None)
    return found


def carry(errand: Errand) -> Answer:
    """Make the charge at the provider; a fault of ours on the way leaves the outcome unknown, and the sweeper asks."""
    errand.pace.wait()
    try:
        return errand.payment_id, errand.gateway.charge(errand.request)
    except Exception:
        logger.exception("charge_broke", payment=str(errand.payment_id))
        return errand.payment_id, ChargeOutcome(ChargeState.UNKNOWN, failure_code="internal_error")


def errand_for(session: TenantSession, providers: Providers, payment: Payment) -> Errand:
    """What carries a payment's stored request to its provider."""
    gateway = session.get(Gateway, payment.gateway_id)
    if gateway is None:
        raise LookupError(f"payment {payment.id} has no gateway")
    adapter = providers.open(gateway)
    return Errand(payment.id, adapter, providers.pace(gateway.id), charging.stored_request(payment))


def _claim(run: JobRun, providers: Providers, size: int) -> tuple[list[Errand], bool]:
    """Commit the intents of the next due invoices; second: whether nothing more is due."""
    with run.database.session(run.organization_id) as session:
        due = _due_invoices(session, run, size)
        around = look_around(session, due, woken=True)
        errands = [
            errand for invoice in due if (errand := _begin(session, run, providers, invoice, around)) is not None
        ]
        session.commit()
    return errands, len(due) < size


def _due_invoices(session: TenantSession, run: JobRun, size: int) -> Sequence[Invoice]:
    statement = (
        select(Invoice)
        .join(Collection, Collection.id == Invoice.id)
        .where(Collection.next_attempt_at <= run.now)
        .order_by(Collection.next_attempt_at, Invoice.id)
        .limit(size)
        .with_for_update(of=Invoice, skip_locked=True)
    )
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def _begin(
    session: TenantSession, run: JobRun, providers: Providers, invoice: Invoice, around: Surroundings
) -> Errand | None:
    """Look again under the lock, then make the attempt's intent; None when there is nothing to charge after all."""
    collection = replan(session, invoice, around)
    if collection.next_attempt_at is None or collection.next_attempt_at > run.now:
        return None
    failed = next(filter(charging.may_still_succeed, around.charges[invoice.id]), None)
    if failed is not None and failed.check_at is not None:
        # First the page on which its member could still pay is closed (`resolve`).
        failed.check_at = session.now()
        collection.next_attempt_at = session.now() + _CLOSING_REST
        return None
    way = around.way_for(invoice)
    if way is None:
        charging.record_missing_method(session, invoice)
        return None
    method, gateway = way
    try:
        adapter = providers.open(gateway)
    except UnavailableError as error:
        # One gateway that cannot be opened must not keep the others from collecting.
        logger.error("gateway_unusable", gateway=str(method.gateway_id), code=error.code)
        collection.next_attempt_at = session.now() + _UNUSABLE_REST
        return None
    collection.state, collection.next_attempt_at = "in_progress", None
    made = len(around.charges[invoice.id])
    payment = charging.begin_attempt(
        session, providers, invoice, method, source="automatic", off_session=True, attempts_made=made
    )
    return Errand(payment.id, adapter, providers.pace(gateway.id), charging.stored_request(payment))


def _record(run: JobRun, answers: Iterable[Answer]) -> None:
    outcomes = dict(answers)
    with run.database.session(run.organization_id) as session:
        locked = charging.lock_payments(session, list(outcomes))
        around = look_around(session, [invoice for _, invoice in locked if invoice is not None])
        for payment, invoice in locked:
            charging.report_charge(session, payment, invoice, outcomes[payment.id], around=around)
        session.commit()
