"""Document numbers: templates such as ``INV-{year}-{number:05}`` and the series they count in (DOC-2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from common.errors import InvalidError

Reset = Literal["never", "year", "month"]

MAX_LENGTH = 40
_MAX_DIGITS = 12
_PART = re.compile(r"\{(year|month|location|number)(?::0(\d{1,2}))?\}|([A-Za-z0-9 ._/#-]+)|(.)", re.DOTALL)
_LOCATION = re.compile(r"[A-Za-z0-9_-]{1,12}\Z")
_SHAPES = {"year": "[0-9]{4}", "month": "[0-9]{2}", "location": "[A-Za-z0-9_-]{1,12}", "number": "[0-9]{1,15}"}


@dataclass(frozen=True, slots=True)
class NumberTemplate:
    """A checked template; make it with `parse_template`. ``parts``: literals, or (placeholder, minimum digits)."""

    text: str
    reset: Reset
    parts: tuple[str | tuple[str, int], ...]

    @property
    def per_location(self) -> bool:
        """Whether each location counts for itself."""
        return any(isinstance(part, tuple) and part[0] == "location" for part in self.parts)

    def key_of(self, found: Mapping[str, str]) -> str:
        """The series that a number belongs to, by what stands at the template's placeholders."""
        year, month = found.get("year", ""), found.get("month", "")
        key = {"never": "all", "year": year, "month": f"{year}-{month}"}[self.reset]
        return f"{key}/{found['location']}" if self.per_location else key

    def series_key(self, issue_date: date, location: str | None = None) -> str:
        """The counter that the next number is taken from: it starts anew with every new key."""
        key = {"never": "all", "year": f"{issue_date.year:04}", "month": f"{issue_date:%Y-%m}"}[self.reset]
        return f"{key}/{_checked_location(location)}" if self.per_location else key

    @property
    def places(self) -> tuple[str, ...]:
        """The placeholders in their order, which is that of the groups of `pattern`."""
        return tuple(part[0] for part in self.parts if isinstance(part, tuple))

    @property
    def pattern(self) -> str:
        """A regular expression that all its numbers match, whatever their width; a group for each placeholder."""
        parts = (re.escape(part) if isinstance(part, str) else f"({_SHAPES[part[0]]})" for part in self.parts)
        return f"^{''.join(parts)}$"

    def render(self, number: int, issue_date: date, location: str | None = None) -> str:
        """The number as it stands on the document. Raises InvalidError below 1 or without a location it needs."""
        return self.renderer(issue_date, location)(number)

    def renderer(self, issue_date: date, location: str | None = None) -> Callable[[int], str]:
        """`render` for the many documents of one day and location."""
        filled = [part if isinstance(part, str) else _filled(part, issue_date, location) for part in self.parts]
        form = "".join(filled).format

        def render(number: int) -> str:
            if number < 1:
                raise InvalidError("invalid_number", "Document numbers start at 1.")
            return form(number)

        return render


def parse_template(text: str, reset: Reset | None = None) -> NumberTemplate:
    """Check a number template. Placeholders: year, month, location and, exactly once, number or number:0N.

    Without ``reset`` the counter restarts as often as the template can tell apart. Raises InvalidError when it could
    make the same number twice (a yearly restart without the year in it, say) or has unknown parts.
    """
    parts = tuple(_part(match) for match in _PART.finditer(text))
    names = [part[0] for part in parts if isinstance(part, tuple)]
    if len(text) > MAX_LENGTH or names.count("number") != 1:
        raise _invalid(f"It needs {{number}} exactly once and at most {MAX_LENGTH} characters.")
    if _runs_together(parts):
        raise _invalid("The number needs a separator from other digits, or two documents could look the same.")
    if "month" in names and "year" not in names:
        raise _invalid("A template with the month needs the year too.")
    possible: Reset = "month" if "month" in names else "year" if "year" in names else "never"
    if reset not in (None, "never", "year", "month"):
        raise _invalid("The counter restarts never, each year or each month.")
    chosen = reset or possible
    if ("never", "year", "month").index(chosen) > ("never", "year", "month").index(possible):
        raise _invalid(f"A restart each {chosen} needs the {chosen} in the template, or numbers would repeat.")
    return NumberTemplate(text, chosen, parts)


def _part(match: re.Match[str]) -> str | tuple[str, int]:
    name, digits, literal, wrong = match.groups()
    if wrong is not None:
        raise _invalid(f"{wrong!r} cannot stand in it.")
    if literal is not None:
        return literal
    if digits is not None and (name != "number" or not 1 <= int(digits) <= _MAX_DIGITS):
        raise _invalid(f"Only the number takes a width, from 01 to {_MAX_DIGITS}.")
    return name, int(digits or 1)


def _runs_together(parts: tuple[str | tuple[str, int], ...]) -> bool:
    """Whether something that varies, or a digit, touches the number: ``{month}{number}`` reads 1-11 as 11-1."""
    at = next(i for i, part in enumerate(parts) if isinstance(part, tuple) and part[0] == "number")
    before = parts[at - 1] if at else "-"
    after = parts[at + 1] if at + 1 < len(parts) else "-"
    return isinstance(before, tuple) or isinstance(after, tuple) or before[-1].isdigit() or after[0].isdigit()


def _filled(part: tuple[str, int], issue_date: date, location: str | None) -> str:
    name, digits = part
    if name == "number":
        return f"{{:0{digits}}}"
    if name == "location":
        return _checked_location(location)
    return f"{issue_date.year:04}" if name == "year" else f"{issue_date.month:02}"


def _checked_location(location: str | None) -> str:
    if location is None or not _LOCATION.match(location):
        raise InvalidError("location_code_missing", "The number template needs a location with a short code.")
    return location


def _invalid(why: str) -> InvalidError:
    return InvalidError("invalid_number_template", f"The number template cannot be used. {why}")
