"""What the scheduler runs for payments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from common.jobs import Job
from payments.config import PaymentsSettings
from payments.models import Collection, Payment, PaymentMethod, PayoutFeed, Refund, WebhookEvent
from payments.services.collecting import collect_due
from payments.services.erasing import forget_due
from payments.services.expiry import announce_due
from payments.services.payouts import fetch_due
from payments.services.providers import Providers
from payments.services.refunding import refund_due
from payments.services.resolving import resolve_due
from payments.services.webhooks import apply_due


def build_jobs(settings: PaymentsSettings) -> Sequence[Job]:
    """All jobs, with providers of their own."""
    return jobs_with(Providers(settings))


def jobs_with(providers: Providers) -> Sequence[Job]:
    """The jobs on given providers."""
    return (
        Job("apply-webhooks", _pending(WebhookEvent, "due_at"), partial(apply_due, providers=providers)),
        Job("resolve", _pending(Payment, "check_at"), partial(resolve_due, providers=providers)),
        Job("collect", _pending(Collection, "next_attempt_at"), partial(collect_due, providers=providers)),
        Job("refund", _pending(Refund, "check_at"), partial(refund_due, providers=providers)),
        Job("announce-expiry", _pending(PaymentMethod, "announce_at"), announce_due),
        Job("forget-methods", _pending(PaymentMethod, "forget_at"), partial(forget_due, providers=providers)),
        Job("fetch-payouts", _pending(PayoutFeed, "due_at"), partial(fetch_due, providers=providers)),
    )


def _pending(model: Any, name: str) -> Any:
    """(organisation, due instant) of the rows that have one."""
    column = getattr(model, name)
    return select(model.organization_id, column).where(column.is_not(None))
