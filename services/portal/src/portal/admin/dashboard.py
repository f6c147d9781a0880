"""What matters today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, session

from common.clock import wall_to_instant
from portal.admin.checklist import count_done
from portal.admin.door import blueprint
from portal.api import api
from portal.charts import Column, columns
from portal.formats import instant_text, local, money, month_name, organization_zone
from portal.rehearsal_clock import now
from portal.seats import current_seat

SHOWN = "held,tentative,confirmed,checked_in,completed"
_LISTED, _FAILED = 8, 20


@blueprint.get("/")
def dashboard() -> str:
    """Today's bookings, what came in and is owed, and what failed."""
    start, end = today()
    calls = api()
    bookings = calls.items("/v1/bookings", **{"from": start, "to": end}, status=SHOWN, sort="start", limit=_LISTED)
    figures = calls.maybe("/v1/reports/summary") or {}
    return render_template(
        "admin/dashboard.html",
        is_set_up=session.get("all_set_up"),
        bookings=bookings,
        day=calls.maybe("/v1/reports/day", date=local(now()).date().isoformat()) or {},
        failed=_failed(),
        figures=figures,
        revenue=_revenue(figures),
    )


@blueprint.get("/next-step")
def next_step() -> str:
    """Where the checklist stands, for the dashboard; once nothing is left to do it is not asked for again."""
    steps = (api().maybe("/v1/setup") or {}).get("steps", [])
    following = next((step for step in steps if step["state"] == "todo"), None)
    if steps and following is None:
        session["all_set_up"] = True
    return render_template("admin/next_step.html", steps=steps, done=count_done(steps), following=following)


def _failed() -> list[dict[str, Any]]:
    """The last failed charge of each invoice; several attempts at one are one worry."""
    found: dict[str, dict[str, Any]] = {}
    for payment in api().items("/v1/payments", state="failed", limit=_FAILED):
        found.setdefault(payment.get("invoice_id") or payment["id"], payment)
    return list(found.values())[:5]


def _revenue(figures: dict[str, Any]) -> list[Column]:
    """Net revenue by month, from the first month that had any."""
    rows = [(row["month"], row["net"]["amount_minor"]) for row in figures.get("revenue", [])]
    while rows and not rows[0][1]:
        rows.pop(0)
    return columns([(month_name(month), net, money(amount(net))) for month, net in rows])


def amount(minor: int) -> dict[str, Any]:
    """Minor units as money of the organisation."""
    return {"amount_minor": minor, "currency": current_seat().organization.get("currency", "EUR")}


def today() -> tuple[str, str]:
    """The organisation's day as two instants."""
    zone = organization_zone()
    midnight = now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ends = midnight + timedelta(days=1)
    return instant_text(wall_to_instant(midnight, zone)), instant_text(wall_to_instant(ends, zone))
