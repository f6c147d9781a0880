"""The declarative base of the booking service."""

from __future__ import annotations

from common.db import make_base

Base = make_base()
