"""``/v1/notification-templates``."""

from __future__ import annotations

from typing import Any

from common.auth import Role, allow
from common.http import Blueprint, current_session, idempotent
from common.http.audited import changes_nothing
from notifications.api.schemas import PreviewInSchema, PreviewSchema, TemplateListSchema, TemplateSchema, WordingSchema
from notifications.domain.templates import TEMPLATES
from notifications.mail.samples import variables
from notifications.mail.wordings import Wording
from notifications.services import templates
from notifications.services.templates import WordingInUse

blueprint = Blueprint("notification-templates", __name__, description="The wording of mails")
STAFF = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK, Role.ACCOUNTANT)
_PATH = "/v1/notification-templates/<event>/<language>"


@blueprint.route("/v1/notification-templates", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, TemplateListSchema)
def list_templates() -> dict[str, Any]:
    """List the wording of every mail in every language."""
    items = [_shown(found) for found in templates.list_wordings(current_session())]
    return {"items": items, "next_cursor": None}


@blueprint.route(_PATH, methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, TemplateSchema)
def get_template(event: str, language: str) -> dict[str, Any]:
    """Show a mail's wording."""
    return _shown(templates.find_wording(current_session(), event, language))


@blueprint.route(_PATH, methods=["PUT"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(WordingSchema)
@blueprint.response(200, TemplateSchema)
def replace_template(body: dict[str, Any], event: str, language: str) -> dict[str, Any]:
    """Use an own wording; one that fails on sample data is refused."""
    return _shown(templates.replace_wording(current_session(), event, language, Wording(**body)))


@blueprint.route(_PATH, methods=["DELETE"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(204)
def drop_template(event: str, language: str) -> None:
    """Go back to the built-in wording."""
    templates.drop_wording(current_session(), event, language)


@blueprint.route("/v1/notification-templates/<event>/preview", methods=["POST"])
@allow(*STAFF)
@changes_nothing
@idempotent()
@blueprint.arguments(PreviewInSchema)
@blueprint.response(200, PreviewSchema)
def preview_template(body: dict[str, Any], event: str) -> Any:
    """Show a mail with sample data: the wording in use, or a draft of it."""
    session, language = current_session(), body.pop("language")
    used = templates.find_wording(session, event, language).wording
    # The text of another html is made anew, unless the draft brings its own.
    text = None if "html" in body else used.text
    draft = {"subject": used.subject, "html": used.html, "text": text, **body}
    return templates.preview(session, event, language, Wording(**draft))


def _shown(found: WordingInUse) -> dict[str, Any]:
    return {
        "event": found.event,
        "title": TEMPLATES[found.event].title,
        "language": found.language,
        "subject": found.wording.subject,
        "html": found.wording.html,
        "text": found.wording.text,
        "is_custom": found.version > 0,
        "updated_at": found.updated_at,
        "version": found.version,
        "variables": variables(found.event, current_session().organization),
    }
