"""The numbers of documents, and the chain over all that was issued."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from common.db import TenantMixin
from invoicing.models.metadata import Base


class NumberSeries(TenantMixin, Base):
    """The last number given in a series; locked until the issuing transaction ends, hence gap-free (DOC-2)."""

    __tablename__ = "number_series"
    __table_args__ = (
        UniqueConstraint("organization_id", "kind", "series_key", name="uq_number_series_organization_id_kind"),
    )

    kind: Mapped[str]
    series_key: Mapped[str]
    last_number: Mapped[int]


class ChainHead(TenantMixin, Base):
    """The end of an organisation's chain of documents; locked while links are added."""

    __tablename__ = "chain_head"
    __table_args__ = (UniqueConstraint("organization_id", name="uq_chain_head_organization_id"),)

    position: Mapped[int]
    hash: Mapped[str]


class ChainedDocument(TenantMixin, Base):
    """An issued document, byte for byte, with its link in the chain (DOC-3). ``id`` is the document's.

    Rows are never changed.
    """

    __tablename__ = "chained_document"
    __table_args__ = (
        UniqueConstraint("organization_id", "position", name="uq_chained_document_organization_id_position"),
    )

    organization_id: Mapped[UUID] = mapped_column()  # the first column of the unique index
    position: Mapped[int]
    kind: Mapped[str]
    canonical: Mapped[bytes]
    previous_hash: Mapped[str]
    hash: Mapped[str]
