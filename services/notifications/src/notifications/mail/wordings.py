"""The built-in wording: one file per language and template, its subject in the first line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_SUBJECT = "Subject: "


@dataclass(frozen=True, slots=True)
class Wording:
    """Templates of the three parts of a mail; ``text`` None: made from ``html``."""

    subject: str
    html: str
    text: str | None = None


@cache
def built_in(template: str, language: str) -> Wording:
    """The wording that comes with the product."""
    source = files("notifications").joinpath("texts", language, f"{template}.html").read_text(encoding="utf-8")
    subject, _, html = source.partition("\n")
    return Wording(subject.removeprefix(_SUBJECT).strip(), html.strip() + "\n")
