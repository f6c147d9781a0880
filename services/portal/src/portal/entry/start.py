"""The start page, and the choice of language."""

from __future__ import annotations

from flask import redirect, render_template, request, session
from werkzeug.wrappers import Response

from portal.entry.door import blueprint, home
from portal.seats import MEMBER, STAFF, seat_of
from portal.translation import LANGUAGES


@blueprint.get("/")
def start() -> str:
    """Show the ways in, and the portals where the visitor is signed in."""
    seats = [seat for kind in (STAFF, MEMBER) if (seat := seat_of(kind))]
    return render_template("entry/start.html", places=[(seat, home(seat)) for seat in seats])


@blueprint.post("/language")
def choose_language() -> Response:
    """Remember the visitor's language."""
    if (wish := request.form.get("language")) in LANGUAGES:
        session["language"] = wish
    page = request.form.get("page", "/")
    return redirect(page if page.startswith("/") and not page.startswith(("//", "/\\")) else "/")
