"""Scheduled work of the booking service; what is due stands in the rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from booking.config import BookingSettings
from booking.models import Booking, CheckIn, CreditGrant, Membership
from booking.services import grants, lifecycle, visits
from common.db import TenantSession
from common.jobs import Job, JobRun

_BATCH = 50


def build_jobs(_settings: BookingSettings) -> Sequence[Job]:
    """Holds that run out, bookings that end or are missed, credits that come and go, forgotten check-outs."""
    return (
        Job("bookings", _due(Booking, Booking.due_at), _in_batches(lifecycle.run_due)),
        Job("credit-expiry", _due(CreditGrant, CreditGrant.due_at), _in_batches(grants.expire_due_grants)),
        Job("monthly-grants", _due(Membership, Membership.grant_due_at), _in_batches(grants.grant_due_months)),
        Job("check-outs", _due(CheckIn, CheckIn.due_at), _in_batches(visits.close_forgotten)),
    )


def _due(model: type[Any], due_at: Any) -> Any:
    return select(model.organization_id, due_at.label("due_at")).where(due_at.is_not(None))


def _in_batches(work: Callable[[TenantSession, datetime, int], int]) -> Callable[[JobRun], None]:
    """Run a use case in transactions of a few rows each until nothing is due."""

    def run(job: JobRun) -> None:
        while True:
            with job.database.session(job.organization_id) as session:
                done = work(session, job.now, _BATCH)
                session.commit()
            if not done:
                return

    return run
