"""The Member Portal's door; its addresses carry the organisation's short name, as links in mails do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from portal.problems import to_sign_in
from portal.seats import MEMBER, seat_of, use_seat

blueprint = Blueprint("member", __name__, url_prefix="/portal")


@blueprint.url_value_preprocessor
def take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views need not know whose portal they are in."""
    g.slug = values.pop("slug", None) if values else None


@blueprint.url_defaults
def give_slug(endpoint: str, values: dict[str, Any]) -> None:
    """Links stay in this portal."""
    if "slug" not in values and g.get("slug") and current_app.url_map.is_endpoint_expecting(endpoint, "slug"):
        values["slug"] = g.slug


@blueprint.before_request
def check_seat() -> Response | None:
    """Only for members of this organisation who are signed in."""
    seat = seat_of(MEMBER)
    if g.slug is None:
        return None
    if seat is None or seat.organization["slug"] != g.slug:
        use_seat(None)
        wanted = quote(request.full_path.rstrip("?")) if request.method == "GET" else ""
        return redirect(f"/sign-in?organization={quote(g.slug)}&next={wanted}")
    use_seat(seat)
    return None


@blueprint.get("/")
def find_portal() -> Response:
    """To the portal of the organisation where the visitor is, or was, signed in."""
    seat = seat_of(MEMBER)
    slug = seat.organization["slug"] if seat else session.get("slug")
    if slug:
        return redirect(url_for("member.overview", slug=slug))
    use_seat(None)
    return to_sign_in()
