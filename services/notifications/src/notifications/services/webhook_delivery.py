"""Delivering webhooks: claim under a lease, post outside of any transaction, log every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import msgspec
from sqlalchemy import or_, select

from common.clock import as_utc
from common.db import TenantSession
from common.ids import encode_id
from common.jobs import JobRun
from notifications.domain.backoff import next_attempt
from notifications.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from notifications.outgoing.posting import Answer, Poster
from notifications.outgoing.signing import HEADER, signature
from notifications.services.alerts import alert_of_disabled_endpoint
from notifications.services.sealing import unseal

BATCH = 16
PARALLEL = 8
LEASE = timedelta(minutes=5)
TURN_SECONDS = 60
GONE_LIMIT = 3
# An endpoint that took nothing for as long, and let an event run through all its tries, is given up.
FAILING_LIMIT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class _Parcel:
    delivery_id: UUID
    attempts: int
    url: str
    body: bytes
    headers: dict[str, str]


def deliver_webhooks_due(run: JobRun, poster: Poster, secrets: tuple[str, ...]) -> None:
    """Deliver all that is due for an organisation, several at a time; a long queue goes on in the next turn."""
    until = monotonic() + TURN_SECONDS
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="webhook") as pool:
        while monotonic() < until:
            parcels = _claim(run, secrets)
            if parcels is None:
                return
            for parcel, (answer, milliseconds) in zip(
                parcels, pool.map(lambda parcel: _post(poster, parcel), parcels), strict=True
            ):
                _record(run, parcel, answer, milliseconds)


def _post(poster: Poster, parcel: _Parcel) -> tuple[Answer, int]:
    started = monotonic()
    answer = poster.post(parcel.url, parcel.body, parcel.headers)
    return answer, round((monotonic() - started) * 1000)


def _claim(run: JobRun, secrets: tuple[str, ...]) -> list[_Parcel] | None:
    """The next handful with what to send; None when nothing is due. A disabled endpoint's deliveries are dropped."""
    with run.database.session(run.organization_id) as session:
        rows = _due(session, run)
        parcels: list[_Parcel] = []
        for row in rows:
            endpoint = session.get_one(WebhookEndpoint, row.endpoint_id)
            if not endpoint.enabled:
                row.state, row.due_at = "failed", None
                continue
            row.lease_until, row.attempts = session.clock.now() + LEASE, row.attempts + 1
            parcels.append(_parcel(session, row, endpoint, secrets))
        session.commit()
    return parcels if rows else None


def _due(session: TenantSession, run: JobRun) -> Sequence[WebhookDelivery]:
    free = or_(WebhookDelivery.lease_until.is_(None), WebhookDelivery.lease_until <= session.clock.now())
    return session.scalars(
        select(WebhookDelivery)
        .where(WebhookDelivery.due_at <= run.now, free)
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
    ).all()


def _parcel(
    session: TenantSession, row: WebhookDelivery, endpoint: WebhookEndpoint, secrets: tuple[str, ...]
) -> _Parcel:
    body = event_body(row.event)
    timestamp = int(session.clock.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Deskledger-Webhooks/1",
        "Deskledger-Event": row.event.type,
        "Deskledger-Delivery": encode_id("whd", row.id),
        HEADER: signature(unseal(secrets, endpoint.sealed_secret), timestamp, body),
    }
    return _Parcel(row.id, row.attempts, endpoint.url, body, headers)


def event_body(event: WebhookEvent) -> bytes:
    """What is posted: the same bytes at every attempt and replay."""
    return msgspec.json.encode(
        {
            "id": encode_id("evt", event.id),
            "type": event.type,
            "created": as_utc(event.created_at).isoformat().replace("+00:00", "Z"),
            "organization": encode_id("org", event.organization_id),
            "data": event.data,
        }
    )


def _record(run: JobRun, parcel: _Parcel, answer: Answer, milliseconds: int) -> None:
    with run.database.session(run.organization_id) as session:
        statement = select(WebhookDelivery).where(WebhookDelivery.id == parcel.delivery_id)
        row = session.scalars(statement.with_for_update(of=WebhookDelivery)).one_or_none()
        if row is None:
            return
        _log(session, row, answer, milliseconds)
        if row.attempts == parcel.attempts and row.lease_until is not None:
            row.lease_until = None
            _conclude(session, row, answer)
        session.commit()


def _log(session: TenantSession, row: WebhookDelivery, answer: Answer, milliseconds: int) -> None:
    session.add(
        WebhookAttempt(
            delivery_id=row.id,
            at=session.now(),
            status_code=answer.status,
            error=answer.error,
            answer=answer.text or None,
            milliseconds=milliseconds,
        )
    )


def _conclude(session: TenantSession, row: WebhookDelivery, answer: Answer) -> None:
    endpoint = session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.id == row.endpoint_id).with_for_update()
    ).one()
    endpoint.gone = endpoint.gone + 1 if answer.status == 410 else 0
    if answer.accepted:
        endpoint.failing_since = None
        row.state, row.due_at, row.delivered_at = "delivered", None, session.now()
        return
    endpoint.failing_since = endpoint.failing_since or session.now()
    row.due_at = _next(session, row)
    _disable_if_hopeless(session, endpoint, is_given_up=row.due_at is None)
    if not endpoint.enabled:
        row.due_at = None
    row.state = "failed" if row.due_at is None else "pending"


def _disable_if_hopeless(session: TenantSession, endpoint: WebhookEndpoint, *, is_given_up: bool) -> None:
    """Switch off an endpoint that is gone or has failed for days, and tell the team."""
    reason = _hopeless(session, endpoint, is_given_up=is_given_up)
    if reason is None or not endpoint.enabled:
        return
    endpoint.enabled, endpoint.disabled_reason = False, reason
    endpoint.touch()
    session.flush()
    alert_of_disabled_endpoint(session, endpoint)


def _hopeless(session: TenantSession, endpoint: WebhookEndpoint, *, is_given_up: bool) -> str | None:
    if endpoint.gone >= GONE_LIMIT:
        return f"answered 410 Gone {GONE_LIMIT} times in a row"
    since = None if _is_rehearsal(session) else endpoint.failing_since
    if is_given_up and since is not None and session.now() - since >= FAILING_LIMIT:
        return f"took nothing since {since.date().isoformat()}"
    return None


def _next(session: TenantSession, row: WebhookDelivery) -> datetime | None:
    # A rehearsal's clock would play a day of retries against a dead server within one step: it tries once.
    if _is_rehearsal(session):
        return None
    return next_attempt(row.attempts, session.now())


def _is_rehearsal(session: TenantSession) -> bool:
    """Whose weeks may be seconds: how long something has failed says nothing there."""
    return session.organization.mode == "rehearsal"
