"""Column charts as geometry for SVG; whole numbers only, because what is drawn is money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 190
_TOP, _BOTTOM, _GAP, _WIDEST = 26, 26, 14, 76


@dataclass(frozen=True, slots=True)
class Column:
    """One column with the texts below and above it."""

    x: int
    y: int
    width: int
    height: int
    label: str
    text: str

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + self.width // 2


def columns(values: Sequence[tuple[str, int, str]]) -> list[Column]:
    """Columns of (label, value, text), side by side over the whole width; values below zero have no height."""
    if not values:
        return []
    most = max(1, *(value for _label, value, _text in values))
    step = WIDTH // len(values)
    width = min(step - _GAP, _WIDEST)
    room = HEIGHT - _TOP - _BOTTOM
    drawn = []
    for number, (label, value, text) in enumerate(values):
        height = max(0, value) * room // most
        drawn.append(Column(number * step + (step - width) // 2, HEIGHT - _BOTTOM - height, width, height, label, text))
    return drawn
