"""Announcing cards that end soon, 30 and 7 days before, when a charge is to come (PAY-9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from common.clock import at_local_hour, local_date
from common.db import TenantSession
from common.jobs import JobRun
from common.messaging import outbox
from payments.domain.expiry import announcement_dates, due_announcement
from payments.messages.publishes import payment_method_expiring
from payments.models import Collection, Customer, Invoice, PaymentMethod
from payments.services.methods import ANNOUNCE_HOUR
from payments.services.surroundings import billing_settings

_BATCH = 100


def announce_due(run: JobRun) -> None:
    """Announce every card of the organisation whose day has come."""
    while True:
        with run.database.session(run.organization_id) as session:
            statement = (
                select(PaymentMethod)
                .where(PaymentMethod.announce_at <= run.now)
                .order_by(PaymentMethod.announce_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            methods = session.scalars(statement).all()
            for method in methods:
                _announce(session, method, run.now)
            session.commit()
        if len(methods) < _BATCH:
            return


def _announce(session: TenantSession, method: PaymentMethod, now: datetime) -> None:
    year, month, expires_on = method.exp_year, method.exp_month, method.expires_on
    method.announce_at = None
    if year is None or month is None or expires_on is None or method.state != "active":
        return
    zone = session.organization.timezone
    today = local_date(now, zone)
    coming = [at_local_hour(day, ANNOUNCE_HOUR, zone) for day in announcement_dates(year, month) if day > today]
    method.announce_at = min((at for at in coming if at > now), default=None)
    step = due_announcement(year, month, today, method.announced, charge_to_come=_charge_to_come(session, method))
    if step is None:
        return
    method.announced = [*method.announced, step]
    method.touch()
    session.flush()
    days_left = (expires_on - today) // timedelta(days=1)
    message = payment_method_expiring(method, session.get(Customer, method.owner_id), days_left)
    outbox.add(session, message, aggregate_id=method.id, aggregate_version=method.version)


def _charge_to_come(session: TenantSession, method: PaymentMethod) -> bool:
    """The method is the one to be charged, and either collection is automatic or an invoice waits to be collected."""
    if not method.is_default:
        return False
    settings = billing_settings(session)
    customer = session.get(Customer, method.owner_id)
    if settings is not None and settings.automatic_collection and (customer is None or customer.auto_collect):
        return True
    waiting = select(Collection.id).join(Invoice, Invoice.id == Collection.id)
    statement = waiting.where(Invoice.payer_id == method.owner_id, Collection.next_attempt_at.is_not(None)).limit(1)
    return session.scalar(statement) is not None
