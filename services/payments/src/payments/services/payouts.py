"""Fetching what providers paid out, page by page, once a day, in rehearsals once a week.

A provider's last weeks are read again each time: a payout that had arrived may still fail, and one that was being made
gets its items later. Whatever was stored stays; a turn that breaks off is taken up where `PayoutFeed.since` stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from common.clock import at_local_hour, local_date
from common.db import TenantSession
from common.errors import ConflictError, DomainError
from common.ids import new_id
from common.jobs import JobRun, wake_scheduler
from payments.gateways.payouts import ItemKind, PayoutDetails
from payments.gateways.payouts import PayoutItem as Part
from payments.gateways.port import GatewayRejectedError, PaymentGateway
from payments.models import Gateway, Payout, PayoutFeed, PayoutItem
from payments.services.providers import Providers

logger = structlog.get_logger(__name__)
_FETCH_HOUR = 6
# A rehearsal's days are not its provider's: asking on each would only hold up its clock.
_EVERY_DAYS = {"live": 1, "rehearsal": 7}
_FIRST_LOOK_BACK = timedelta(days=180)
_READ_AGAIN = timedelta(days=21)
_LEASE = timedelta(minutes=10)
# How often a provider is asked at most, in real time: a rehearsal's days may pass in seconds.
_PAUSE = timedelta(hours=1)
_CHUNK = 500
_SUMS = {
    ItemKind.CHARGE: "charged_minor",
    ItemKind.REFUND: "refunded_minor",
    ItemKind.DISPUTE: "disputed_minor",
    ItemKind.OTHER: "other_minor",
}


@dataclass(frozen=True, slots=True)
class _Turn:
    gateway_id: UUID
    adapter: PaymentGateway
    since: datetime


def follow_payouts(session: TenantSession, gateway: Gateway, adapter: PaymentGateway) -> None:
    """Ask a gateway for its payouts from now on, where it has any."""
    if adapter.capabilities().payouts:
        session.add(PayoutFeed(id=gateway.id, due_at=session.now()))


def fetch_soon(session: TenantSession, gateway_id: UUID) -> PayoutFeed:
    """Have a worker ask a gateway now, however short ago it was asked. Raises ConflictError ``no_payouts``."""
    feed = session.get(PayoutFeed, gateway_id, with_for_update=True)
    if feed is None or feed.due_at is None:
        raise ConflictError("no_payouts", "this gateway tells of no payouts, or is no longer connected")
    feed.due_at, feed.rest_until = session.now(), None
    wake_scheduler(session)
    return feed


def stop_following(session: TenantSession, gateway_id: UUID) -> None:
    """Ask no more; what was stored stays."""
    feed = session.get(PayoutFeed, gateway_id, with_for_update=True)
    if feed is not None:
        feed.due_at = None


def fetch_due(run: JobRun, providers: Providers) -> None:
    """Fetch the payouts of every gateway of the organisation whose time has come."""
    for gateway_id in _due(run):
        turn = _begin(run, providers, gateway_id)
        if turn is not None:
            _end(run, turn, _fetch(run, turn))


def _due(run: JobRun) -> Sequence[UUID]:
    with run.database.session(run.organization_id) as session:
        return session.scalars(select(PayoutFeed.id).where(PayoutFeed.due_at <= run.now)).all()


def _begin(run: JobRun, providers: Providers, gateway_id: UUID) -> _Turn | None:
    """Take a lease and plan the next turn; None when another worker has it, or the provider was asked just now."""
    with run.database.session(run.organization_id) as session:
        statement = select(PayoutFeed).where(PayoutFeed.id == gateway_id, PayoutFeed.due_at <= run.now)
        feed = session.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
        if feed is None:
            return None
        real_now = session.clock.now()
        feed.due_at = _next_turn(session)
        rests = feed.rest_until is not None and feed.rest_until > real_now
        turn = None if rests else _open(session, providers, feed)
        if not rests:
            feed.rest_until = real_now + _LEASE
        session.commit()
    return turn


def _next_turn(session: TenantSession) -> datetime:
    organization = session.organization
    day = local_date(session.now(), organization.timezone) + timedelta(days=_EVERY_DAYS[organization.mode])
    return at_local_hour(day, _FETCH_HOUR, organization.timezone)


def _open(session: TenantSession, providers: Providers, feed: PayoutFeed) -> _Turn | None:
    gateway = session.get_one(Gateway, feed.id)
    try:
        adapter = providers.open(gateway)
    except DomainError as error:
        feed.failure_code = error.code
        return None
    # Providers live in real time, whatever the organisation's clock says.
    return _Turn(gateway.id, adapter, feed.since or session.clock.now() - _FIRST_LOOK_BACK)


def _fetch(run: JobRun, turn: _Turn) -> DomainError | None:
    """Store what the provider tells; what is stored stays when it breaks off. No transaction while asking."""
    try:
        for payout in turn.adapter.payouts(turn.since):
            payout_id, known = _keep(run, turn.gateway_id, payout)
            if not known:
                _keep_items(run, turn, payout_id, payout)
    except DomainError as error:
        logger.warning("payouts_not_told", gateway=str(turn.gateway_id), code=error.code)
        return error
    return None


def _keep(run: JobRun, gateway_id: UUID, payout: PayoutDetails) -> tuple[UUID, bool]:
    """Store a payout's newest state; second: whether its items are here already, and all of them."""
    values = {
        "gateway_id": gateway_id,
        "provider_reference": payout.reference,
        "currency": payout.amount.currency,
        "amount_minor": payout.amount.amount_minor,
        "state": payout.state.value,
        "arrives_on": payout.arrives_on,
        "made_at": payout.made_at,
        "itemised": payout.itemised,
    }
    with run.database.session(run.organization_id) as session:
        new = {"id": new_id(), "organization_id": run.organization_id, "complete": False, **dict.fromkeys(_ZEROS, 0)}
        statement = upsert(Payout).values({**values, **new})
        changes = {name: value for name, value in values.items() if name != "itemised"}
        keys = [Payout.gateway_id, Payout.provider_reference]
        kept = statement.on_conflict_do_update(index_elements=keys, set_=changes)
        row = session.execute(kept.returning(Payout.id, Payout.complete)).one()
        session.commit()
    return row.id, row.complete


