"""Settings that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The least that has to be said."""
    return {
        "DESKLEDGER_POSTGRES_URL": "postgresql://desk:p%40ss@db.example:5432?sslmode=require",
        "AMQP_URL": "amqp://desk:pass@mq.example:5672/",
        "DESKLEDGER_DATA": str(tmp_path),
    }
