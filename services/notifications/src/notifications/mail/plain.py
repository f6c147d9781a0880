"""The plain-text part of a mail, made from its wording."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = {"p", "h1", "h2", "ul", "ol", "pre", "div", "table", "tr"}
_SPACES = re.compile(r"[ \t\r\n]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._preformatted = 0
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.text += "\n\n"
        elif tag in {"br", "li"}:
            self.text += "\n- " if tag == "li" else "\n"
        elif tag == "a":
            self._href = dict(attrs).get("href")
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.text += "\n\n"
        elif tag == "a" and self._href:
            self.text += f" ({self._href})"
            self._href = None
        self._preformatted -= tag == "pre" and self._preformatted > 0

    def handle_data(self, data: str) -> None:
        if not self._preformatted:
            data = _SPACES.sub(" ", data)
            data = data.lstrip() if self.text.endswith("\n") else data
        self.text += data


def plain_text(html: str) -> str:
    """Words of an HTML fragment: paragraphs apart by an empty line, list items dashed, links behind their text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = re.sub(r"[ \t]+\n", "\n", reader.text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
