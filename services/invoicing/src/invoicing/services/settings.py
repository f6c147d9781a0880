"""Billing settings: made with their defaults when first needed, changed with the schedule that follows from them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from common.clock import local_date
from common.db import TenantSession
from common.errors import FieldError, InvalidError
from common.ids import new_id
from common.jobs import wake_scheduler
from common.messaging import outbox
from common.money import Money
from contracts.taxes import spell_taxes
from invoicing.domain.numbering import parse_template
from invoicing.messages.publishes import billing_settings_changed
from invoicing.models import BillingSettings, Invoice
from invoicing.services.numbers import continue_series
from invoicing.services.taxes import stored_overrides

_RESCHEDULING = {"generate_days_before", "period_start"}
_DUNNING = {
    "reminders", "block_bookings_after_days", "end_memberships_after_days", "charge_hour", "late_fee_percent",
    "late_fee_minor", "late_fee_grace_days", "late_fee_repeat_days",
}  # fmt: skip
_TEMPLATES = {"number_template": "invoice", "credit_note_number_template": "credit_note"}


def billing_settings(session: TenantSession, *, lock: bool = False) -> BillingSettings:
    """The organisation's billing settings; two first readers at once make one row."""
    statement = select(BillingSettings).where(BillingSettings.organization_id == session.organization_id)
    if lock:
        statement = statement.with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        _make(session)
        found = session.scalars(statement).one()
    return found


def _make(session: TenantSession) -> None:
    defaults = {
        column.name: column.default.arg(None) if column.default.is_callable else column.default.arg
        for column in BillingSettings.__table__.columns
        if column.default is not None and column.name != "id"
    }
    defaults |= {
        "id": new_id(),
        "organization_id": session.organization_id,
        "currency": session.organization.currency,
        "version": 1,
    }
    session.execute(insert(BillingSettings).values(**defaults).on_conflict_do_nothing())


def change_settings(session: TenantSession, settings: BillingSettings, **values: Any) -> BillingSettings:
    """Change locked settings. Raises InvalidError for a template that repeats numbers or a lock date not yet past."""
    late_fee: Money | None = values.pop("late_fee", None)
    if late_fee is not None:
        if late_fee.currency != session.organization.currency:
            raise InvalidError("currency_mismatch", f"amounts are in {session.organization.currency}")
        values["late_fee_minor"] = late_fee.amount_minor
    _check(session, settings, values)
    values = spell_taxes(values, settings.tax_percent if settings.taxes else None)
    if values.get("tax_percent", settings.tax_percent) is None:
        # "No parallel taxes" without the one tax instead: the rate stays what their sum was.
        values["tax_percent"] = settings.tax_percent
    if "tax_overrides" in values:
        values["tax_overrides"] = stored_overrides(session, values["tax_overrides"])
    new_templates = [
        name for name in _TEMPLATES if values.get(name, getattr(settings, name)) != getattr(settings, name)
    ]
    for name, value in values.items():
        setattr(settings, name, value)
    for name in new_templates:
        continue_series(session, _TEMPLATES[name], parse_template(values[name]))
    settings.touch()
    session.flush()
    if _RESCHEDULING & values.keys():
        from invoicing.services.scheduling import reschedule_everything

        reschedule_everything(session, settings)
    if _DUNNING & values.keys():
        attend_to_open_invoices(session)
    outbox.add(
        session,
        billing_settings_changed(settings),
        aggregate_id=settings.id,
        aggregate_version=settings.version,
    )
    wake_scheduler(session)
    return settings


def attend_to_open_invoices(session: TenantSession, payer_id: UUID | None = None) -> None:
    """Have the dunning of all unpaid invoices, or of one customer's, looked at anew now: its rules have changed."""
    statement = update(Invoice).where(Invoice.state == "open", Invoice.payable_minor > 0)
    if payer_id is not None:
        statement = statement.where(Invoice.payer_id == payer_id)
    session.execute(statement.values(dunning_at=session.now()).execution_options(synchronize_session=False))


def _check(session: TenantSession, settings: BillingSettings, values: dict[str, Any]) -> None:
    _check_templates(settings, values)
    lock_date = values.get("lock_date")
    if lock_date is not None and lock_date >= local_date(session.now(), session.organization.timezone):
        raise InvalidError(
            "invalid_lock_date",
            "the lock date must be in the past",
            errors=[FieldError("/lock_date", "Must be before today.")],
        )


def _check_templates(settings: BillingSettings, values: dict[str, Any]) -> None:
    """Each can be used, and an invoice and a credit note never have the same number (DOC-2)."""
    invoice, note = (parse_template(values.get(name, getattr(settings, name))) for name in _TEMPLATES)
    if invoice.pattern == note.pattern and _TEMPLATES.keys() & values.keys():
        raise InvalidError(
            "invalid_number_template",
            "invoices and credit notes need different numbers",
            errors=[FieldError(f"/{name}", "Must differ.") for name in _TEMPLATES if name in values],
        )
