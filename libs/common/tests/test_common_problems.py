"""What a service answers when its database cannot be had."""

from __future__ import annotations

import pytest
from flask import Flask
from psycopg.errors import ConnectionFailure, SerializationFailure
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from common.http.problems import register_problem_handlers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PoolTimeoutError("QueuePool limit reached"), 503, "unavailable"),
        (OperationalError("SELECT 1", {}, ConnectionFailure("gone")), 503, "unavailable"),
        (OperationalError("UPDATE", {}, SerializationFailure("busy")), 409, "busy"),
    ],
    ids=["no-connection-free", "server-gone", "serialization"],
)
def test_a_database_that_cannot_be_had_is_told_with_when_to_come_back(error: Exception, status: int, code: str) -> None:
    app = Flask("anything")
    register_problem_handlers(app)

    @app.get("/")
    def fail() -> str:
        raise error

    answer = app.test_client().get("/")
    assert (answer.status_code, answer.json["code"], answer.content_type) == (status, code, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
