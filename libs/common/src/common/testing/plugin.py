"""pytest fixtures that every test folder may use; loaded by the root conftest."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url

from common.auth import AUDIENCE, ISSUER
from common.clock import SystemClock
from common.db import Database
from common.db.migrate import create_database, drop_databases, upgrade_database
from common.ids import new_id
from common.service import Service
from common.tenancy import store_organization, store_signing_keys
from common.testing.servers import NoServerError, postgres_server, rabbit_server

TEST_KEY = Ed25519PrivateKey.generate()
TEST_KID = "test"
INTERNAL_TOKEN = "internal-token-of-tests"


@pytest.fixture(scope="session")
def postgres_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real PostgreSQL server."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """URL of a real RabbitMQ server; without one the test is skipped, and fails when CI is true."""
    try:
        with rabbit_server() as url:
            yield url
    except NoServerError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def amqp_prefix() -> str:
    """A prefix that keeps a test's queues apart from all others."""
    return f"test-{secrets.token_hex(4)}-"


_MADE: list[tuple[str, Database]] = []


@pytest.fixture(scope="module", autouse=True)
def close_idle_connections() -> Iterator[None]:
    """Give the server its connections back after each module: a whole run shares a hundred of them."""
    yield
    for _, database in _MADE:
        database.engine.dispose()


@pytest.fixture(scope="session")
def make_database(postgres_server_url: str) -> Iterator[Callable[[str, Path], Database]]:
    """Make a migrated database of its own for a service; dropped at the end of the session."""
    made = _MADE

    def make(name: str, migrations: Path) -> Database:
        database_name = f"test_{name}_{secrets.token_hex(4)}"
        create_database(postgres_server_url, database_name)
        url = make_url(postgres_server_url).set(database=database_name).render_as_string(hide_password=False)
        upgrade_database(url, migrations)
        made.append((database_name, Database(url, pool_size=20)))
        return made[-1][1]

    yield make
    for _, database in made:
        database.dispose()
    drop_databases(postgres_server_url, *(name for name, _ in made))


def make_token(organization_id: UUID, role: str = "owner", **claims: Any) -> str:
    """An access token signed with the key that `add_organization` teaches a service."""
    now = SystemClock().now()
    standard = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": claims.pop("sub", f"usr_{organization_id.hex}"),
        "org": str(organization_id),
        "role": role,
        "iat": now,
        "exp": now + timedelta(hours=1),
    }
    return jwt.encode({**standard, **claims}, TEST_KEY, algorithm="EdDSA", headers={"kid": TEST_KID})


def add_organization(database: Database, **values: Any) -> UUID:
    """Give a service's database an organisation (rehearsal in Berlin unless told) and the tests' signing key."""
    organization_id = values.pop("id", None) or new_id()
    row = {
        "id": organization_id,
        "slug": f"org-{organization_id.hex[-12:]}",
        "name": "Harbour Works",
        "country": "DE",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "mode": "live",
        "version": 1,
        "clock_version": 1,
        **values,
    }
    public = TEST_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with database.system_session() as session:
        store_organization(session, row)
        store_signing_keys(session, [{"kid": TEST_KID, "public_key": public.decode(), "not_after": None}])
        session.commit()
    return organization_id


class ApiClient:
    """A Flask test client that signs in, sends JSON and makes idempotency keys."""

    def __init__(self, client: Any, token: str | None) -> None:
        self._client, self.token = client, token

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """Send a request; POSTs get a fresh Idempotency-Key unless ``headers`` has one (or an empty one: none)."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            sent["Idempotency-Key"] = secrets.token_hex(8)
        sent |= headers or {}
        return self._client.open(path, method=method, headers={k: v for k, v in sent.items() if v}, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Any:
        """GET."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        """POST JSON."""
        return self.request("POST", path, json=json if json is not None else {}, **kwargs)

    def patch(self, path: str, json: Any, **kwargs: Any) -> Any:
        """PATCH JSON."""
        return self.request("PATCH", path, json=json, **kwargs)

    def put(self, path: str, json: Any, **kwargs: Any) -> Any:
        """PUT JSON."""
        return self.request("PUT", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        """DELETE."""
        return self.request("DELETE", path, **kwargs)


@pytest.fixture(scope="session")
def service_app(make_database: Callable[[str, Path], Database]) -> Callable[..., Any]:
    """Build a service's Flask app on a fresh migrated database: ``service_app(SERVICE, **settings)``."""
    from common.http import create_service_app

    def build(service: Service, database: Database | None = None, **settings: Any) -> Any:
        database = database or make_database(service.name, service.migrations)
        values = service.settings_type(
            database_url=database.url, internal_token=INTERNAL_TOKEN, secret="secret-of-tests", **settings
        )
        return create_service_app(service, values, database)

    return build


@pytest.fixture
def sign_in() -> Callable[..., ApiClient]:
    """``sign_in(app, organization_id, role="owner", **claims)`` -> ApiClient."""

    def make(app: Any, organization_id: UUID | None, role: str = "owner", **claims: Any) -> ApiClient:
        token = make_token(organization_id, role, **claims) if organization_id else None
        return ApiClient(app.test_client(), token)

    return make
