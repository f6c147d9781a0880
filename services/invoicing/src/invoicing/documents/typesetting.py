"""Typesetting with typst: one kept compiler per thread, no system fonts (so that a page is the same anywhere)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import structlog
import typst

logger = structlog.get_logger(__name__)
TEMPLATE = Path(__file__).parent / "templates" / "document.typ"
_kept = threading.local()


def _compiler() -> typst.Compiler:
    # A fresh compiler reads fonts and template anew, five times slower; and one is for one thread at a time.
    compiler: typst.Compiler | None = getattr(_kept, "compiler", None)
    if compiler is None:
        compiler = _kept.compiler = typst.Compiler(TEMPLATE, ignore_system_fonts=True)
    return compiler


def typeset(
    layout: Mapping[str, Any], issue_date: date, *, logo: bytes | None = None, xml: bytes | None = None
) -> bytes:
    """The PDF of a laid out document; equal layouts give equal bytes. With ``xml`` it is a PDF/A-3 that embeds it.

    A ``logo`` that is no picture is left out: an invoice is sent with or without it.
    """
    # The time of making stands in the file: the document's own date keeps the bytes the same.
    timestamp = datetime(issue_date.year, issue_date.month, issue_date.day, tzinfo=UTC)
    inputs = {"data": json.dumps(layout, ensure_ascii=False)}
    if xml is not None:
        inputs["xml"] = xml.decode()
    standard = None if xml is None else "a-3b"

    def compiled(more: Mapping[str, str]) -> bytes:
        options: Any = {"sys_inputs": {**inputs, **more}, "pdf_standards": standard, "timestamp": timestamp}
        return cast(bytes, _compiler().compile(format="pdf", **options))

    if logo is None:
        return compiled({})
    try:
        # Inputs are texts: the bytes go as numbers, which typst reads back at once.
        return compiled({"logo": json.dumps(list(logo))})
    except typst.TypstError:
        logger.warning("logo_not_readable", document=layout["number"])
        return compiled({})
