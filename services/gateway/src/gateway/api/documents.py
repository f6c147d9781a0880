"""``/openapi.json`` and the pages at ``/docs``, whose parts all come from this address."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, send_from_directory
from swagger_ui_bundle import swagger_ui_path

from common.errors import NotFoundError
from gateway.documents import Documents, as_openapi_30

blueprint = Blueprint("documents", __name__)
_ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Deskledger API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="documents"><noscript>The API as a document: <a href="/openapi.json">openapi.json</a></noscript></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/docs/openapi-3.0.json",
  dom_id: "#documents",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


@blueprint.get("/openapi.json")
def read_document() -> Response:
    """The whole API as OpenAPI 3.1."""
    return jsonify(_documents().merged())


@blueprint.get("/docs")
@blueprint.get("/docs/")
def show_page() -> Response:
    """The page for people."""
    return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})


@blueprint.get("/docs/start.js")
def start_page() -> Response:
    """What starts Swagger UI; a file of its own, because scripts inside pages are forbidden."""
    return Response(_START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/openapi-3.0.json")
def read_older_document() -> Response:
    """The document as Swagger UI understands it."""
    return jsonify(as_openapi_30(_documents().merged()))


@blueprint.get("/docs/<name>")
def read_asset(name: str) -> Response:
    """Swagger UI's own files."""
    if name not in _ASSETS:
        raise NotFoundError("not_found", "there is nothing here")
    response = send_from_directory(Path(str(swagger_ui_path)).resolve(), name, max_age=86400)
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _documents() -> Documents:
    documents: Documents = current_app.extensions["documents"]
    return documents
