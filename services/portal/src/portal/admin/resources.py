"""Rooms, desks and event spaces."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField

from portal.admin import options
from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.fields import (
    CheckListField,
    ChoiceField,
    LineField,
    NumberField,
    ParagraphField,
    WholeField,
    WordListField,
    required_number,
)
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.states import choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

TYPES = ("meeting_room", "private_office", "dedicated_desk", "hot_desk", "event_space", "custom")
STEPS = (1, 2, 3)
_REMOVABLE = frozenset({"seats", "description"})
# Quotas: what is counted, and in which time.
QUOTAS = tuple((unit, per) for unit in ("hours", "bookings") for per in ("week", "month"))


class ResourceForm(ApiForm):
    """What `POST /v1/resources` takes, with the policies that most rooms need."""

    LOCAL = (
        frozenset(f"cancel_{part}_{number}" for part in ("hours", "percent") for number in STEPS)
        | frozenset(f"quota_{unit}_{per}" for unit, per in QUOTAS)
        | {"no_show", "withdrawn"}
    )

    name = LineField(lazy_gettext("Name"), [NEEDED])
    type = ChoiceField(lazy_gettext("Kind"), [NEEDED])
    location_id = ChoiceField(lazy_gettext("Location"), [NEEDED])
    capacity = WholeField(lazy_gettext("Bookings at the same time"), [required_number], default=1)
    seats = WholeField(lazy_gettext("Seats"), [MAYBE])
    description = ParagraphField(lazy_gettext("Description"), [MAYBE])
    amenities = WordListField(lazy_gettext("Amenities"), [MAYBE])
    visibility = ChoiceField(lazy_gettext("Who sees and books it"), [NEEDED])
    plan_ids = CheckListField(lazy_gettext("Who has one of these plans"), [MAYBE])
    is_free = BooleanField(lazy_gettext("Free of charge"))
    withdrawn = BooleanField(lazy_gettext("Not on sale for now"))
    parent_ids = CheckListField(lazy_gettext("It is a part of"), [MAYBE])
    booking_policy__min_minutes = WholeField(lazy_gettext("Shortest booking"), [MAYBE])
    booking_policy__max_minutes = WholeField(lazy_gettext("Longest booking"), [MAYBE])
    booking_policy__min_notice_minutes = WholeField(lazy_gettext("Notice before the start"), [MAYBE])
    booking_policy__furthest_days_ahead = WholeField(lazy_gettext("How far ahead"), [MAYBE])
    booking_policy__buffer_before_minutes = WholeField(lazy_gettext("Pause before each booking"), [MAYBE])
    booking_policy__buffer_after_minutes = WholeField(lazy_gettext("Pause after each booking"), [MAYBE])
    booking_policy__approval = BooleanField(lazy_gettext("Bookings wait for approval"))
    booking_policy__check_in_minutes = WholeField(lazy_gettext("Check in within"), [MAYBE])
    booking_policy__recurring_allowed = BooleanField(lazy_gettext("Members may book it in series"), default=True)
    booking_policy__show_names = BooleanField(lazy_gettext("Members see who has booked it"))
    booking_policy__who = ChoiceField(lazy_gettext("Who books it without staff"), [MAYBE])
    quota_hours_week = NumberField(lazy_gettext("Hours a week"), [MAYBE])
    quota_hours_month = NumberField(lazy_gettext("Hours a month"), [MAYBE])
    quota_bookings_week = NumberField(lazy_gettext("Bookings a week"), [MAYBE])
    quota_bookings_month = NumberField(lazy_gettext("Bookings a month"), [MAYBE])
    cancel_hours_1 = WholeField(lazy_gettext("Free until"), [MAYBE])
    cancel_percent_1 = NumberField(lazy_gettext("Afterwards it costs"), [MAYBE])
    cancel_hours_2 = WholeField(lazy_gettext("Then, from"), [MAYBE])
    cancel_percent_2 = NumberField(lazy_gettext("it costs"), [MAYBE])
    cancel_hours_3 = WholeField(lazy_gettext("And from"), [MAYBE])
    cancel_percent_3 = NumberField(lazy_gettext("it costs"), [MAYBE])
    no_show = NumberField(lazy_gettext("Not turning up costs"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With policies of what was filled in: what is left out limits nothing."""
        body = super().body(nulls=nulls)
        body = {name: value for name, value in body.items() if value is not None or name in _REMOVABLE}
        if self.visibility.data != "plans":
            body["plan_ids"] = []
        body["booking_policy"] = self._policy(body["booking_policy"])
        if self.withdrawn.data:
            body["published"] = False
        if cancelling := self._cancellation():
            body["cancellation_policy"] = cancelling
        elif nulls:
            body["cancellation_policy"] = {}
        return body

    def _policy(self, filled: dict[str, Any]) -> dict[str, Any]:
        """Rules that are not the ones without a word."""
        said = {name: value for name, value in filled.items() if value not in (None, False)}
        said.pop("recurring_allowed", None)
        series = {} if self.booking_policy__recurring_allowed.data else {"recurring_allowed": False}
        quotas = [
            {"unit": unit, "per": per, "limit": limit}
            for unit, per in QUOTAS
            if (limit := self[f"quota_{unit}_{per}"].api_value()) is not None
        ]
        return {**said, **series, **({"quotas": quotas} if quotas else {})}

    def _cancellation(self) -> dict[str, Any]:
        rows = [(self[f"cancel_hours_{number}"], self[f"cancel_percent_{number}"]) for number in STEPS]
        steps = [
            {"hours_before": hours.data, "percent": percent.api_value()}
            for hours, percent in rows
            if hours.data is not None and percent.data is not None
        ]
        no_show = {} if self.no_show.data is None else {"no_show_percent": self.no_show.api_value()}
        return {**({"steps": steps} if steps else {}), **no_show}


