"""The rehearsal's clock: advance it, and watch what happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from common.clock import wall_to_instant
from portal.admin.door import blueprint, require
from portal.api import api
from portal.fields import WallTimeField, required_number
from portal.formats import instant_text, local, money, organization_zone, parse_instant
from portal.forms import ApiForm, act
from portal.names import customer_name
from portal.rehearsal_clock import read_clock
from portal.seats import current_seat
from portal.states import word
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_MOST = 40
_CLOCK = "/v1/organization/clock"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, by the organisation's clock."""

    at: str
    icon: str
    tone: str
    title: str
    text: str
    href: str | None
    is_new: bool = False


class ClockForm(ApiForm):
    """What `POST /v1/organization/clock/advance` takes."""

    to = WallTimeField(lazy_gettext("To any other time"), [required_number])


@blueprint.route("/rehearsal", methods=["GET", "POST"])
def rehearsal() -> str | Response:
    """The clock, buttons to advance it, and the timeline."""
    if not current_seat().is_rehearsal:
        return render_template("admin/rehearsal/live.html")
    # The buttons send no time of their own.
    form = ClockForm(formdata=None) if "step" in request.form else ClockForm()
    if request.method == "POST":
        require("owner")
        if _advance(form):
            return redirect(url_for("admin.rehearsal"))
    clock = read_clock(fresh=True)
    if not clock.get("now"):
        abort(503)
    if not clock["settled"]:
        # An advance that was not finished goes on while its clock is read.
        clock = api().get(_CLOCK)
    since = session.get("since")
    return render_template("admin/rehearsal/clock.html", form=form, days=_days(since), state=clock, since=since)


@blueprint.get("/rehearsal/timeline")
def timeline() -> str:
    """What has happened so far, for who watches while the clock is moved; leaves the visitor's cookie alone."""
    g.clock = api().get(_CLOCK, wait="false")
    return render_template("admin/rehearsal/timeline.html", days=_days(request.args.get("since")))


def _days(since: str | None) -> list[tuple[date, list[Event]]]:
    return [(key, list(events)) for key, events in groupby(_events(since), lambda event: local(event.at).date())]


def _advance(form: ClockForm) -> bool:
    """Move the clock as a button or the form says; False when the form has something to show."""
    before, step = read_clock(fresh=True)["now"], request.form.get("step")
    moved = act(lambda: _move(_goal(before, step)), _("The clock has moved.")) if step else form.send(_move_to)
    if moved is not None:
        session["since"] = before
        session.pop("clock", None)
    return moved is not None or bool(step)


def _move(to: str) -> Any:
    return api().post(f"{_CLOCK}/advance", {"to": to})


def _move_to(body: dict[str, Any]) -> Any:
    return _move(body["to"])


def _goal(before: str, step: str) -> str:
    if step == "month":
        return _next_month(before)
    return instant_text(parse_instant(before) + timedelta(days=7 if step == "week" else 1))


def _next_month(before: str) -> str:
    """The first of the next month at noon, when that day's work is done."""
    zone = organization_zone()
    today = parse_instant(before).astimezone(ZoneInfo(zone)).date()
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return instant_text(wall_to_instant(datetime.combine(first, time(12)), zone))


def _events(since: str | None) -> list[Event]:
    calls = api()
    mails = calls.items("/v1/notifications", limit=_MOST)
    payments = calls.items("/v1/payments", limit=_MOST)
    invoices = calls.items("/v1/invoices", limit=_MOST)
    found = [
        *(_mail(mail) for mail in mails),
        *(_payment(payment) for payment in payments),
        *(_invoice(invoice) for invoice in invoices if invoice.get("issued_at") or invoice.get("created_at")),
    ]
    found.sort(key=lambda event: parse_instant(event.at), reverse=True)
    start = parse_instant(since) if since else None
    return [_marked(event, start) for event in found[:_MOST]]


def _marked(event: Event, since: datetime | None) -> Event:
    is_new = since is not None and parse_instant(event.at) > since
    return Event(event.at, event.icon, event.tone, event.title, event.text, event.href, is_new)


def _mail(mail: dict[str, Any]) -> Event:
    tone = "bad" if mail["state"] == "failed" else "quiet"
    href = url_for("admin.notification", notification_id=mail["id"])
    text = _("Mail to %(to)s", to=mail["to"])
    return Event(mail.get("sent_at") or mail["created_at"], "envelope", tone, mail["subject"], text, href)


def _payment(payment: dict[str, Any]) -> Event:
    titles = {
        "succeeded": (_("%(amount)s received"), "good"),
        "failed": (_("Charge of %(amount)s failed"), "bad"),
        "pending": (_("%(amount)s on its way"), "wait"),
    }
    title, tone = titles.get(payment["state"], (_("Payment of %(amount)s"), "quiet"))
    text = customer_name(payment)
    if payment.get("failure_code"):
        text += f" · {word(payment['failure_code'])}"
    href = url_for("admin.payment", payment_id=payment["id"])
    at = payment.get("occurred_at") or payment["created_at"]
    return Event(at, "credit-card", tone, title % {"amount": money(payment["amount"])}, text, href)


def _invoice(invoice: dict[str, Any]) -> Event:
    title = _("Invoice %(number)s over %(total)s", number=invoice["number"] or "–", total=money(invoice["total"]))
    href = url_for("admin.invoice", invoice_id=invoice["id"])
    at = invoice.get("issued_at") or invoice["created_at"]
    return Event(at, "receipt", "wait", title, customer_name(invoice), href)
