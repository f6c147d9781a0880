"""An organisation's own wording: read, replaced, given up, looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from common import audit
from common.db import TenantSession
from common.errors import FieldError, InvalidError, NotFoundError
from common.ids import new_id
from notifications.domain.templates import LANGUAGES, TEMPLATES
from notifications.mail.rendering import Rendered, render
from notifications.mail.samples import sample
from notifications.mail.sandbox import RenderingError, check_source
from notifications.mail.wordings import Wording, built_in
from notifications.models import OwnText
from notifications.services.wordings import own_text


@dataclass(frozen=True, slots=True)
class WordingInUse:
    """A template's wording in one language; ``version`` 0 is the built-in one."""

    event: str
    language: str
    wording: Wording
    version: int = 0
    updated_at: datetime | None = None


def list_wordings(session: TenantSession) -> list[WordingInUse]:
    """Every template in every language, as it is in use."""
    own = {(row.template, row.language): row for row in session.scalars(select(OwnText))}
    return [_in_use(name, lang, own.get((name, lang))) for name in TEMPLATES for lang in LANGUAGES]


def find_wording(session: TenantSession, event: str, language: str) -> WordingInUse:
    """One of them. Raises NotFoundError."""
    _must_exist(event, language)
    return _in_use(event, language, own_text(session, event, language))


def replace_wording(session: TenantSession, event: str, language: str, wording: Wording) -> WordingInUse:
    """Put an organisation's own wording in place. Raises InvalidError as `preview` does."""
    preview(session, event, language, wording)
    values = {"subject": wording.subject, "html": wording.html, "text": wording.text, "updated_at": session.now()}
    fresh = {"id": new_id(), "organization_id": session.organization_id, "template": event, "language": language}
    statement = insert(OwnText).values(**fresh, **values, version=1)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id", "template", "language"], set_={**values, "version": OwnText.version + 1}
        )
    )
    audit.record(session, "notification_template.changed", f"{event}/{language}")
    return find_wording(session, event, language)


def drop_wording(session: TenantSession, event: str, language: str) -> None:
    """Go back to the built-in wording. Raises NotFoundError."""
    _must_exist(event, language)
    session.execute(delete(OwnText).where(OwnText.template == event, OwnText.language == language))
    audit.record(session, "notification_template.reset", f"{event}/{language}")


def preview(session: TenantSession, event: str, language: str, wording: Wording) -> Rendered:
    """A wording filled with sample data. Raises NotFoundError and InvalidError."""
    _must_exist(event, language)
    for pointer, source in (("/subject", wording.subject), ("/html", wording.html), ("/text", wording.text)):
        check_source(source or "", pointer)
    try:
        return render(wording, sample(event, session.organization), session.organization, language)
    except RenderingError as error:
        detail = f"does not work with sample data: {error}"
        raise InvalidError(
            "template_invalid", f"the template {detail}", errors=[FieldError("/html", detail)]
        ) from error


def _in_use(event: str, language: str, own: OwnText | None) -> WordingInUse:
    if own is None:
        return WordingInUse(event, language, built_in(event, language))
    return WordingInUse(event, language, Wording(own.subject, own.html, own.text), own.version, own.updated_at)


def _must_exist(event: str, language: str) -> None:
    if event not in TEMPLATES or language not in LANGUAGES:
        raise NotFoundError("template_not_found", "there is no such template")
