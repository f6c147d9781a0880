"""What the gateway refused, as an exception, and as a page when no form can show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from portal.refusals import fault_codes, in_words
from portal.translation import gettext as _

# What the visitor can put right in the form that was sent.
FORM_STATUSES = frozenset({400, 402, 409, 412, 413, 415, 422, 429})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in what was sent: a JSON pointer and a sentence about it."""

    pointer: str
    detail: str


class ApiProblem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer of the API that is no success (problem+json)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = body.get("code") or "error"
        self.detail: str = in_words(self.code, body.get("detail") or body.get("title") or "")
        self.faults = [
            Fault(error.get("pointer", ""), in_words(code, error.get("detail", "")))
            for code, error in zip(fault_codes(body), body.get("errors") or (), strict=True)
        ]
        self.body = body
        super().__init__(f"{status} {self.code}: {self.detail}")

    @property
    def is_for_form(self) -> bool:
        """Whether the visitor can put it right in the form; a wrong present password (401) is no end of the sign-in."""
        return self.status in FORM_STATUSES or self.code == "password_wrong"

    @property
    def sentence(self) -> str:
        """For people: the detail, written as a sentence."""
        text = self.detail or _("That did not work.")
        return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def register_problem_pages(app: Flask) -> None:
    """Every error becomes a page that says what happened and how to go on."""
    app.register_error_handler(ApiProblem, _from_api)
    app.register_error_handler(CSRFError, _from_csrf)
    app.register_error_handler(HTTPException, _from_http)


def to_sign_in() -> AnyResponse:
    """The door, from which one comes back to where one was."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(f"/sign-in?next={quote(wanted)}" if wanted else "/sign-in")


def _from_api(problem: ApiProblem) -> tuple[str, int] | AnyResponse:
    if problem.status == 401:
        return to_sign_in()
    return _page(problem.status, problem.sentence if problem.status < 500 else None)


def _from_csrf(_error: CSRFError) -> tuple[str, int]:
    return _page(400, _("This form was open for too long, or came from somewhere else. Go back and send it again."))


def _from_http(error: HTTPException) -> tuple[str, int] | AnyResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    return _page(error.code, None)


def _page(status: int, sentence: str | None) -> tuple[str, int]:
    titles = {
        403: _("This is not open to you"),
        404: _("There is nothing here"),
        429: _("That was too often"),
        503: _("One moment, please"),
    }
    title = titles.get(status, _("Something went wrong") if status >= 500 else _("That did not work"))
    return render_template("problems/problem.html", title=title, sentence=sentence, status=status), status


def plain(status: int) -> Response:
    """An answer for scripts, without a page."""
    return Response(status=status)
