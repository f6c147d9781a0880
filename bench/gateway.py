"""What the gateway costs: the same request sent to a service directly, through a bare Flask + urllib3 proxy, and
through the gateway with everything on (token check, rate limits by key and address, traces, metrics, headers).

All three stand on the same server (gunicorn, one process, the same threads) in front of the same small service, and
are measured in turns, so that a busy machine is busy for all of them. CPU time is that of the server which the client
calls, at low load: what a hop costs whatever else the machine does.

    python bench/gateway.py [--requests 1500] [--clients 8] [--seconds 4] [--rounds 5]
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from common.auth import AUDIENCE, ISSUER

PATH = "/v1/locations?limit=10"
THREADS = 8
TARGETS = ("direct", "bare proxy", "gateway")
ITEM = {"id": f"loc_{'0' * 32}", "name": "Dock 1", "code": "D1", "timezone": "Europe/Berlin", "version": 1}


def service_app() -> Any:
    """The service behind: about a kilobyte of JSON, and the public keys."""
    from flask import Flask, jsonify

    app = Flask("service")
    key = json.loads(OKPAlgorithm.to_jwk(_signing_key().public_key()))

    @app.get("/v1/locations")
    def locations() -> Any:
        return jsonify({"items": [ITEM] * 8, "next_cursor": None})

    @app.get("/v1/.well-known/jwks.json")
    def keys() -> Any:
        return jsonify({"keys": [{**key, "kid": "bench"}]})

    return app


def proxy_app() -> Any:
    """As little as a proxy can do: no checks, no limits, no traces."""
    import urllib3
    from flask import Flask, Response, request

    app = Flask("proxy")
    pool = urllib3.connection_from_url(os.environ["BENCH_SERVICE_URL"], maxsize=32)

    @app.route("/<path:_path>", methods=["GET", "POST"])
    def forward(_path: str) -> Response:
        headers = {name: value for name, value in request.headers if name != "Host"}
        answer = pool.request(
            request.method, request.full_path, body=request.get_data(), headers=headers, retries=False
        )
        return Response(answer.data, answer.status, content_type=answer.headers["Content-Type"])

    return app


def gateway_app() -> Any:
    """The gateway as it is served, with limits so high that they count and never refuse."""
    from gateway.app import create_gateway_app
    from gateway.config import GatewaySettings

    url, file = os.environ["BENCH_SERVICE_URL"], os.environ["BENCH_COUNTERS"]
    settings = GatewaySettings(
        internal_token="bench",
        catalog_url=url,
        members_url=url,
        address_limit=10**9,
        key_limit=10**9,
        rate_limit_file=file,
    )
    return create_gateway_app(settings)


APPS: dict[str, Callable[[], Any]] = {"service": service_app, "proxy": proxy_app, "gateway": gateway_app}


@dataclass(frozen=True)
class Rig:
    """Where the three ways begin, and the token."""

    ports: dict[str, int]
    token: str
    pids: dict[str, int]


def _signing_key() -> Ed25519PrivateKey:
    key = load_pem_private_key(os.environ["BENCH_KEY"].encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _token() -> str:
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "usr_bench", "org": "0" * 32, "role": "owner"}
    times = {"iat": now, "exp": now + timedelta(hours=1)}
    return jwt.encode({**claims, **times}, _signing_key(), algorithm="EdDSA", headers={"kid": "bench"})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def rig() -> Iterator[Rig]:
    """Start the three servers; stop them afterwards."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    ports = {role: _free_port() for role in APPS}
    os.environ |= {
        "BENCH_KEY": key.decode(),
        "BENCH_SERVICE_URL": f"http://127.0.0.1:{ports['service']}",
        "BENCH_COUNTERS": f"/dev/shm/deskledger-bench-{os.getpid()}",
    }
    # -P: this file's folder must not stand before the package of the same name.
    processes = [
        subprocess.Popen([sys.executable, "-P", __file__, "--serve", role, "--port", str(port)])
        for role, port in ports.items()
    ]
    try:
        pids = dict(zip(TARGETS, (process.pid for process in processes), strict=True))
        made = Rig(dict(zip(TARGETS, ports.values(), strict=True)), _token(), pids)
        for port in ports.values():
            _await(port)
        yield made
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
        Path(os.environ["BENCH_COUNTERS"]).unlink(missing_ok=True)


