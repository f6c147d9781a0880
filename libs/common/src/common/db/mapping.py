"""What every service's tables have in common: names of constraints, the tenant column, versions, money."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, DateTime, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.ids import new_id
from common.money import Money

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def make_base() -> type[DeclarativeBase]:
    """A declarative base of its own metadata for one service, with our names and column types."""

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING_CONVENTION)
        type_annotation_map: ClassVar[dict[Any, Any]] = {
            str: Text(),
            datetime: DateTime(timezone=True),
            Decimal: Numeric(18, 6),
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
            int: BigInteger,
        }

    return Base


class TenantMixin:
    """A row of one organisation: filtered and stamped by `TenantSession`, guarded by row-level security."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(index=True)


class VersionMixin:
    """An aggregate root: its version grows by one with each change and goes into ETags and messages."""

    version: Mapped[int] = mapped_column(BigInteger, default=1)

    def touch(self) -> int:
        """Count a change; call it once per changing use case. Returns the new version."""
        self.version = (self.version or 0) + 1
        return self.version


class MoneyColumns:
    """Builds ``*_minor`` columns and reads them back as Money of the row's ``currency``."""

    currency: Mapped[str] = mapped_column(CHAR(3))

    def money(self, column: str) -> Money:
        """The amount in column ``<column>_minor`` as Money."""
        return Money(getattr(self, f"{column}_minor"), self.currency)
