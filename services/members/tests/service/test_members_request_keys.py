"""The keys of requests that the gateway answers: one claim wins, another body is refused, a refusal frees the key."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.db import Database
from common.errors import InvalidError
from members.services.request_keys import claim_key, release_key


@pytest.fixture(scope="module")
def database(members_app: Any) -> Database:
    found: Database = members_app.extensions["database"]
    return found


def claim(database: Database, key: str, fingerprint: str) -> bool:
    with database.system_session() as session:
        is_first = claim_key(session, key, fingerprint)
        session.commit()
    return is_first


def test_of_twenty_claims_at_once_one_is_the_first(database: Database) -> None:
    ready = threading.Barrier(20)

    def at_once(_number: int) -> bool:
        ready.wait()
        return claim(database, "key", "body")

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(at_once, range(20))) == 1


def test_another_body_is_refused_until_the_key_is_released(database: Database) -> None:
    assert claim(database, "released", "body")
    with pytest.raises(InvalidError, match="another request body"):
        claim(database, "released", "other body")
    with database.system_session() as session:
        release_key(session, "released")
        session.commit()
    assert claim(database, "released", "other body")
