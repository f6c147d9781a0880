"""An organisation's own wording of a mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from common.db import TenantMixin, VersionMixin
from notifications.models.metadata import Base


class OwnText(TenantMixin, VersionMixin, Base):
    """Replaces the built-in wording of one template in one language; ``text`` None: made from ``html``."""

    __tablename__ = "own_text"
    __table_args__ = (UniqueConstraint("organization_id", "template", "language"),)

    template: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str]
    text: Mapped[str | None]
    updated_at: Mapped[datetime]
