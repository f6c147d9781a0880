"""Services over real sockets: kept connections, timeouts, dropped connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.app import create_gateway_app
from gateway.config import GatewaySettings
from gateway.upstreams import HttpUpstream, UpstreamDownError, UpstreamTimeoutError


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_args: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Any]:
    """A service on a socket; yields its URL."""
    app = Flask("catalog")

    @app.route("/v1/plans", methods=["GET", "POST", "DELETE"])
    def plans() -> dict[str, Any]:
        return {"body": request.get_data(as_text=True), "length": request.headers.get("Content-Length")}

    @app.get("/v1/plans/slow")
    def slow() -> str:
        time.sleep(1)
        return "late"

    @app.get("/v1/plans/long")
    def long() -> Response:
        return Response((b"x" * 100_000 for _ in range(5)), content_type="text/csv")

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def dropping_service() -> Iterator[tuple[str, list[int]]]:
    """A service that takes connections and drops them at once."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    taken: list[int] = []
    stop = threading.Event()

    def drop() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.recv(1000)
            connection.close()
            taken.append(1)

    thread = threading.Thread(target=drop, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", taken
    stop.set()
    thread.join()
    listener.close()


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_bodies_go_both_ways(service: str) -> None:
    upstream = HttpUpstream("catalog", service)
    answer = upstream.request("POST", "/v1/plans", {"Content-Type": "text/plain"}, b"hello")
    assert (answer.status, answer.json()) == (200, {"body": "hello", "length": "5"})
    assert upstream.request("POST", "/v1/plans", {}).json()["length"] == "0"
    assert upstream.request("DELETE", "/v1/plans", {}).status == 200


def test_a_slow_service_is_a_timeout_and_its_effect_unknown(service: str) -> None:
    with pytest.raises(UpstreamTimeoutError):
        HttpUpstream("catalog", service).request("GET", "/v1/plans/slow", {}, timeout=0.1)


def test_a_closed_port_is_down() -> None:
    with pytest.raises(UpstreamDownError):
        HttpUpstream("catalog", closed_port()).request("GET", "/v1/plans", {})


@pytest.mark.parametrize(("method", "connections"), [("GET", 3), ("POST", 1), ("PATCH", 1)])
def test_only_idempotent_requests_are_repeated_on_a_dropped_connection(
    dropping_service: Any, method: str, connections: int
) -> None:
    url, taken = dropping_service
    with pytest.raises(UpstreamDownError):
        HttpUpstream("catalog", url).request(method, "/v1/plans", {}, b"")
    assert len(taken) == connections


def test_the_gateway_over_sockets_streams_and_says_who_is_down(service: str) -> None:
    settings = GatewaySettings(internal_token="x", catalog_url=service, booking_url=closed_port())
    client = create_gateway_app(settings).test_client()
    answer = client.get("/v1/plans/long")
    assert answer.content_type.startswith("text/csv")
    assert len(answer.get_data()) == 500_000
    for _ in range(8):
        down = client.get("/v1/bookings")
        assert (down.status_code, down.get_json()["service"]) == (503, "booking")
        assert int(down.headers["Retry-After"]) >= 1
    assert client.get("/v1/plans").status_code == 200


def test_a_service_that_takes_too_long_is_504(service: str) -> None:
    settings = GatewaySettings(internal_token="x", catalog_url=service, upstream_seconds=0.1)
    answer = create_gateway_app(settings).test_client().get("/v1/plans/slow")
    assert (answer.status_code, answer.get_json()["code"]) == (504, "service_timeout")
