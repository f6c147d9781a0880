"""Addresses of pages made from the present one, and the pages that belong to paths of the API."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, request
from werkzeug.urls import iri_to_uri

_PAGES = {
    "/v1/settings": "/admin/settings",
    "/v1/storefront-settings": "/admin/storefront",
    "/v1/organization": "/admin/settings/organization",
    "/v1/collections": "/admin/collections",
    "/v1/payment-methods": "/admin/members",
}
_CONFIRMING = re.compile(r"/v1/payments/pay_[0-9a-f]{32}/action")


def with_query(**changes: Any) -> str:
    """This page with other query parameters; None takes one away."""
    query = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return iri_to_uri(request.path) + (f"?{urlencode(kept)}" if kept else "")


def admin_page(href: str | None) -> str | None:
    """Where something that the API names is looked after; pages stay as they are."""
    if not href:
        return None
    for path, page in _PAGES.items():
        if href.startswith(path):
            return href.replace(path, page, 1) if path == "/v1/settings" else page
    return href.replace("/v1/", "/admin/", 1) if href.startswith("/v1/") else href


def and_back(address: str, page: str) -> str:
    """The API's own page on which a charge is confirmed, on this site and with the way back to ``page``.

    A provider's or bank's page stays as it is.
    """
    parts = urlsplit(address)
    if not _CONFIRMING.fullmatch(parts.path):
        return address
    return f"{parts.path}?{urlencode([*parse_qsl(parts.query), ('back', page)])}"


def register_links(app: Flask) -> None:
    """Give templates these."""
    app.jinja_env.globals.update(with_query=with_query)
    app.jinja_env.filters.update(admin_page=admin_page, and_back=and_back)
