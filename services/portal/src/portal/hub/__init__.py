"""The Growth Hub."""

from flask import Blueprint

blueprint = Blueprint("hub", __name__, url_prefix="/hub")


@blueprint.get("/<slug>/")
def storefront(slug: str) -> str:
    return slug
