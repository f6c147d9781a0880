"""``/v1/resources/{id}/pictures``: uploaded by staff, seen by anybody."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import UnsupportedMediaType

from catalog.api.access import EDITORS
from catalog.api.resource_schemas import PictureInSchema, PictureQuery, PictureSchema, SizeQuery
from catalog.api.resources import locked_resource
from catalog.models import ResourcePicture
from catalog.services import pictures
from catalog.services.image_sizes import FORMATS, render_sizes
from common.auth import allow, public
from common.http import Blueprint, bind_session, check_if_match, current_session, idempotent
from common.ids import decode_path_id

blueprint = Blueprint("pictures", __name__, description="Pictures of resources")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD = {"required": True, "content": dict.fromkeys(FORMATS, _BINARY)}
# A picture never changes under its id: browsers and proxies may keep it for a year.
_CACHE = "public, max-age=31536000, immutable"


@blueprint.before_request
def _allow_large_bodies() -> None:
    """Only here may a body be as large as a photograph."""
    if request.method == "POST":
        request.max_content_length = current_app.extensions["settings"].max_picture_bytes


@blueprint.route("/v1/resources/<resource_id>/pictures", methods=["POST"])
@allow(*EDITORS)
@idempotent()
@blueprint.arguments(PictureQuery, location="query")
@blueprint.doc(requestBody=_UPLOAD)
@blueprint.response(201, PictureSchema)
def add_picture(query: dict[str, Any], resource_id: str) -> ResourcePicture:
    """Add a picture: the body is the PNG, JPEG or WebP file itself, with its content type."""
    if request.mimetype not in FORMATS:
        raise UnsupportedMediaType("the body must be the picture: image/png, image/jpeg or image/webp")
    # Drawing first: it takes long, and the resource should not stay locked meanwhile.
    sizes = render_sizes(request.get_data())
    return pictures.add_picture(current_session(), locked_resource(resource_id), sizes, alt=query["alt"])


@blueprint.route("/v1/resources/<resource_id>/pictures/<picture_id>", methods=["GET"])
@public
@blueprint.arguments(SizeQuery, location="query")
@blueprint.response(200, _BINARY["schema"], content_type="image/webp")
def show_picture(query: dict[str, Any], resource_id: str, picture_id: str) -> Response:
    """The picture in one of its sizes (WebP), for anybody who knows its id."""
    session = bind_session(None)
    ids = decode_path_id("res", resource_id), decode_path_id("pic", picture_id)
    picture = pictures.find_picture(session, *ids)
    etag = f"{picture.id.hex}-{query['size']}"
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        response = Response(pictures.picture_bytes(session, picture, query["size"]), content_type="image/webp")
    response.set_etag(etag)
    response.headers["Cache-Control"] = _CACHE
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.route("/v1/resources/<resource_id>/pictures/<picture_id>", methods=["PATCH"])
@allow(*EDITORS)
@blueprint.arguments(PictureInSchema(partial=True))
@blueprint.response(200, PictureSchema)
def change_picture(body: dict[str, Any], resource_id: str, picture_id: str) -> ResourcePicture:
    """Change a picture's text or place."""
    session, resource = current_session(), locked_resource(resource_id)
    check_if_match(resource)
    picture = pictures.find_picture(session, resource.id, decode_path_id("pic", picture_id))
    pictures.change_picture(session, resource, picture, **body)
    return picture


@blueprint.route("/v1/resources/<resource_id>/pictures/<picture_id>", methods=["DELETE"])
@allow(*EDITORS)
@blueprint.response(204)
def remove_picture(resource_id: str, picture_id: str) -> None:
    """Take a picture away for good."""
    session, resource = current_session(), locked_resource(resource_id)
    picture = pictures.find_picture(session, resource.id, decode_path_id("pic", picture_id))
    pictures.remove_picture(session, resource, picture)
