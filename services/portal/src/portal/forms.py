"""Forms that become bodies of the API, and into which the API's refusals go back, beside the field they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field
from wtforms.i18n import get_translations as wtforms_translations
from wtforms.validators import Email, InputRequired, Optional, Regexp

from portal.problems import FORM_STATUSES, ApiProblem, Fault
from portal.translation import gettext as _
from portal.translation import language, lazy_gettext

NEEDED = InputRequired(lazy_gettext("Please fill this in."))
MAYBE = Optional()
AN_EMAIL = Email(lazy_gettext("Please write a whole e-mail address."))
A_COLOUR = Regexp("^#[0-9a-fA-F]{6}$", message=lazy_gettext("Please write a colour such as #0b5fff."))
NEST = "__"


class ApiForm(FlaskForm):
    """Field names are the API's; ``owner__email`` is ``{"owner": {"email": …}}``."""

    class Meta(FlaskForm.Meta):
        """What WTForms itself says comes from its own catalogues."""

        def get_translations(self, form: Any) -> Any:
            """In the visitor's language."""
            return wtforms_translations([language()])

    # Names of fields that are the page's own and not sent.
    LOCAL: frozenset[str] = frozenset()

    def __init__(self, *, shown: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """``shown`` is what the API says now."""
        super().__init__(data=_flat(shown) if shown else None, **kwargs)
        self.refusal: list[str] = []

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """What goes to the API; empty fields are left out, or sent as null to remove what was there."""
        body: dict[str, Any] = {}
        for field in self._sent():
            value = field.api_value() if hasattr(field, "api_value") else field.data
            if value is None and not nulls:
                continue
            *path, last = field.short_name.split(NEST)
            place = body
            for name in path:
                place = place.setdefault(name, {})
            place[last] = value
        return body

    def unshown(self, found: Mapping[str, Any], part: str) -> dict[str, Any]:
        """What a part of ``found`` holds that this form does not show: the API replaces some parts as a whole."""
        place: Mapping[str, Any] = found
        for name in part.split(NEST):
            place = place.get(name) or {}
        own = (name.removeprefix(part + NEST) for name in self._fields if name.startswith(part + NEST))
        shown = {name.split(NEST)[0] for name in own}
        return {name: value for name, value in place.items() if name not in shown and value is not None}

    def send(self, call: Callable[[dict[str, Any]], Any], *, nulls: bool = False) -> Any:
        """Call the API when the form was sent and is well formed; None when there is something to show instead."""
        if not self.validate_on_submit():
            return None
        try:
            answer = call(self.body(nulls=nulls))
        except ApiProblem as problem:
            if not problem.is_for_form:
                raise
            self.take(problem)
            return None
        return answer if answer is not None else {}

    def take(self, problem: ApiProblem) -> None:
        """Show a refusal: each fault beside its field, what fits no field above the form."""
        left = [fault for fault in problem.faults if not self._place(fault)]
        if left or not problem.faults:
            self.refusal = [problem.sentence, *(fault.detail for fault in left if fault.detail != problem.detail)]

    def _place(self, fault: Fault) -> bool:
        parts = fault.pointer.strip("/").split("/")
        for length in range(len(parts), 0, -1):
            field = self._fields.get(NEST.join(parts[:length]))
            if field is not None:
                field.errors = [*field.errors, _sentence(fault.detail)]
                return True
        return False

    def _sent(self) -> list[Field]:
        return [field for name, field in self._fields.items() if name not in self.LOCAL | {"csrf_token"}]


class Switches(ApiForm):
    """A form of switches only."""

    def switches(self) -> list[BooleanField]:
        """In their order."""
        return [field for field in self._fields.values() if isinstance(field, BooleanField)]


def act(call: Callable[[], Any], done: str | None) -> Any:
    """Do what a button says and tell how it went; None when it was refused."""
    try:
        answer = call()
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        flash(problem.sentence, "danger")
        return None
    if done is not None:
        flash(done, "success")
    return answer if answer is not None else {}


def _flat(shown: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in shown.items():
        flat[prefix + name] = value
        if isinstance(value, Mapping) and "amount_minor" not in value:
            flat |= _flat(value, f"{prefix}{name}{NEST}")
    return flat


def _sentence(text: str) -> str:
    text = text or _("Please look at this again.")
    return text[:1].upper() + text[1:]
