"""Invoicing's own metadata."""

from __future__ import annotations

from common.db import make_base

Base = make_base()
