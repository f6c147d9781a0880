"""How an organisation shows itself to strangers."""

from __future__ import annotations

from sqlalchemy import ARRAY, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.metadata import Base
from common.db import TenantMixin, VersionMixin


class StorefrontSettings(TenantMixin, VersionMixin, Base):
    """One row per organisation, made when it first changes something."""

    __tablename__ = "storefront_settings"
    __table_args__ = (UniqueConstraint("organization_id"),)

    published: Mapped[bool] = mapped_column(default=False)
    headline: Mapped[str | None]
    description: Mapped[str | None]
    brand_color: Mapped[str | None]
    contact_email: Mapped[str | None]
    terms_url: Mapped[str | None]
    privacy_url: Mapped[str | None]
    # Sites that may show the storefront in a frame of their own pages.
    embed_origins: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    guest_flow: Mapped[str] = mapped_column(default="pay_now")
    member_flow: Mapped[str] = mapped_column(default="pay_later")

    @property
    def purchase_flow(self) -> dict[str, str]:
        """How each audience buys (GH-2)."""
        return {"guest": self.guest_flow, "member": self.member_flow}
