"""Checkouts of the storefront that nobody paid: what was bought with them is taken back (GH-2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, func, select

from common.db import Database, TenantSession
from common.errors import ConflictError, DomainError
from invoicing.models import Fee, Invoice, PaymentCopy
from invoicing.services.fees import drop_fee
from invoicing.services.invoices import find_invoice, void_invoice, write_off
from invoicing.services.membership_changes import end_membership
from invoicing.services.memberships import find_membership, today_of
from invoicing.services.promo_codes import give_back_uses

logger = structlog.get_logger(__name__)
_EXPIRED = "checkout expired"

# As long as a slot is held: API.md, ``expires_at``.
CHECKOUT_TIME = timedelta(minutes=10)


def unpaid_checkouts() -> Any:
    """(organisation, instant) of each purchase that is taken back unless it is paid; held bookings end alone."""
    return select(Invoice.organization_id, (Invoice.issued_at + CHECKOUT_TIME).label("due_at")).where(_is_unpaid())


def _is_unpaid() -> ColumnElement[bool]:
    return and_(
        Invoice.checkout_id.is_not(None),
        Invoice.state == "open",
        Invoice.collect_now,
        Invoice.paid_minor == 0,
        Invoice.processing_minor == 0,
        func.cardinality(Invoice.booking_ids) == 0,
        # What was paid once and charged back is for dunning.
        ~select(PaymentCopy.id)
        .where(PaymentCopy.invoice_id == Invoice.id, PaymentCopy.state.not_in(("failed", "action_required")))
        .exists(),
    )


def expire_checkouts(database: Database, organization_id: UUID) -> None:
    """Take back the purchases whose time is over, each in a transaction of its own."""
    while _expire_one(database, organization_id):
        pass


def _expire_one(database: Database, organization_id: UUID) -> bool:
    with database.session(organization_id) as session:
        over = _is_unpaid() & (Invoice.issued_at <= session.now() - CHECKOUT_TIME)
        found = session.scalar(select(Invoice.id).where(over).order_by(Invoice.issued_at, Invoice.id).limit(1))
        if found is None:
            return False
        invoice = find_invoice(session, found, lock=True)
        if invoice.state == "open" and not (invoice.paid_minor or invoice.processing_minor):
            _take_back(session, invoice)
        session.commit()
        return True


def _take_back(session: TenantSession, invoice: Invoice) -> None:
    fees = [line.fee_id for line in invoice.lines if line.fee_id is not None]
    memberships = {line.membership_id for line in invoice.lines if line.membership_id is not None}
    try:
        with session.begin_nested():
            void_invoice(session, invoice, _EXPIRED)
            _drop_sources(session, fees, memberships)
    except ConflictError:
        # The books were closed meanwhile, or the next period is billed already: the invoice stays, nobody is asked
        # for it, and what was not paid for does not go on.
        write_off(session, find_invoice(session, invoice.id, lock=True))
        _end_today(session, memberships)


def _end_today(session: TenantSession, memberships: set[UUID]) -> None:
    for membership_id in sorted(memberships):
        membership = find_membership(session, membership_id, lock=True)
        try:
            with session.begin_nested():
                end_membership(session, membership, today_of(session, membership), override=True, reason=_EXPIRED)
        except DomainError as error:
            # The checkout is over all the same; staff sees a membership that nobody paid for.
            logger.warning("membership_not_ended", membership=str(membership_id), code=error.code)


def _drop_sources(session: TenantSession, fees: list[UUID], memberships: set[UUID]) -> None:
    for fee in session.scalars(select(Fee).where(Fee.id.in_(fees), Fee.status == "unbilled")).all():
        drop_fee(session, fee, reason=_EXPIRED)
    for membership_id in sorted(memberships):
        membership = find_membership(session, membership_id, lock=True)
        before: Any = membership.start_date - timedelta(days=1)
        end_membership(session, membership, before, override=True, reason=_EXPIRED)
    give_back_uses(session, [*fees, *memberships])
