"""What the pages before sign-in share."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from portal.api import api_on
from portal.seats import Seat, make_seat, take_seat

blueprint = Blueprint("entry", __name__)


def enter(tokens: dict[str, object]) -> Response:
    """Seat whoever the tokens are of, and show where they wanted to go, or their portal."""
    newcomer = make_seat(tokens, {}, {})
    calls = api_on(newcomer)
    seat = make_seat(tokens, calls.get("/v1/organization"), calls.get("/v1/me"))
    take_seat(seat)
    return redirect(wanted_page(seat) or home(seat))


def home(seat: Seat) -> str:
    """The first page of a person's portal."""
    if seat.is_staff:
        return url_for("admin.dashboard")
    return url_for("member.overview", slug=seat.organization["slug"])


def wanted_page(seat: Seat) -> str | None:
    """Where they were sent to the door from, if it is a page of their own portal here."""
    wanted = request.args.get("next", "")
    slug = seat.organization["slug"]
    own = ("/admin/",) if seat.is_staff else (f"/portal/{slug}/", f"/hub/{slug}/")
    is_here = wanted.startswith(own) and "\\" not in wanted and "//" not in wanted.partition("?")[0]
    return wanted if is_here and wanted.isprintable() else None
