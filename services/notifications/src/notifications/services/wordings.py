"""Which wording an organisation uses, and what happens when its own one fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import select

from common.db import TenantSession
from notifications.mail.rendering import Rendered, render
from notifications.mail.sandbox import RenderingError
from notifications.mail.wordings import Wording, built_in
from notifications.models import OwnText

logger = structlog.get_logger(__name__)


def own_text(session: TenantSession, template: str, language: str, *, lock: bool = False) -> OwnText | None:
    """The organisation's own wording, if it has one."""
    statement = select(OwnText).where(OwnText.template == template, OwnText.language == language)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def write(session: TenantSession, template: str, language: str, data: Mapping[str, Any]) -> Rendered:
    """A mail's words: from the organisation's wording, or from ours when that one stumbles over the data."""
    own = own_text(session, template, language)
    if own is not None:
        try:
            return render(Wording(own.subject, own.html, own.text), data, session.organization, language)
        except RenderingError as error:
            logger.warning("own_wording_failed", template=template, language=language, error=str(error))
    return render(built_in(template, language), data, session.organization, language)
