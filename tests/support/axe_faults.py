"""What axe-core finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_GRAVE = frozenset({"serious", "critical"})


def grave_faults(page: Page, path: str) -> list[str]:
    page.goto(path)
    found = Axe().run(page).response["violations"]
    return [
        f"{path}: {fault['id']} ({fault['help']}): {fault['nodes'][0]['html'][:160]}"
        for fault in found
        if fault["impact"] in _GRAVE
    ]
