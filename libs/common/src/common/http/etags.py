"""ETags from row versions, and ``If-Match``."""

from __future__ import annotations

from typing import Protocol

from flask import g, request

from common.errors import PreconditionFailedError


class Versioned(Protocol):
    """Anything with a version that grows with each change."""

    @property
    def version(self) -> int:
        """Counts the changes."""
        ...


def remember_etag(row: Versioned) -> None:
    """Send the row's version as the response's ETag."""
    g.etag = f"v{row.version}"


def check_if_match(row: Versioned) -> None:
    """Raise PreconditionFailedError when the caller's If-Match names another version than the (locked) row has.

    A weak tag counts as well: reverse proxies weaken the tags of answers that they compress.
    """
    if request.headers.get("If-Match") and not request.if_match.contains_weak(f"v{row.version}"):
        raise PreconditionFailedError("changed_meanwhile", "this was changed since you read it; read it again")
