"""Keeping copies of what other services own. Messages may come twice and in any order: only newer versions count."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from payments.models import BillingSettings, Customer, Invoice, Location
from payments.services import ledger
from payments.services.erasing import ERASED, erase
from payments.services.planning import lock_invoice, payer_of, replan, replan_everything, replan_payer


def keep_invoice(session: TenantSession, values: dict[str, Any]) -> None:
    """Store an issued invoice's newest state, and plan its collection anew."""
    values = {**values, "payer_id": payer_of(values["customer"]), "received_at": session.now()}
    statement = (
        insert(Invoice)
        .values({**values, "organization_id": session.organization_id, "kept_minor": 0, "noted_minor": 0})
        .on_conflict_do_nothing(index_elements=[Invoice.id])
        .returning(Invoice)
    )
    # A row of our own making is locked.
    invoice = session.scalars(statement).one_or_none() or _newer(session, values)
    if invoice is not None:
        replan(session, invoice)


def _newer(session: TenantSession, values: dict[str, Any]) -> Invoice | None:
    """The known invoice, locked, with its newer state; None when this one is old."""
    invoice = lock_invoice(session, values["id"])
    if invoice is None:
        raise PermissionError("an invoice of another organisation")
    if values["version"] <= invoice.version:
        return None
    _take_over(session, invoice, values)
    return invoice


def _take_over(session: TenantSession, invoice: Invoice, values: dict[str, Any]) -> None:
    credited_before = invoice.credited_minor
    kept = {"id", "received_at"}
    if _is_of_erased(session, invoice):
        kept |= {"customer"}
    for name, value in values.items():
        if name not in kept:
            setattr(invoice, name, value)
    ledger.reflect(invoice, credited_before)


def _is_of_erased(session: TenantSession, invoice: Invoice) -> bool:
    """The books go on naming whom an invoice was for; here it is forgotten."""
    payer = session.get(Customer, invoice.payer_id) if invoice.payer_id else None
    return payer is not None and payer.status == ERASED


def keep_customer(session: TenantSession, values: dict[str, Any]) -> None:
    """Store a member's or company's newest state; their choice about automatic collection counts at once.

    Of a member who was erased nothing stays that tells who it was.
    """
    if not _keep(session, Customer, values):
        return
    if values["status"] == ERASED:
        erase(session, values["id"])
    else:
        replan_payer(session, values["id"])


def keep_location(session: TenantSession, values: dict[str, Any]) -> None:
    """Store a location's newest state."""
    _keep(session, Location, values)


def keep_settings(session: TenantSession, values: dict[str, Any]) -> None:
    """Store the newest billing settings; a switch that was turned counts for all open invoices from now on."""
    if _keep(session, BillingSettings, {**values, "id": session.organization_id}):
        replan_everything(session)


def _keep(session: TenantSession, model: Any, values: dict[str, Any]) -> bool:
    """Upsert when newer; tells whether it was."""
    statement = insert(model).values({**values, "organization_id": session.organization_id})
    new = {name: statement.excluded[name] for name in values if name != "id"}
    upsert = statement.on_conflict_do_update(
        index_elements=[model.id], set_=new, where=model.version < statement.excluded.version
    )
    session.flush()
    changed = session.execute(upsert.returning(model.id)).first() is not None
    if changed:
        session.expire_all()
    return changed
