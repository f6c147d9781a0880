"""Run a service's Alembic migrations and give its role just the rights it needs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, make_url, text

from common.db.database import make_engine, service_role

_MIGRATION_LOCK = 727001


def create_database(server_url: str, name: str) -> None:
    """Create a database on a server if it is missing; safe to call from several processes at once."""
    engine = make_engine(server_url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).scalar()
        if not found:
            connection.execute(text(f'CREATE DATABASE "{name}" ENCODING UTF8 TEMPLATE template0'))
    engine.dispose()


def upgrade_database(url: str, migrations: Path) -> None:
    """Bring a database to the newest revision under a lock, then create the service role and grant it the tables."""
    engine = make_engine(url, pool_size=1)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _upgrade(connection, migrations)
        _grant(connection, service_role(url))
    engine.dispose()


def _upgrade(connection: Connection, migrations: Path) -> None:
    script = ScriptDirectory(str(migrations))

    def steps(revision: Sequence[str], _context: MigrationContext) -> list[object]:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type,return-value]

    config = Config()
    config.set_main_option("script_location", str(migrations))
    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()


def _grant(connection: Connection, role: str) -> None:
    connection.execute(
        text(
            f"""DO $$ BEGIN
                CREATE ROLE "{role}" NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$"""
        )
    )
    for statement in (
        f'GRANT "{role}" TO CURRENT_USER',
        f'GRANT USAGE ON SCHEMA public TO "{role}"',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{role}"',
        f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"',
        # Bulk inserts pass through temporary tables; everybody may make them unless that was revoked.
        f'GRANT TEMPORARY ON DATABASE "{connection.engine.url.database}" TO "{role}"',
    ):
        connection.execute(text(statement))


def drop_databases(server_url: str, *names: str) -> None:
    """Drop databases and their service roles; for tests and benchmarks.

    All at once: PostgreSQL makes a checkpoint before it drops one, and those dropped together share it.
    """
    if names:
        with ThreadPoolExecutor(min(len(names), 16)) as pool:
            list(pool.map(lambda name: _drop(server_url, name), names))


def _drop(server_url: str, name: str) -> None:
    engine = make_engine(server_url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
    role = service_role(str(make_url(server_url).set(database=name)))
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'DROP ROLE IF EXISTS "{role}"'))
    engine.dispose()


def schema_differences(url: str, metadatas: Sequence[MetaData]) -> list[object]:
    """What Alembic would change to make the migrated schema equal to the models; empty when they agree."""
    from alembic.autogenerate import compare_metadata

    engine = make_engine(url, pool_size=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = list(compare_metadata(context, list(metadatas)))  # type: ignore[arg-type]
    engine.dispose()
    return [d for d in differences if "alembic_version" not in str(d)]


__all__ = ["create_database", "drop_databases", "schema_differences", "upgrade_database"]
