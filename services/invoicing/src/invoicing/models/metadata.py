"""Invoicing's own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["Base"]

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    from common.db import make_base

    Base = make_base()
