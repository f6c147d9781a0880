"""What pages of the Admin Portal look up while somebody types."""

from __future__ import annotations

from typing import Any

from flask import Response as Answer
from flask import jsonify, request

from portal.admin.door import blueprint
from portal.pickers import EVERYBODY, search_customers

_SHORTEST = 2


@blueprint.get("/search/customers")
def find_customers() -> Answer:
    """Members and companies that a text fits, for the suggestions of a picker."""
    text = request.args.get("q", "").strip()
    wanted = request.args.getlist("of") or EVERYBODY
    prefixes = [prefix for prefix in EVERYBODY if prefix in wanted]
    found = search_customers(text, prefixes) if len(text) >= _SHORTEST else []
    items: list[dict[str, Any]] = [{"value": one.value, "name": one.name, "detail": one.detail} for one in found]
    return jsonify({"items": items})
