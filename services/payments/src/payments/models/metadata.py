"""The metadata of the payments service."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from common.db import make_base


class Base(DeclarativeBase):
    """Base of the payments tables, with the names and column types that all services share."""

    registry = make_base().registry
