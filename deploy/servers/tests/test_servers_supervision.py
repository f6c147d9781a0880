"""supervisord with stand-in processes: they come back when killed, and Ctrl-C ends them all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servers.config import read_settings
from servers.processes import Process, all_processes
from servers.supervision import configuration, wait_until_ready

STAND_IN = """
import os, signal, sys, time
print("started", os.getpid(), "for", os.environ["DATABASE_URL"], flush=True)
signal.signal(signal.SIGTERM, lambda *_: (print("stopped", flush=True), sys.exit(0)))
while True:
    time.sleep(0.1)
"""
LAUNCHER = """
import os, sys
from servers import processes, supervision
from pathlib import Path
data = Path(os.environ["DESKLEDGER_DATA"])
supervision.write_configuration(data, [processes.Process("booking", "worker")])
sys.exit(supervision.run(data, os.environ, lambda running: print("up", flush=True)))
"""


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def stand_in(tmp_path: Path, environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The launcher with one process, in which a package `booking` that only waits takes the real one's place."""
    package = tmp_path / "booking"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER],
        env=os.environ | environment | {"PYTHONPATH": str(tmp_path)},
        text=True,
    )
    yield launcher, tmp_path / "logs" / "booking-worker.log"
    if launcher.poll() is None:
        launcher.terminate()
    launcher.wait(30)


def starts(log: Path) -> list[int]:
    """The process ids that a log tells of."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith("started")]


def test_a_killed_process_comes_back_and_ctrl_c_stops_all(stand_in: tuple[subprocess.Popen[str], Path]) -> None:
    launcher, log = stand_in
    eventually(lambda: len(starts(log)) == 1)
    assert "for postgresql://desk:p%40ss@db.example:5432/deskledger_booking?sslmode=require" in log.read_text()
    os.kill(starts(log)[0], signal.SIGKILL)
    eventually(lambda: len(starts(log)) == 2)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(30) == 0
    assert log.read_text().endswith("stopped\n")
    with pytest.raises(ProcessLookupError):
        os.kill(starts(log)[1], 0)


def test_no_secret_stands_in_the_configuration(environment: dict[str, str], tmp_path: Path) -> None:
    settings = read_settings(environment)
    text = configuration(tmp_path, all_processes())
    assert settings.internal_token not in text
    assert "p%40ss" not in text


def test_a_per_cent_sign_in_the_data_folder_is_no_expansion() -> None:
    text = configuration(Path("/srv/100%"), [Process("booking", "web")])
    assert "/srv/100%%/logs/booking-web.log" in text


def test_a_port_that_answers_with_our_own_request_is_not_ready_yet() -> None:
    """So does one to which a connection goes while nobody listens there: it may meet itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def echo() -> None:
            line, _ = listener.accept()
            with line:
                line.sendall(line.recv(1000))

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        rounds = iter((True, False))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/readyz"
        assert wait_until_ready(url, 30, lambda: next(rounds)) is False
        thread.join()
