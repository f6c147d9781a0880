"""Slugs: the short name of an organisation in addresses."""

from __future__ import annotations

import re

PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"


def is_slug(text: str) -> bool:
    """1 to 63 lowercase letters, digits and inner hyphens: what fits into an address and a host name."""
    return re.fullmatch(PATTERN, text) is not None
