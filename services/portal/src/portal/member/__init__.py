"""The Member Portal."""

from flask import Blueprint

blueprint = Blueprint("member", __name__, url_prefix="/portal")


@blueprint.get("/<slug>/")
def overview(slug: str) -> str:
    return slug
