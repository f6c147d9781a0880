"""A new organisation signs up: as a rehearsal, where nothing is real, or live."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from flask import flash, render_template, url_for
from flask import redirect as lead
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import Length, Regexp

from portal.api import api_on
from portal.entry.door import blueprint
from portal.fields import ChoiceField, LineField, OneOfField
from portal.forms import AN_EMAIL, NEEDED, ApiForm
from portal.seats import make_seat, take_seat
from portal.translation import gettext as _
from portal.translation import language, lazy_gettext

_FIRST = ("DE", "AT", "CH", "GB", "IE", "US", "FR", "ES", "IT", "NL", "PT", "PL", "SE", "DK", "NO")
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})
_SLUG = Regexp("^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", message=lazy_gettext("Small letters, digits and hyphens only."))


class SignUpForm(ApiForm):
    """What `POST /v1/organizations` takes."""

    name = LineField(lazy_gettext("Name of your space"), [NEEDED])
    slug = LineField(lazy_gettext("Short name for addresses"), [NEEDED, _SLUG])
    country = ChoiceField(lazy_gettext("Country"), [NEEDED])
    currency = ChoiceField(lazy_gettext("Currency"), [NEEDED])
    timezone = ChoiceField(lazy_gettext("Time zone"), [NEEDED])
    mode = OneOfField(
        lazy_gettext("How do you want to start?"),
        choices=[("rehearsal", lazy_gettext("Rehearse first")), ("live", lazy_gettext("Go live now"))],
        default="rehearsal",
    )
    owner__name = LineField(lazy_gettext("Your name"), [NEEDED])
    owner__email = LineField(lazy_gettext("Your e-mail address"), [NEEDED, AN_EMAIL])
    owner__password = PasswordField(
        lazy_gettext("Choose a password"),
        [NEEDED, Length(min=12, message=lazy_gettext("At least 12 characters, please."))],
    )


@blueprint.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> str | Response:
    """Create an organisation and let its owner in."""
    form = SignUpForm(shown={"country": "DE", "currency": "EUR", "timezone": "Europe/Berlin", "mode": "rehearsal"})
    form.country.offer(countries(language()))
    form.currency.offer(currencies(language()))
    form.timezone.offer(zones())
    anyone = api_on(None)
    made = form.send(lambda body: anyone.post("/v1/organizations", {**body, "language": language()}))
    if made is None:
        return render_template("entry/sign_up.html", form=form, hints=country_hints())
    seat = make_seat(made, made["organization"], {"role": "owner", "name": form.owner__name.data})
    take_seat(make_seat(made, made["organization"], api_on(seat).get("/v1/me")))
    flash(_("Welcome! Here is the shortest way to your first automatic payment."), "success")
    return lead(url_for("admin.checklist"))


@lru_cache
def countries(tongue: str) -> list[tuple[str, str]]:
    """Countries by name, the likeliest first."""
    names = {str(code): name for code, name in Locale(tongue).territories.items()}
    real = [code for code in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES]
    rest = sorted((code for code in real if code not in _FIRST), key=lambda code: names[code])
    return [(code, names[code]) for code in (*_FIRST, *rest)]


@lru_cache
def currencies(tongue: str) -> list[tuple[str, str]]:
    """Currencies in use, with their names."""
    names = Locale(tongue).currencies
    used = {code for found in country_hints().values() for code in [found["currency"]] if code}
    first = ("EUR", "GBP", "USD", "CHF")
    order = (*first, *sorted(used - set(first)))
    return [(code, f"{code} – {names.get(code, code)}") for code in order]


@lru_cache
def zones() -> list[tuple[str, str]]:
    """IANA zones of places."""
    regions = ("Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/")
    names = sorted(zone for zone in available_timezones() if zone.startswith(regions))
    return [(zone, zone.replace("_", " ")) for zone in (*names, "UTC")]


@lru_cache
def country_hints() -> dict[str, dict[str, str]]:
    """Currency and time zone that go with a country, for the form to suggest."""
    by_country: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        by_country.setdefault(country, []).append(zone)
    capitals = {"DE": "Europe/Berlin", "US": "America/New_York", "ES": "Europe/Madrid", "PT": "Europe/Lisbon"}
    hints = {}
    for country, used in get_global("territory_currencies").items():
        present = [entry[0] for entry in used if entry[2] is None and entry[3]]
        zone = capitals.get(country) or (by_country.get(country) or [""])[0]
        hints[country] = {"currency": present[0] if present else "", "timezone": zone}
    return hints
