"""How an organisation's documents look: its colour, readable on paper, and its logo."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCENT, INK, PAPER = "#1f3a5f", "#1b1f24", "#ffffff"
# Of 255: lighter colours carry dark letters, and are no colour for letters themselves.
_LIGHT = 150


@dataclass(frozen=True, slots=True)
class Brand:
    """``fill`` is for areas, with letters in ``on_fill``; ``accent`` for letters and lines on paper."""

    fill: str = ACCENT
    on_fill: str = PAPER
    accent: str = ACCENT
    logo: bytes | None = None


def brand_of(profile: Mapping[str, Any]) -> Brand:
    """The brand in an organisation's profile. A logo behind an address is not fetched: only a data URI is used."""
    colour, logo = profile.get("brand_colour"), _picture(str(profile.get("logo") or ""))
    if not colour:
        return Brand(logo=logo)
    is_light = _brightness(colour) > _LIGHT
    return Brand(colour, INK if is_light else PAPER, INK if is_light else colour, logo)


def _brightness(colour: str) -> int:
    """0 (black) to 255 (white), as the eye weighs the three colours."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return (299 * red + 587 * green + 114 * blue) // 1000


def _picture(logo: str) -> bytes | None:
    head, _, body = logo.partition(";base64,")
    if not head.startswith("data:image/"):
        return None
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return None
