"""The standalone suite and the system's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from footings import Footing, data_folder, standalone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from portal_walks import Space, enter_as_owner, make_space

CHROMIUM = "/usr/bin/chromium"
# Machines that run several suites at once are slow, and a page that is late is not a page that is wrong.
expect.set_options(timeout=20_000)
_QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; skipped with the reason when it is missing, an error when CI is true."""
    if not Path(CHROMIUM).exists() and shutil.which(CHROMIUM) is None:
        reason = f"{CHROMIUM} is missing (Debian package chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def suite(chromium: Browser) -> Iterator[Footing]:
    """The whole suite in one process, empty."""
    with data_folder() as data, standalone(data) as footing:
        yield footing


@pytest.fixture(scope="session")
def shared_space(suite: Footing) -> Space:
    """An organisation for tests that leave one another alone: each looks only at what it made itself."""
    return make_space(suite.origin)


@pytest.fixture(scope="module")
def owner_cookies(chromium: Browser, suite: Footing, shared_space: Space) -> list[Any]:
    """The owner's sign-in; a module takes less time than an access token has, so that none is renewed twice."""
    context = chromium.new_context(base_url=suite.origin, locale="en-GB")
    enter_as_owner(context.new_page(), shared_space)
    cookies = context.cookies()
    context.close()
    return list(cookies)


@pytest.fixture
def space(page: Page, shared_space: Space, owner_cookies: list[Any]) -> Space:
    """The shared organisation, its owner signed in."""
    page.context.add_cookies(owner_cookies)
    return shared_space


@pytest.fixture
def own_space(page: Page, suite: Footing) -> Space:
    """An organisation for one test that turns everything over, its owner signed in."""
    space = make_space(suite.origin)
    enter_as_owner(page, space)
    return space


@pytest.fixture
def page(chromium: Browser, suite: Footing) -> Iterator[Page]:
    """A fresh visitor; what the console complains of (a broken policy, say) fails the test."""
    context = chromium.new_context(base_url=suite.origin, viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(30_000)
    complaints: list[str] = []
    visitor = context.new_page()
    visitor.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    visitor.on("pageerror", lambda error: complaints.append(str(error)))
    visitor.on("dialog", lambda dialog: dialog.accept())
    yield visitor
    context.close()
    assert not complaints
