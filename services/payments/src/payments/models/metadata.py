"""The metadata of the payments service."""

from __future__ import annotations

from common.db import make_base

Base = make_base()