def _await(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def send(connection: http.client.HTTPConnection, token: str) -> None:
    """One request on a kept connection."""
    connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"unexpected answer {answer.status}: {answer.read()[:200]!r}")
    answer.read()


def latencies(made: Rig, requests: int) -> dict[str, list[float]]:
    """Milliseconds per request, one at a time, the three ways taking turns."""
    connections = {way: http.client.HTTPConnection("127.0.0.1", port) for way, port in made.ports.items()}
    taken: dict[str, list[float]] = {way: [] for way in TARGETS}
    for number in range(requests + 50):
        for way in TARGETS:
            started = time.perf_counter()
            send(connections[way], made.token)
            if number >= 50:  # the first ones warm up
                taken[way].append((time.perf_counter() - started) * 1000)
    return taken


def cpu_ms(made: Rig, requests: int) -> dict[str, float]:
    """CPU milliseconds per request in the server that is called: the three ways one after the other."""
    found = {}
    for way in TARGETS:
        connection = http.client.HTTPConnection("127.0.0.1", made.ports[way])
        before = _cpu_seconds(made.pids[way])
        for _ in range(requests):
            send(connection, made.token)
        found[way] = (_cpu_seconds(made.pids[way]) - before) * 1000 / requests
    return found


def _cpu_seconds(pid: int) -> float:
    """CPU time of gunicorn's master and its workers."""
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for each in (str(pid), *workers):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _load(port: int, token: str, seconds: float) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        send(connection, token)
        done += 1
    return done


def rates(made: Rig, clients: int, seconds: float, rounds: int) -> dict[str, list[float]]:
    """Requests per second with several clients, the three ways taking turns."""
    found: dict[str, list[float]] = {way: [] for way in TARGETS}
    with multiprocessing.Pool(clients) as pool:
        for _ in range(rounds):
            for way in TARGETS:
                done = pool.starmap(_load, [(made.ports[way], made.token, seconds)] * clients)
                found[way].append(sum(done) / seconds)
    return found


def report(taken: dict[str, list[float]], used: dict[str, float], found: dict[str, list[float]], clients: int) -> None:
    """Print the table, and how it compares with the aims."""
    cores, packages = os.cpu_count(), ", ".join(f"{name} {version(name)}" for name in ("flask", "urllib3", "gunicorn"))
    print(f"\n{platform.python_implementation()} {platform.python_version()}, {cores} cores, {packages}")
    print(f"gunicorn gthread, 1 process, {THREADS} threads each; answers of about 1 kB; clients on the same machine\n")
    print(f"{'':12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{f'{clients} clients, req/s':>22}")
    for way in TARGETS:
        cuts = statistics.quantiles(taken[way], n=100)
        rate = statistics.median(found[way])
        print(f"{way:12}{statistics.median(taken[way]):9.2f}{cuts[94]:9.2f}{cuts[98]:9.2f}{used[way]:9.2f}{rate:22.0f}")
    added = statistics.median(taken["gateway"]) - statistics.median(taken["direct"])
    pairs = zip(found["gateway"], found["bare proxy"], strict=True)
    share = statistics.median(mine / bare for mine, bare in pairs)
    print(f"\nadded by the gateway at low load: {added:.2f} ms at the median (aim: below 1.5)")
    print(f"rate against the bare proxy: {share:.0%} (aim: at least 90 %)")


def main() -> None:
    """Measure, or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=APPS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        from common.cli import serve

        sys.argv = sys.argv[:1]
        serve(APPS[asked.serve], bind=f"127.0.0.1:{asked.port}", workers=1, threads=THREADS)
        return
    with rig() as made:
        taken, used = latencies(made, asked.requests), cpu_ms(made, asked.requests)
        report(taken, used, rates(made, asked.clients, asked.seconds, asked.rounds), asked.clients)


if __name__ == "__main__":
    main()
