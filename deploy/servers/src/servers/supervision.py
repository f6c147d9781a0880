"""supervisord keeps the processes alive: its configuration, and a run of it in the foreground."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from types import FrameType

from servers.processes import Process

Running = Callable[[], bool]

# A relay or a request in hand is finished first; then the process is killed.
STOP_SECONDS = 20


def configuration(data: Path, processes: Iterable[Process]) -> str:
    """The text of supervisord.conf. Secrets stay out of it: each program fetches its settings when it starts."""
    known = list(processes)
    programs = [_program(process, data) for process in known]
    # One group: supervisord stops the programs of a group together, and groups one after the other.
    group = _GROUP.format(names=",".join(process.name for process in known))
    return "\n".join([_SUPERVISOR.format(data=_escaped(data)), *programs, group])


def write_configuration(data: Path, processes: Iterable[Process]) -> Path:
    """Write supervisord.conf and make the folder for the logs."""
    (data / "logs").mkdir(parents=True, exist_ok=True)
    path = data / "supervisord.conf"
    path.write_text(configuration(data, processes))
    return path


# The socket's name is relative to the folder that supervisord starts in: an absolute one may exceed the 107
# characters that a socket's name may have.
_SUPERVISOR = """\
[unix_http_server]
file = supervisor.sock
chmod = 0700

[supervisord]
logfile = {data}/logs/supervisord.log
pidfile = {data}/supervisord.pid
nodaemon = true
silent = true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://supervisor.sock
"""

_GROUP = """\
[group:deskledger]
programs = {names}
"""

_PROGRAM = """\
[program:{name}]
command = {command}
stdout_logfile = {data}/logs/{name}.log
redirect_stderr = true
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 3
autorestart = true
startsecs = 1
startretries = 60
stopwaitsecs = {stop_seconds}
killasgroup = true
"""


def _program(process: Process, data: Path) -> str:
    start = [sys.executable, "-m", "servers", "exec", process.service, process.kind]
    return _PROGRAM.format(
        name=process.name,
        command=_escaped(shlex.join(start)),
        data=_escaped(data),
        stop_seconds=STOP_SECONDS,
    )


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def run(data: Path, environment: Mapping[str, str], when_started: Callable[[Running], None]) -> int:
    """Run supervisord until Ctrl-C or SIGTERM, then stop everything; its exit code.

    ``when_started`` is called once, with a question to ask as long as it waits: is supervisord still running?
    """
    start = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(data / "supervisord.conf")]
    # A session of its own: Ctrl-C reaches supervisord once, through us, and not a second time from the terminal.
    supervisor = subprocess.Popen(start, cwd=data, env=dict(environment), start_new_session=True)  # noqa: S603 -- ours
    with _stopping(supervisor):
        when_started(lambda: supervisor.poll() is None)
        return supervisor.wait()


@contextmanager
def _stopping(supervisor: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand the signals that end us on to supervisord, which then stops its processes in order."""

    def hand_on(_number: int, _frame: FrameType | None) -> None:
        if supervisor.poll() is None:
            supervisor.terminate()

    previous = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        hand_on(signal.SIGTERM, None)
        supervisor.wait()
        for number, handler in previous.items():
            signal.signal(number, handler)


def wait_until_ready(url: str, seconds: float, still_running: Running) -> bool:
    """Poll ``url`` until it answers 200; False when the time is over or there is nothing to wait for any more."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and still_running():
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 -- our own http address
                return True
        except (OSError, HTTPException):
            # A port among those for outgoing connections on which nobody listens yet may connect to itself, and then
            # answers with our own request.
            time.sleep(0.2)
    return False


def control(data: Path, *words: str) -> str:
    """What ``supervisorctl <words>`` says about the processes of a running launcher."""
    start = [sys.executable, "-m", "supervisor.supervisorctl", "--configuration", "supervisord.conf", *words]
    return subprocess.run(start, cwd=data, capture_output=True, text=True, check=False).stdout  # noqa: S603 -- ours
