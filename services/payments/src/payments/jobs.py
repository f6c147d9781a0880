"""What the scheduler runs for payments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import select

from common.jobs import Job
from payments.config import PaymentsSettings
from payments.models import Collection, Payment, PaymentMethod, Refund, WebhookEvent
from payments.services.collecting import collect_due
from payments.services.expiry import announce_due
from payments.services.providers import Providers
from payments.services.refunds import refund_due
from payments.services.resolving import resolve_due
from payments.services.webhooks import apply_due


def build_jobs(settings: PaymentsSettings) -> Sequence[Job]:
    """All jobs, with providers of their own."""
    return jobs_with(Providers(settings))


def jobs_with(providers: Providers) -> Sequence[Job]:
    """The jobs on given providers."""
    return (
        Job(
            "apply-webhooks",
            select(WebhookEvent.organization_id, WebhookEvent.due_at).where(WebhookEvent.due_at.is_not(None)),
            partial(apply_due, providers=providers),
        ),
        Job(
            "resolve",
            select(Payment.organization_id, Payment.check_at).where(Payment.check_at.is_not(None)),
            partial(resolve_due, providers=providers),
        ),
        Job(
            "collect",
            select(Collection.organization_id, Collection.next_attempt_at).where(
                Collection.next_attempt_at.is_not(None)
            ),
            partial(collect_due, providers=providers),
        ),
        Job(
            "refund",
            select(Refund.organization_id, Refund.check_at).where(Refund.check_at.is_not(None)),
            partial(refund_due, providers=providers),
        ),
        Job(
            "announce-expiry",
            select(PaymentMethod.organization_id, PaymentMethod.announce_at).where(
                PaymentMethod.announce_at.is_not(None)
            ),
            announce_due,
        ),
    )
