"""Locations: where, in which zone, and when they are open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import StringField, ValidationError

from portal.admin.door import EDITORS, blueprint, require
from portal.admin.taxes import TaxedForm, with_taxes
from portal.api import api
from portal.closures import ClosuresField
from portal.entry.sign_up import countries, zones
from portal.fields import ChoiceField, LineField
from portal.forms import MAYBE, NEEDED, ApiForm
from portal.seats import current_seat
from portal.translation import gettext as _
from portal.translation import language, lazy_gettext

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


def _spans(_form: ApiForm, field: StringField) -> None:
    text = (field.data or "").strip()
    if text and _SPAN.sub("", text).strip(" ,;"):
        raise ValidationError(_("Please write times such as 08:00–18:00, or leave it empty for closed."))


class LocationForm(TaxedForm):
    """What `POST /v1/locations` takes; opening hours as one line per day."""

    LOCAL = frozenset(DAYS)

    name = LineField(lazy_gettext("Name"), [NEEDED])
    code = LineField(lazy_gettext("Code"), [MAYBE])
    timezone = ChoiceField(lazy_gettext("Time zone"), [NEEDED])
    address__street = LineField(lazy_gettext("Street"), [MAYBE])
    address__postal_code = LineField(lazy_gettext("Postal code"), [MAYBE])
    address__city = LineField(lazy_gettext("City"), [MAYBE])
    address__country = ChoiceField(lazy_gettext("Country"), [MAYBE])
    closures = ClosuresField(lazy_gettext("Closed on"), [MAYBE])
    mon = StringField(lazy_gettext("Monday"), [_spans])
    tue = StringField(lazy_gettext("Tuesday"), [_spans])
    wed = StringField(lazy_gettext("Wednesday"), [_spans])
    thu = StringField(lazy_gettext("Thursday"), [_spans])
    fri = StringField(lazy_gettext("Friday"), [_spans])
    sat = StringField(lazy_gettext("Saturday"), [_spans])
    sun = StringField(lazy_gettext("Sunday"), [_spans])

    def body_for(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """With what ``found`` has of an address that stands in no field."""
        body = self.body(nulls=True)
        return {**body, "address": {**body["address"], **self.unshown(found, "address")}}

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """With opening hours, and an address of what was written."""
        body = super().body(nulls=nulls)
        body["address"] = {name: text for name, text in body.get("address", {}).items() if text}
        hours = {day: _read_spans(getattr(self, day).data) for day in DAYS}
        body["opening_hours"] = {day: spans for day, spans in hours.items() if spans}
        return body


@blueprint.get("/locations")
def locations() -> str:
    """All locations."""
    return render_template("admin/locations/list.html", page=api().page("/v1/locations", limit=200))


@blueprint.route("/locations/new", methods=["GET", "POST"])
def new_location() -> str | Response:
    """Open a location."""
    require(*EDITORS)
    weekdays = dict.fromkeys(DAYS[:5], "08:00–18:00")
    form = _form({"timezone": current_seat().organization.get("timezone"), **weekdays})
    made = form.send(lambda body: api().post("/v1/locations", body))
    if made is None:
        return render_template("admin/locations/edit.html", form=form, location=None, days=DAYS)
    return redirect(url_for("admin.locations"))


@blueprint.route("/locations/<location_id>", methods=["GET", "POST"])
def location(location_id: str) -> str | Response:
    """Change a location."""
    path = f"/v1/locations/{location_id}"
    found = api().get(path)
    hours = {day: _write_spans(spans) for day, spans in (found.get("opening_hours") or {}).items()}
    form = _form(with_taxes(found) | hours)
    if form.send(lambda _body: api().patch(path, form.body_for(found))) is None:
        return render_template("admin/locations/edit.html", form=form, location=found, days=DAYS)
    return redirect(url_for("admin.locations"))


def _form(shown: dict[str, Any]) -> LocationForm:
    form = LocationForm(shown=shown)
    form.timezone.offer(zones())
    form.address__country.offer([("", "–"), *countries(language())])
    return form


def _read_spans(text: str | None) -> list[list[str]]:
    return [[f"{int(a):02}:{b}", f"{int(c):02}:{d}"] for a, b, c, d in _SPAN.findall(text or "")]


def _write_spans(spans: list[list[str]]) -> str:
    return ", ".join(f"{begin}–{end}" for begin, end in spans)