@blueprint.get("/resources")
def resources() -> str:
    """A page of the list, with what keeps a room from earning."""
    query = {name: request.args.get(name) for name in ("location_id", "type", "cursor")}
    page = api().page("/v1/resources", **query, sort="name")
    places = options.locations(_("All locations"))
    return render_template("admin/resources/list.html", page=page, locations=places, types=choices(*TYPES))


@blueprint.route("/resources/new", methods=["GET", "POST"])
def new_resource() -> str | Response:
    """Add a room or desk."""
    require(*EDITORS)
    form = _form({"visibility": "public", "type": "meeting_room", "capacity": 1, **request.args.to_dict()})
    if not form.location_id.pairs:
        return render_template("admin/resources/no_location.html")
    made = form.send(lambda body: api().post("/v1/resources", body))
    if made is None:
        return render_template("admin/resources/edit.html", form=form, resource=None, rates=[])
    act(lambda: made, _("Saved. Now say what it costs."))
    return redirect(url_for("admin.new_rate", resource_id=made["id"]) if not made.get("is_free") else _list())


@blueprint.route("/resources/<resource_id>", methods=["GET", "POST"])
def resource(resource_id: str) -> str | Response:
    """Change a room or desk."""
    path = f"/v1/resources/{resource_id}"
    found = api().get(path)
    form = _form({**found, **_shown(found)})
    if form.send(lambda body: api().patch(path, _merged(form, found, body)), nulls=True) is None:
        rates = api().items("/v1/resource-rates", resource_id=resource_id)
        return render_template("admin/resources/edit.html", form=form, resource=found, rates=rates)
    return redirect(_list())


@blueprint.post("/resources/<resource_id>/archive")
def archive_resource(resource_id: str) -> Response:
    """Archive a room or desk."""
    act(lambda: api().delete(f"/v1/resources/{resource_id}"), _("It is archived."))
    return redirect(_list())


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    """What the form shows in fields of its own."""
    quotas = (found.get("booking_policy") or {}).get("quotas") or ()
    limits = {f"quota_{quota['unit']}_{quota['per']}": quota["limit"] for quota in quotas}
    steps = _cancelling(found.get("cancellation_policy") or {})
    return {"withdrawn": found.get("published") is False, **limits, **steps}


def _cancelling(policy: dict[str, Any]) -> dict[str, Any]:
    """A cancellation policy as the form shows it, the longest notice first."""
    shown = {"no_show": policy.get("no_show_percent")}
    for number, step in zip(STEPS, _sorted_steps(policy), strict=False):
        shown |= {f"cancel_hours_{number}": step["hours_before"], f"cancel_percent_{number}": step["percent"]}
    return shown


def _sorted_steps(policy: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = policy.get("steps") or []
    return sorted(steps, key=lambda step: step["hours_before"], reverse=True)


def _merged(form: ResourceForm, found: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Keep the parts of policies that the form does not show, and put on sale again what was taken off it."""
    more_steps = _sorted_steps(found.get("cancellation_policy") or {})[len(STEPS) :]
    if more_steps and body.get("cancellation_policy", {}).get("steps"):
        body["cancellation_policy"]["steps"] += more_steps
    kept = form.unshown(found, "booking_policy")
    kept.pop("quotas", None)
    body["booking_policy"] = {**kept, **body["booking_policy"]}
    return body if form.withdrawn.data or found.get("published") is not False else {**body, "published": True}


def _form(shown: dict[str, Any]) -> ResourceForm:
    form = ResourceForm(shown=shown)
    form.type.offer(choices(*TYPES))
    form.visibility.offer(choices("public", "members", "plans"))
    form.plan_ids.offer(options.plans())
    form.parent_ids.offer((value, text) for value, text in options.resources() if value != shown.get("id"))
    form.booking_policy__who.offer([("", _("Whoever sees it")), *choices("public", "members", "plans")])
    form.location_id.offer(options.locations())
    return form


def _list() -> str:
    return url_for("admin.resources")
