"""Public catalogues as they were last read; the catalog says each time whether one is still true.

Writing a catalogue out is most of the work of a storefront's page. So the catalog is always asked, with the ETag of
what is kept here, and mostly answers 304: nothing old is ever shown, whichever process or program changed something.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway.identity import Remembered
from gateway.upstreams import Answer, Upstreams

_KEPT_SECONDS = 3600.0
_KEPT = 200


@dataclass(frozen=True, slots=True)
class _Kept:
    etag: str
    page: Mapping[str, Any]


class Catalogues:
    """Reads catalogues by the organisation's slug."""

    def __init__(self, upstreams: Upstreams, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._upstreams = upstreams
        self._pages: Remembered[_Kept] = Remembered(monotonic, _KEPT)

    def read(self, slug: str, headers: Mapping[str, str]) -> tuple[Answer, dict[str, Any] | None]:
        """The catalog's answer, and the catalogue when there is one: the caller's own copy of its outermost parts."""
        kept = self._pages.get(slug)
        asked = {**headers, "If-None-Match": kept.etag} if kept is not None else headers
        path = f"/v1/storefront/{quote(slug, safe='')}/catalog"
        answer = self._upstreams.call("catalog", "GET", path, asked, timeout=5.0)
        if kept is not None and answer.status == 304:
            self._pages.keep(slug, kept, _KEPT_SECONDS)
            return answer, _copied(kept.page)
        if answer.status != 200:
            return answer, None
        page: dict[str, Any] = answer.json()
        if etag := answer.header("ETag"):
            self._pages.keep(slug, _Kept(etag, _copied(page)), _KEPT_SECONDS)
        return answer, page


def _copied(page: Mapping[str, Any]) -> dict[str, Any]:
    return {**page, "resources": [dict(row) for row in page.get("resources", ())]}
