"""What matters today."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, render_template

from common.clock import wall_to_instant
from portal.admin.checklist import count_done
from portal.admin.door import blueprint, read_clock
from portal.api import api
from portal.formats import instant_text, organization_zone, parse_instant
from portal.names import customer_names
from portal.seats import current_seat


@blueprint.get("/")
def dashboard() -> str:
    """Today's bookings, what is owed, what failed, and the next step of the checklist."""
    start, end = today()
    calls = api()
    steps = (calls.maybe("/v1/setup") or {}).get("steps", [])
    bookings = calls.items("/v1/bookings", **{"from": start, "to": end}, limit=50)
    bookings = sorted((b for b in bookings if b["status"] not in {"cancelled", "expired", "rejected"}), key=_start)
    invoices = calls.items("/v1/invoices", limit=100)
    failed = [p for p in calls.items("/v1/payments", limit=50) if p["state"] == "failed"][:5]
    return render_template(
        "admin/dashboard.html",
        steps=steps,
        done=count_done(steps),
        following=next((step for step in steps if step["state"] == "todo"), None),
        bookings=bookings,
        failed=failed,
        names=customer_names([*bookings, *failed]),
        money=_money(invoices),
        today=start,
    )


def now() -> datetime:
    """The organisation's time."""
    if current_seat().is_rehearsal and (told := read_clock().get("now")):
        return parse_instant(told)
    instant: datetime = current_app.extensions["clock"].now()
    return instant


def today() -> tuple[str, str]:
    """The organisation's day as two instants."""
    zone = organization_zone()
    midnight = now().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ends = midnight + timedelta(days=1)
    return instant_text(wall_to_instant(midnight, zone)), instant_text(wall_to_instant(ends, zone))


def _start(booking: dict[str, Any]) -> str:
    return str(booking["start"])


def _money(invoices: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums over the newest invoices."""
    currency = current_seat().organization.get("currency", "EUR")
    issued = [i for i in invoices if i["state"] in {"open", "paid"} and i["total"]["currency"] == currency]
    parts = {
        "invoiced": sum(i["total"]["amount_minor"] for i in issued),
        "paid": sum(i["paid"]["amount_minor"] for i in issued),
        "owed": sum(i["payable"]["amount_minor"] for i in issued),
        "overdue": sum(i["payable"]["amount_minor"] for i in issued if i.get("overdue")),
    }
    return {name: {"amount_minor": amount, "currency": currency} for name, amount in parts.items()}
