"""Days on which a location is closed, as lines of text: ``2027-12-24 – 2027-12-26 Christmas``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wtforms.widgets import TextArea

from portal.fields import TypedField
from portal.translation import gettext as _

_DAY, _TIME, _TO = r"\d{4}-\d\d-\d\d", r"\d\d?:\d\d", r"\s*[-–]\s*"
_LINE = re.compile(
    rf"(?P<start>{_DAY})(?:{_TO}(?P<end>{_DAY}))?(?:\s+(?P<from_time>{_TIME}){_TO}(?P<to_time>{_TIME}))?(?:\s+(?P<name>.*))?"
)

_WHOLE_DAY = {"from_time": "00:00", "to_time": "24:00"}


class ClosuresField(TypedField):
    """A line for each closure: its first day, perhaps its last, perhaps from when until when, perhaps its name."""

    widget = TextArea()

    def shown(self) -> str:
        """As they are typed."""
        return "\n".join(_write(closure) for closure in self.data or ())

    def read(self, text: str) -> list[dict[str, str]]:
        """Read them."""
        return [_read(line.strip()) for line in text.splitlines() if line.strip()]

    def api_value(self) -> list[dict[str, str]]:
        """No text is no closures."""
        return self.data or []


def _read(line: str) -> dict[str, str]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(_("This line has no day such as 2027-12-24 at its beginning: %(line)s", line=line))
    parts: dict[str, str] = {name: text for name, text in found.groupdict().items() if text}
    parts |= {name: parts[name].rjust(5, "0") for name in ("from_time", "to_time") if name in parts}
    told = {name: text for name, text in parts.items() if _WHOLE_DAY.get(name) != text}
    return {**told, "end": parts.get("end", parts["start"]), "name": parts.get("name", "")}


def _write(closure: Mapping[str, Any]) -> str:
    days = [closure["start"], *([closure["end"]] if closure["end"] != closure["start"] else [])]
    times = [closure.get(name) or whole for name, whole in _WHOLE_DAY.items()]
    has_times = any(closure.get(name) for name in _WHOLE_DAY)
    parts = (" – ".join(days), "–".join(times) if has_times else "", closure.get("name") or "")
    return " ".join(part for part in parts if part)
