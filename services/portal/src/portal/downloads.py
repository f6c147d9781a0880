"""Files of the API, handed on to the visitor."""

from __future__ import annotations

from flask import Response

from portal.api import api
from portal.problems import ApiProblem

_KEPT = ("content-type", "content-disposition", "etag")


def pass_on(path: str) -> Response:
    """A document as the API gives it. Raises ApiProblem."""
    answer = api().send("GET", path, headers={"Accept": "*/*"})
    if not answer.ok:
        raise ApiProblem(answer.status, answer.json)
    response = Response(answer.body)
    for name in _KEPT:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    # Whatever it is, it may do nothing here; browsers' own PDF viewers do not start inside a sandbox.
    is_pdf = answer.headers.get("content-type", "").startswith("application/pdf")
    response.headers["Content-Security-Policy"] = "default-src 'self'" if is_pdf else "default-src 'none'; sandbox"
    return response
