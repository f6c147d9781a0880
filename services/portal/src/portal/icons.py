"""Icons, drawn into the page: taken at start from the sprite that comes with Bootstrap-Flask."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import flask_bootstrap
from markupsafe import Markup

_SPRITE = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/icons/bootstrap-icons.svg"
_SYMBOL = re.compile(r'<symbol class="[^"]*" viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, tuple[str, str]]:
    return {name: (box, paths) for box, name, paths in _SYMBOL.findall(_SPRITE.read_text())}


@lru_cache
def icon(name: str) -> Markup:
    """An icon that screen readers pass over; it never stands without words."""
    box, paths = _symbols()[name]
    # The paths are the package's own, not a visitor's.
    return Markup(f'<svg class="icon" viewBox="{box}" aria-hidden="true" focusable="false">{paths}</svg>')  # noqa: S704
