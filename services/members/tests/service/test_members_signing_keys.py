"""Signing keys: the first one, rotation, the public set."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import psycopg
import pytest
from sqlalchemy import func, select, update

from common.config import ConfigurationError
from common.db import Database
from common.db.plumbing import outbox_table
from common.messaging.outbox_rows import try_to_lead
from common.sealing import ForeignSecretError
from common.tenancy import SigningKeys
from common.testing.plugin import ApiClient
from members.models import TokenKey
from members.service import SERVICE
from members.services.signing_keys import current_key, ensure_first_key, key_set, revoke_keys, rotate_keys

SECRETS = ("a master secret",)


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    """A members database without keys."""
    return make_database("members_keys", SERVICE.migrations)


def current_kid(database: Database) -> str:
    with database.system_session() as session:
        return current_key(session, SECRETS)[0]


def announcements(database: Database) -> list[dict[str, Any]]:
    table = outbox_table
    with database.system_session() as session:
        bodies = session.scalars(select(table.c.body).where(table.c.organization_id.is_(None)).order_by(table.c.seq))
        return [json.loads(body) for body in bodies]


def test_several_processes_make_one_first_key_and_announce_it_once(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure_first_key(database, SECRETS), range(4)))
    with database.system_session() as session:
        assert session.scalar(select(func.count()).select_from(TokenKey)) == 1
    [message] = announcements(database)
    assert [key["kid"] for key in message["keys"]] == [current_kid(database)]
    with pytest.raises(ConfigurationError, match="another DESKLEDGER_SECRET"):
        ensure_first_key(database, ("another secret",))


def test_keys_are_sealed_anew_when_the_secret_was_changed(database: Database) -> None:
    changed = ("a new secret", *SECRETS)
    ensure_first_key(database, SECRETS)
    kid = current_kid(database)
    with database.system_session() as session:
        assert current_key(session, changed)[0] == kid, "also before the migration"
    ensure_first_key(database, changed)
    with database.system_session() as session:
        assert current_key(session, changed[:1])[0] == kid
        with pytest.raises(ForeignSecretError):
            current_key(session, SECRETS)


def test_a_rotated_key_is_published_before_it_signs_and_the_old_one_ends_after_its_last_token(
    database: Database,
) -> None:
    ensure_first_key(database, SECRETS)
    old = current_kid(database)
    new = rotate_keys(database, SECRETS, use_in=timedelta(minutes=10), lifetime=timedelta(minutes=15))
    assert current_kid(database) == old
    keys = {key["kid"]: key["not_after"] for key in announcements(database)[-1]["keys"]}
    assert set(keys) == {old, new}
    assert keys[new] is None
    assert keys[old] is not None
    assert SigningKeys(database)(new) is not None
    with database.system_session() as session:
        starts = session.scalar(select(TokenKey.use_from).where(TokenKey.kid == new))
        ends = session.scalar(select(TokenKey.not_after).where(TokenKey.kid == old))
        assert starts is not None
        assert ends == starts + timedelta(minutes=16)
        session.execute(update(TokenKey).where(TokenKey.kid == new).values(use_from=session.clock.now()))
        session.commit()
    assert current_kid(database) == new


@pytest.mark.timeout(60)
def test_keys_are_made_rotated_and_revoked_while_a_worker_leads_the_relay(database: Database) -> None:
    ensure_first_key(database, SECRETS)
    with psycopg.connect(database.url.replace("+psycopg", "")) as worker:
        assert try_to_lead(worker)
        ensure_first_key(database, SECRETS)
        rotated = rotate_keys(database, SECRETS, use_in=timedelta(), lifetime=timedelta(minutes=15))
        assert revoke_keys(database, SECRETS) != rotated


def test_a_key_used_at_once_is_not_replaced_by_one_that_was_planned_before(database: Database) -> None:
    ensure_first_key(database, SECRETS)
    planned = rotate_keys(database, SECRETS, use_in=timedelta(minutes=10), lifetime=timedelta(minutes=15))
    urgent = rotate_keys(database, SECRETS, use_in=timedelta(), lifetime=timedelta(minutes=15))
    with database.system_session() as session:
        session.execute(update(TokenKey).where(TokenKey.kid == planned).values(use_from=session.clock.now()))
        session.commit()
    assert current_kid(database) == urgent


def test_revoked_keys_end_at_once_for_processes_that_knew_them_too(database: Database) -> None:
    ensure_first_key(database, SECRETS)
    leaked, seconds = current_kid(database), [0.0]
    known = SigningKeys(database, monotonic=lambda: seconds[0])
    assert known(leaked) is not None
    new = revoke_keys(database, SECRETS)
    assert current_kid(database) == new
    assert [key["kid"] for key in announcements(database)[-1]["keys"] if key["not_after"] is None] == [new]
    with database.system_session() as session:
        assert [key["kid"] for key in key_set(session)["keys"]] == [new]
    seconds[0] += 31
    assert known(leaked) is None
    assert known(new) is not None


def test_the_key_set_checks_a_token(members_app: Any, visitor: ApiClient, signed_up: Callable[..., Any]) -> None:
    _, made = signed_up()
    keys = visitor.get("/v1/.well-known/jwks.json")
    assert keys.status_code == 200
    kid = jwt.get_unverified_header(made["access_token"])["kid"]
    [jwk] = [key for key in keys.json["keys"] if key["kid"] == kid]
    assert "d" not in jwk
    claims = jwt.decode(made["access_token"], jwt.PyJWK(jwk), audience="deskledger", issuer="deskledger")
    assert claims["slug"] == made["organization"]["slug"]
