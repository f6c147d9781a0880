"""A member or company, found by typing a part of the name: houses have thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wtforms import Field
from wtforms.utils import unset_value
from wtforms.widgets import HiddenInput

from portal.api import api
from portal.translation import gettext as _

PATHS = {"mem_": "/v1/members", "com_": "/v1/companies"}
EVERYBODY = ("mem_", "com_")
_MOST = 8


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody whom a search found; ``detail`` tells people of one name apart."""

    id: str
    name: str
    detail: str

    @property
    def value(self) -> str:
        """What a form sends for them: the name goes along, so that nobody has to look it up."""
        return f"{self.id} {self.name}"


def search_customers(text: str, prefixes: Sequence[str] = EVERYBODY) -> list[Found]:
    """The first members and companies whose names or addresses contain the text; two calls at most."""
    found = []
    for prefix in prefixes:
        kind = _("Company") if prefix == "com_" else ""
        for item in api().items(PATHS[prefix], q=text, limit=_MOST, sort="name"):
            detail = " · ".join(part for part in (kind, item.get("email")) if part)
            found.append(Found(item["id"], item["name"], detail))
    return found


class PickerField(Field):
    """Holds an id. Scripts offer names while one types; without them a search answers when the form is sent.

    Three inputs go along: the chosen one with the name, the text, and one of the hits of the last search.
    """

    widget = HiddenInput()

    def __init__(self, *args: Any, prefixes: Sequence[str] = EVERYBODY, **kwargs: Any) -> None:
        self.prefixes, self.hits = tuple(prefixes), list[Found]()
        self._name: str | None = None
        self._typed: str | None = None
        super().__init__(*args, **kwargs)

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        """Take the text and the chosen hit along."""
        sent: list[str] = []
        if formdata is not None and self.name in formdata:
            self._typed = next(iter(formdata.getlist(f"{self.name}-text")), None)
            sent = formdata.getlist(f"{self.name}-hit")
        super().process(formdata, data, extra_filters)
        if sent:
            self._take(sent[0])
            self.hits.clear()
            self.process_errors = list[str]()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was chosen; a text that says something else is looked for. Raises ValueError."""
        if not valuelist:
            return
        self._take(valuelist[-1])
        typed = None if self._typed is None else self._typed.strip()
        if typed is not None and typed != self._name:
            self._look_for(typed)

    def _take(self, value: str) -> None:
        chosen, _blank, name = value.partition(" ")
        self.data = chosen if chosen.startswith(self.prefixes) else None
        self._name = name or None

    def _look_for(self, typed: str) -> None:
        self.data = self._name = None
        if not typed:
            return
        found = search_customers(typed, self.prefixes)
        if len(found) == 1:
            self._take(found[0].value)
            return
        self.hits = found
        raise ValueError(_("Several fit; please choose one.") if found else _("Nobody of that name was found."))

    @property
    def chosen_name(self) -> str:
        """What stands in the field: the name of who is chosen, else what was typed."""
        if self.data and not self._name:
            path = PATHS[self.data[:4]]
            self._name = (api().maybe(f"{path}/{self.data}") or {}).get("name", "")
        return (self._name if self.data else self._typed) or ""

    @property
    def chosen_value(self) -> str:
        """What the form sends while nothing else is typed."""
        return f"{self.data} {self.chosen_name}" if self.data else ""

    def api_value(self) -> str | None:
        """The id."""
        return self.data or None
