"""Catalogues of texts: read when the portal starts, and kept in step with the sources.

They are text (``translations/<language>/LC_MESSAGES/messages.po``) and are turned into gettext's form in memory.
``python -m portal translations`` takes new texts of the sources into them and drops those that are gone.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parent
FOLDER = PACKAGE / "translations"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))


def read_catalogue(language: str) -> Catalog:
    """A language's catalogue. Raises FileNotFoundError."""
    with _path(language).open("rb") as file:
        return read_po(file, locale=language)


def load(language: str) -> GNUTranslations:
    """A language's catalogue, ready for look-ups."""
    packed = io.BytesIO()
    write_mo(packed, read_catalogue(language))
    packed.seek(0)
    return GNUTranslations(packed)


def extract() -> Catalog:
    """All texts of the sources and templates."""
    found = Catalog()
    for filename, _line, text, _comments, context in extract_from_dir(
        PACKAGE, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=()
    ):
        found.add(text, locations=[(filename, 0)], context=context)
    return found


def update() -> dict[str, int]:
    """Bring all catalogues up to date; how many texts each still lacks."""
    texts = extract()
    return {language: _update(language, texts) for language in languages()}


def missing(catalogue: Catalog, texts: Iterable[Message]) -> list[str]:
    """Texts that a catalogue does not translate."""
    return [str(text.id) for text in texts if text.id and not _is_translated(catalogue.get(text.id))]


def _update(language: str, texts: Catalog) -> int:
    catalogue = read_catalogue(language)
    # Only a change of texts is to change the file.
    texts.creation_date = catalogue.creation_date
    catalogue.update(texts, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with _path(language).open("wb") as file:
        write_po(file, catalogue, width=118, sort_output=True, include_lineno=False)
    return len(missing(catalogue, texts))


def _is_translated(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def _path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"