def _keep_items(run: JobRun, turn: _Turn, payout_id: UUID, payout: PayoutDetails) -> None:
    """Store what a payout is made of in place of what was told of it before."""
    parts, itemised = _parts(turn, payout)
    with run.database.session(run.organization_id) as session:
        row = session.get_one(Payout, payout_id, with_for_update=True)
        session.execute(delete(PayoutItem).where(PayoutItem.payout_id == payout_id))
        for chunk in _chunks(parts):
            session.execute(insert(PayoutItem), [_item(row, part) for part in chunk])
        row.itemised, row.complete = itemised, payout.complete or not itemised
        for name, minor in _sums(parts).items():
            setattr(row, name, minor)
        session.commit()


def _parts(turn: _Turn, payout: PayoutDetails) -> tuple[list[Part], bool]:
    try:
        return list(turn.adapter.payout_items(payout)), payout.itemised
    except GatewayRejectedError as error:
        # Too old, or not to be told apart: the payout itself counts all the same.
        logger.info("payout_items_not_told", payout=payout.reference, code=error.code)
        return [], False


def _chunks(parts: Iterable[Part]) -> Iterator[list[Part]]:
    left = iter(parts)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _item(payout: Payout, part: Part) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": payout.organization_id,
        "payout_id": payout.id,
        "gateway_id": payout.gateway_id,
        "kind": part.kind.value,
        "currency": part.amount.currency,
        "amount_minor": part.amount.amount_minor,
        "fee_minor": part.fee.amount_minor,
        "paid_currency": part.paid.currency if part.paid else None,
        "paid_minor": part.paid.amount_minor if part.paid else None,
        "charge_reference": part.charge_reference,
        "refund_reference": part.refund_reference,
        "provider_reference": part.reference,
    }


def _sums(parts: Iterable[Part]) -> dict[str, int]:
    """Amounts by kind; a fee of its own and a fee held back from a charge are both fees."""
    sums = dict.fromkeys(_ZEROS, 0)
    for part in parts:
        sums["fees_minor"] += part.fee.amount_minor
        if part.kind is ItemKind.FEE:
            sums["fees_minor"] -= part.amount.amount_minor
        else:
            sums[_SUMS[part.kind]] += part.amount.amount_minor
    return sums


_ZEROS = (*_SUMS.values(), "fees_minor")


def _end(run: JobRun, turn: _Turn, error: DomainError | None) -> None:
    with run.database.session(run.organization_id) as session:
        feed = session.get_one(PayoutFeed, turn.gateway_id, with_for_update=True)
        real_now = session.clock.now()
        feed.failure_code = error.code if error else None
        feed.rest_until = real_now + _PAUSE
        if error is None:
            feed.fetched_at, feed.since = session.now(), real_now - _READ_AGAIN
        elif feed.due_at is not None:
            feed.due_at = min(feed.due_at, session.now() + _PAUSE)
        session.commit()
