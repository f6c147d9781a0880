"""The catalog's own metadata."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from common.db import make_base


class Base(DeclarativeBase):
    """Base of the catalog's tables, with the names and column types that all services share."""

    registry = make_base().registry
