"""What the whole test run shares: the plugin with real servers, hypothesis' profile, the last word on skips."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings


def _plugin_exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


pytest_plugins = [name for name in ["common.testing.plugin"] if _plugin_exists(name)]

# No deadline: a shared machine is slow at times, and a slow example is no wrong one.
settings.register_profile("deskledger", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deskledger"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Close with what was not tested, and why, each reason once; around pytest's own summary, so it comes last."""
    yield
    terminalreporter.section("not tested")
    lines = [
        f"{count} {kind}: {reason}"
        for kind in ("skipped", "xfailed")
        for reason, count in _reasons(terminalreporter.stats.get(kind, [])).most_common()
    ]
    for line in lines or ["nothing was skipped"]:
        terminalreporter.write_line(line)


def _reasons(reports: list[pytest.TestReport]) -> Counter[str]:
    return Counter(_reason(report) for report in reports)


def _reason(report: pytest.TestReport) -> str:
    """A skipped test's report carries (file, line, "Skipped: why"), an expected failure's its `wasxfail`."""
    if hasattr(report, "wasxfail"):
        return report.wasxfail or "expected to fail"
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
