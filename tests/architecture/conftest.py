"""Sources to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources(root: Path) -> list[Path]:
    """Every module of every package, tests and migrations apart."""
    found = sorted(path for area in ("libs", "services", "deploy") for path in root.glob(f"{area}/*/src/**/*.py"))
    assert found, "no sources: has the layout changed?"
    return found
