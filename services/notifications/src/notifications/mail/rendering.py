"""From wording and data to subject, HTML and plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from common.db.database import Organization
from notifications.mail import style
from notifications.mail.plain import plain_text
from notifications.mail.sandbox import run
from notifications.mail.wordings import Wording

_SPOKEN_IN = {"en": "GB IE US CA AU NZ IN SG ZA MT".split(), "de": "DE AT CH LI LU".split()}
_AT_HOME = {"en": "en_GB", "de": "de_DE"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's words, ready to be sent."""

    subject: str
    html: str
    text: str


def render(wording: Wording, data: Mapping[str, Any], organization: Organization, language: str) -> Rendered:
    """Fill in a wording and put it into the organisation's layout. Raises RenderingError."""
    locale = mail_locale(language, organization.country)
    brand = brand_of(organization)
    known = {**data, "organization": brand}
    subject = " ".join(plain_text(run(wording.subject, known, locale=locale, mode="text")).split())
    body = run(wording.html, known, locale=locale, mode="html", color=brand["color"])
    text = _text_part(wording, known, locale)
    html = _layout().render(
        subject=subject,
        content=Markup(style.dress(body)),  # noqa: S704 - made by the sandbox, which escaped all data
        organization=brand,
        language=language,
        color=brand["color"],
        link_color=brand["color"],
        logo_url=brand["logo_url"],
        font=Markup(style.FONT),  # noqa: S704 - a constant
    )
    return Rendered(subject[:300], html, f"{text}\n-- \n{_signature(brand)}\n")


def _text_part(wording: Wording, data: Mapping[str, Any], locale: str) -> str:
    if wording.text is None:
        return plain_text(run(wording.html, data, locale=locale, mode="text"))
    # An operator's own plain text keeps its line breaks.
    return plain_text(f"<pre>{run(wording.text, data, locale=locale, mode='text')}</pre>")


def mail_locale(language: str, country: str) -> str:
    """The reader's language as it is written in the organisation's country (``de_AT``, ``en_US``).

    Where it is not spoken, as it is at home: English mail of a German house says "€182.14", not "182,14 €".
    """
    return f"{language}_{country}" if country in _SPOKEN_IN[language] else _AT_HOME[language]


def brand_of(organization: Organization) -> dict[str, str]:
    """How an organisation presents itself, by its profile: address, e-mail, colour and logo (https or a data URI)."""
    profile = organization.profile
    logo = str(profile.get("logo") or "")
    return {
        "name": organization.name,
        "address": _address_line(profile.get("address")),
        "contact": str(profile.get("email") or ""),
        "color": style.brand_color(profile.get("brand_colour")),
        "logo_url": logo if logo.startswith(("https://", "data:image/")) else "",
    }


def _address_line(address: object) -> str:
    if not isinstance(address, Mapping):
        return ""
    town = f"{address.get('postal_code') or ''} {address.get('city') or ''}".strip()
    street = [str(address.get(key) or "") for key in ("street", "line1", "line2")]
    return ", ".join(part for part in (*street, town) if part)


def _signature(brand: Mapping[str, str]) -> str:
    return "\n".join(part for part in (brand["name"], brand["address"], brand["contact"]) if part)


@cache
def _layout() -> Template:
    source = files("notifications.mail").joinpath("layout.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
