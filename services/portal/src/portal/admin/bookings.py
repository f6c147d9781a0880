"""Bookings: list, form with live price, detail, change, cancellation, approval, check-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, TextAreaField

from portal.admin import options
from portal.admin.door import DESK, blueprint, require
from portal.admin.extras import offered_extras
from portal.api import api
from portal.extras import ExtrasForm, booked_extras, ordered_extras
from portal.fields import ChoiceField, LineField, MoneyField, WallTimeField, required_number
from portal.formats import instant_text, organization_zone
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.names import by_id
from portal.pickers import PickerField
from portal.problems import ApiProblem
from portal.rehearsal_clock import now
from portal.states import STATES
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_COMING_DAYS = 7
_NOT_PRICED = frozenset({"note", "private_note", "custom_price", "is_free"})
STATUSES = ("confirmed", "tentative", "checked_in", "completed", "cancelled", "no_show")
REPEATS = {
    "": lazy_gettext("Once"),
    "FREQ=WEEKLY;COUNT=4": lazy_gettext("Every week, 4 times"),
    "FREQ=WEEKLY;COUNT=8": lazy_gettext("Every week, 8 times"),
    "FREQ=WEEKLY;COUNT=12": lazy_gettext("Every week, 12 times"),
    "FREQ=DAILY;COUNT=5": lazy_gettext("Every day, 5 times"),
}

SERIES = (
    ("this", lazy_gettext("only this one")),
    ("following", lazy_gettext("this and the following")),
    ("all", lazy_gettext("all")),
)


class BookingForm(ExtrasForm):
    """What `POST /v1/bookings` takes; the customer as one choice, times by the location's clock."""

    LOCAL = frozenset({"customer"})

    resource_id = ChoiceField(lazy_gettext("Room or desk"), [NEEDED])
    customer = PickerField(lazy_gettext("For"), [required_number])
    start = WallTimeField(lazy_gettext("From"), [required_number])
    end = WallTimeField(lazy_gettext("To"), [required_number])
    recurrence__rrule = ChoiceField(lazy_gettext("Repeat"), [MAYBE])
    custom_price = MoneyField(lazy_gettext("Own price"), [MAYBE])
    is_free = BooleanField(lazy_gettext("Free of charge"))
    promo_code = LineField(lazy_gettext("Promo code"), [MAYBE])
    is_personal = BooleanField(lazy_gettext("The member pays, not their company"))
    note = TextAreaField(lazy_gettext("Note"), [MAYBE])
    private_note = TextAreaField(lazy_gettext("Note for the team"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With the customer, and only the exceptions that were asked for."""
        body = super().body(nulls=nulls) | options.customer_part(self.customer.data)
        body["extras"] = ordered_extras() or None
        return {name: value for name, value in body.items() if value not in ("", False, None)}


class MoveForm(ApiForm):
    """What `PATCH /v1/bookings/{id}` takes."""

    resource_id = ChoiceField(lazy_gettext("Room or desk"), [NEEDED])
    start = WallTimeField(lazy_gettext("From"), [required_number])
    end = WallTimeField(lazy_gettext("To"), [required_number])
    scope = ChoiceField(lazy_gettext("Of the series"), [MAYBE], choices=SERIES, default="this")
    note = TextAreaField(lazy_gettext("Note"), [MAYBE])
    private_note = TextAreaField(lazy_gettext("Note for the team"), [MAYBE])


@blueprint.get("/bookings")
def bookings() -> str:
    """A page of the list: what was booked last, or what is to come."""
    query = {name: request.args.get(name) for name in ("status", "location_id", "cursor")}
    if request.args.get("when") == "coming":
        ends = instant_text(now() + timedelta(days=_COMING_DAYS))
        query |= {"from": instant_text(now()), "to": ends, "sort": "start"}
    page = api().page("/v1/bookings", **query, limit=50)
    places = options.locations(_("All locations"))
    states = [("", _("All states")), *((name, str(STATES[name][0])) for name in STATUSES)]
    whens = [("", _("As they were booked")), ("coming", _("In the next 7 days"))]
    return render_template("admin/bookings/list.html", page=page, locations=places, states=states, whens=whens)


@blueprint.route("/bookings/new", methods=["GET", "POST"])
def new_booking() -> str | Response:
    """Book for a member or company."""
    require(*DESK)
    form = _booking_form()
    extras = offered_extras()
    made = form.send(lambda body: api().post("/v1/bookings", {**body, "payment": "on_invoice"}))
    if made is None:
        return render_template("admin/bookings/new.html", form=form, extras=extras)
    act(lambda: made, _("Booked."))
    return redirect(url_for("admin.booking", booking_id=made["id"]))


@blueprint.post("/bookings/quote")
def quote_booking() -> str:
    """The price of what the form says so far, for the box beside it."""
    form = _booking_form()
    body = {name: value for name, value in form.body().items() if name not in _NOT_PRICED}
    if not {"resource_id", "start", "end"} <= body.keys():
        return render_template("macros/quote.html", quote=None)
    try:
        found = api().ask("/v1/bookings/quote", body)
    except ApiProblem as problem:
        why_not = problem.faults[0].detail if problem.faults else problem.sentence
        return render_template("macros/quote.html", quote=None, why_not=why_not)
    return render_template("macros/quote.html", quote=found)


@blueprint.get("/bookings/<booking_id>")
def booking(booking_id: str) -> str:
    """All about a booking, with what cancelling it now would cost."""
    found = api().get(f"/v1/bookings/{booking_id}")
    cancelling = api().maybe(f"/v1/bookings/{booking_id}/cancellation") if _is_open(found) else None
    form = MoveForm(shown=found, formdata=None)
    _place(form, found)
    return _page(found, form, cancelling)


@blueprint.post("/bookings/<booking_id>/move")
def move_booking(booking_id: str) -> str | Response:
    """Move a booking in time or to another room."""
    path = f"/v1/bookings/{booking_id}"
    found = api().get(path)
    form = MoveForm(shown=found)
    _place(form, found)
    if form.send(lambda body: api().patch(path, body)) is None:
        return _page(found, form)
    act(lambda: found, _("Changed."))
    return redirect(url_for("admin.booking", booking_id=booking_id))


@blueprint.post("/bookings/<booking_id>/cancellation")
def cancel_booking(booking_id: str) -> Response:
    """Cancel, with or without the fee."""
    body = {"waive_fee": "waive_fee" in request.form, "scope": request.form.get("scope", "this")}
    act(lambda: api().post(f"/v1/bookings/{booking_id}/cancellation", body), _("The booking is cancelled."))
    return redirect(url_for("admin.booking", booking_id=booking_id))


@blueprint.post("/bookings/<booking_id>/approval")
def decide_booking(booking_id: str) -> Response:
    """Approve or reject."""
    approved = request.form.get("approved") == "yes"
    done = _("The booking is confirmed.") if approved else _("The booking is rejected.")
    act(lambda: api().post(f"/v1/bookings/{booking_id}/approval", {"approved": approved}), done)
    return redirect(url_for("admin.booking", booking_id=booking_id))


@blueprint.post("/bookings/<booking_id>/check-in")
def check_in_booking(booking_id: str) -> Response:
    """Check the customer in."""
    act(lambda: api().post(f"/v1/bookings/{booking_id}/check-in"), _("Checked in."))
    return redirect(url_for("admin.booking", booking_id=booking_id))


def _page(found: dict[str, Any], form: MoveForm, cancelling: dict[str, Any] | None = None) -> str:
    extras = booked_extras(found)
    return render_template("admin/bookings/detail.html", booking=found, extras=extras, cancelling=cancelling, form=form)


def _is_open(found: dict[str, Any]) -> bool:
    return found["status"] in {"held", "tentative", "confirmed"}


def _booking_form() -> BookingForm:
    """The form with times at the room's place; the first guess is the next full hour."""
    rooms = api().items("/v1/resources", limit=200, sort="name")
    zones = {item["id"]: item["timezone"] for item in api().items("/v1/locations", limit=200)}
    shown = {name: request.args.get(name) for name in ("resource_id", "customer")}
    form = BookingForm(shown={name: value for name, value in shown.items() if value})
    form.resource_id.offer([("", _("Choose …")), *((room["id"], room["name"]) for room in rooms)])
    form.recurrence__rrule.offer([(rule, str(title)) for rule, title in REPEATS.items()])
    room = by_id(rooms).get(form.resource_id.data or "")
    zone = zones.get(room["location_id"]) if room else next(iter(zones.values()), None)
    form.start.zone = form.end.zone = zone
    if request.method == "GET":
        _guess(form, zone)
    return form


def _guess(form: BookingForm, zone: str | None) -> None:
    start = now().astimezone(ZoneInfo(zone or organization_zone())).replace(minute=0, second=0, microsecond=0)
    start = start.replace(tzinfo=None) + timedelta(hours=1)
    if asked := request.args.get("start"):
        start = form.start.read(asked)
    asked_end = request.args.get("end")
    form.start.data, form.end.data = start, form.end.read(asked_end) if asked_end else start + timedelta(hours=1)


def _place(form: MoveForm, found: dict[str, Any]) -> None:
    rooms = dict(options.resources())
    form.resource_id.offer(({found["resource_id"]: found["resource_name"]} | rooms).items())
    for field in (form.start, form.end):
        field.zone = found["timezone"]
        if not field.raw_data:
            field.process_data(found[field.short_name])
