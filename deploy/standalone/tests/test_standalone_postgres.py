"""The embedded server goes with the last process that uses it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from standalone.postgres import embedded_server


def test_a_killed_process_does_not_keep_the_embedded_server_up() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    # Not in pytest's folder: PostgreSQL's account must be able to go in.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "postgres"
        with embedded_server(folder):
            users = folder / ".handle_pids.json"
            users.write_text(json.dumps([ended.pid, *json.loads(users.read_text())]))
            assert (folder / "postmaster.pid").exists()
        assert not (folder / "postmaster.pid").exists()
