"""What invoicing adds to the "Getting paid" checklist and the billing doctor (DOMAIN section 0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from common.clock import local_date
from common.db import TenantSession
from invoicing.models import BillingRun, Fee, Membership
from invoicing.services.settings import billing_settings


def setup_facts(session: TenantSession) -> dict[str, Any]:
    """The three switches; what should have been invoiced before today and was not; the last run's errors."""
    settings = billing_settings(session)
    today = local_date(session.now(), session.organization.timezone)
    late = {
        "fees_unbilled": select(func.count(Fee.id)).where(Fee.issue_on < today),
        "memberships_unbilled": select(func.count(Membership.id)).where(Membership.issue_on < today),
    }
    counts = session.execute(select(*(count.scalar_subquery().label(name) for name, count in late.items()))).one()
    return {
        "automatic_generation": settings.automatic_generation,
        "automatic_sending": settings.automatic_sending,
        "automatic_collection": settings.automatic_collection,
        **counts._mapping,
        "last_run_errors": _last_run_errors(session),
    }


def _last_run_errors(session: TenantSession) -> int:
    """How many customers the newest run could not bill."""
    newest = select(func.jsonb_array_length(BillingRun.errors)).order_by(BillingRun.id.desc()).limit(1)
    return session.scalar(newest) or 0


def setup_problems(facts: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What was used and earns nothing yet."""
    runs = "/v1/billing-runs"
    if number := facts["fees_unbilled"] + facts["memberships_unbilled"]:
        detail = f"items that should have been invoiced by now: {number}; make a billing run"
        yield _problem("unbilled_items", detail, runs, number)
    if facts["last_run_errors"]:
        detail = f"customers whom the last billing run could not bill: {facts['last_run_errors']}"
        yield _problem("billing_run_errors", detail, runs, facts["last_run_errors"])


def _problem(code: str, detail: str, href: str, number: int) -> dict[str, str]:
    return {"code": code, "detail": detail, "href": href, "about": str(number)}
