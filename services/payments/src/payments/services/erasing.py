"""Forgetting who a member was: their methods end, here and at the provider, and their names leave our copies.

That money moved, and for which invoice, stays: the books need it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select, update

from common.db import TenantSession
from common.errors import DomainError
from common.ids import encode_id
from common.jobs import JobRun, wake_scheduler
from payments.models import Customer, CustomerReference, Gateway, Invoice, Payment, PaymentMethod, WebhookEvent
from payments.services.methods import announce, forget_at_provider
from payments.services.planning import replan_payer
from payments.services.providers import Providers

ERASED = "erased"
logger = structlog.get_logger(__name__)
_AGAIN = timedelta(hours=1)
# Where events name what they are about.
_NAMES = ("payment_id", "charge_reference", "customer_reference", "method_reference", "setup_reference")


def erase(session: TenantSession, member_id: UUID) -> None:
    """Forget a member whose copy says already that they are erased; once more changes nothing."""
    _forget_events(session, member_id)
    _end_methods(session, member_id)
    _forget_names(session, member_id)
    session.expire_all()
    replan_payer(session, member_id)


def _end_methods(session: TenantSession, member_id: UUID) -> None:
    statement = select(PaymentMethod).where(PaymentMethod.owner_id == member_id).order_by(PaymentMethod.id)
    for method in session.scalars(statement.with_for_update()).all():
        was_known = method.state not in {"removed", "single_use"}
        method.state, method.is_default, method.announce_at = "removed", False, None
        method.brand = method.last4 = method.exp_month = method.exp_year = method.expires_on = None
        method.forget_at = session.now() if method.reference else None
        if was_known:
            announce(session, method)
    wake_scheduler(session)


def _forget_names(session: TenantSession, member_id: UUID) -> None:
    """Payments of a company's invoice may name its person, too."""
    name = session.get_one(Customer, member_id).name
    for kind in (Invoice, Payment):
        nobody = kind.customer.concat({"name": name, "email": None, "language": None})
        theirs = kind.customer["member_id"].astext == str(member_id)
        own = kind.organization_id == session.organization_id
        session.execute(
            update(kind).where(own, theirs).values(customer=nobody), execution_options={"synchronize_session": False}
        )
    mine = (Payment.organization_id == session.organization_id, Payment.member_id == member_id)
    session.execute(
        update(Payment).where(*mine).values(brand=None, last4=None, client_secret=None),
        execution_options={"synchronize_session": False},
    )


def _forget_events(session: TenantSession, member_id: UUID) -> None:
    """Providers' calls name and address their customers; what we read in them stays."""
    names = _names(session, member_id)
    told = or_(*(WebhookEvent.event[name].astext.in_(names) for name in _NAMES))
    own = (WebhookEvent.organization_id == session.organization_id, WebhookEvent.body != b"")
    session.execute(
        update(WebhookEvent).where(*own, told).values(body=b""), execution_options={"synchronize_session": False}
    )


def _names(session: TenantSession, member_id: UUID) -> Collection[str]:
    payments = session.execute(select(Payment.id, Payment.provider_reference).where(Payment.member_id == member_id))
    found = [text for payment_id, reference in payments for text in (encode_id("pay", payment_id), reference)]
    owned = (PaymentMethod.reference, PaymentMethod.setup_reference)
    methods = session.execute(select(*owned).where(PaymentMethod.owner_id == member_id))
    found += [text for row in methods for text in row]
    found += session.scalars(select(CustomerReference.reference).where(CustomerReference.owner_id == member_id)).all()
    return {text for text in found if text}


def forget_due(run: JobRun, providers: Providers) -> None:
    """Have providers forget the methods of erased members; what does not work now is tried again in an hour."""
    for method_id, gateway_id in _claim(run):
        with run.database.session(run.organization_id) as session:
            gateway = session.get_one(Gateway, gateway_id)
            reference = session.get_one(PaymentMethod, method_id).reference
        try:
            forget_at_provider(providers, gateway, reference)
        except DomainError as error:
            logger.warning("method_not_forgotten", payment_method=str(method_id), code=error.code)
            continue
        with run.database.session(run.organization_id) as session:
            session.get_one(PaymentMethod, method_id, with_for_update=True).forget_at = None
            session.commit()


def _claim(run: JobRun) -> Sequence[tuple[UUID, UUID]]:
    with run.database.session(run.organization_id) as session:
        statement = select(PaymentMethod).where(PaymentMethod.forget_at <= run.now).order_by(PaymentMethod.id)
        claimed = session.scalars(statement.with_for_update(skip_locked=True)).all()
        for method in claimed:
            # Another worker takes it over when this one does not come back.
            method.forget_at = session.now() + _AGAIN
        found = [(method.id, method.gateway_id) for method in claimed]
        session.commit()
    return found
