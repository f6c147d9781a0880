"""The second wall: what PostgreSQL itself refuses to a service, with raw SQL (ARCHITECTURE 5, ADR 0002)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg.errors
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from tenants import Tenant

from common.db import Database

SERVICES = ("members", "catalog", "booking", "invoicing", "payments", "notifications")
# Plumbing that workers read across organisations, and that no use case reads by organisation.
PLUMBING = {"outbox", "inbox", "dead_letter", "idempotency_key", "organization", "signing_key", "alembic_version"}
# Tables of nobody: what must be found before the organisation is known, all of it digests, keys or intervals.
OF_NOBODY = {"members": {"token_key", "sign_in_attempts", "sign_up"}, "booking": {"occupancy"}}
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
_SCOPED = "SELECT table_name FROM information_schema.columns WHERE column_name = 'organization_id'"


def organization_of(tenant: Tenant) -> str:
    """The UUID of an organisation as text."""
    return tenant.by_prefix["org"].removeprefix("org_")


@contextmanager
def seen_as(database: Database, setting: str | None) -> Iterator[Connection]:
    """A connection in the service's role, bound to an organisation by nothing but PostgreSQL's setting."""
    with database.engine.connect() as connection:
        if setting is not None:
            connection.execute(text("SELECT set_config('deskledger.organization', :org, true)"), {"org": setting})
        yield connection
        connection.rollback()


def guarded_tables(connection: Connection) -> list[str]:
    """Every table with an organisation, plumbing apart."""
    scoped = set(connection.scalars(text(_SCOPED)))
    return sorted(set(connection.scalars(text(_TABLES))) & scoped - PLUMBING - set().union(*OF_NOBODY.values()))


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_has_an_organisation_or_is_known_to_have_none(suite: Any, service: str) -> None:
    with seen_as(suite.databases[service], None) as connection:
        tables = set(connection.scalars(text(_TABLES)))
        scoped = set(connection.scalars(text(_SCOPED)))
    assert tables - scoped - PLUMBING <= OF_NOBODY.get(service, set())


@pytest.mark.parametrize("service", SERVICES)
def test_raw_sql_sees_only_the_rows_of_the_organisation_that_is_set(
    suite: Any, ours: Tenant, theirs: Tenant, service: str
) -> None:
    mine, others, filled = organization_of(theirs), organization_of(ours), 0
    with seen_as(suite.databases[service], mine) as connection:
        for table in guarded_tables(connection):
            statement = text(f"SELECT count(*) FILTER (WHERE organization_id = :org), count(*) FROM {table}")
            assert connection.execute(statement, {"org": others}).one()[0] == 0, table
            own, seen = connection.execute(statement, {"org": mine}).one()
            assert own == seen, table
            filled += bool(own)
    assert filled >= 2, "there must be rows, or this shows nothing"


@pytest.mark.parametrize("setting", [None, ""])
@pytest.mark.parametrize("service", SERVICES)
def test_with_no_organisation_set_raw_sql_sees_nothing(
    suite: Any, ours: Tenant, service: str, setting: str | None
) -> None:
    with seen_as(suite.databases[service], setting) as connection:
        tables = guarded_tables(connection)
        seen = {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables}
    assert {table: count for table, count in seen.items() if count} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_raw_sql_can_neither_change_nor_add_rows_of_another_organisation(
    suite: Any, ours: Tenant, theirs: Tenant, service: str
) -> None:
    with seen_as(suite.databases[service], organization_of(theirs)) as connection:
        for table in guarded_tables(connection):
            change = text(f"UPDATE {table} SET organization_id = organization_id WHERE organization_id = :org")
            assert connection.execute(change, {"org": organization_of(ours)}).rowcount == 0, table
            removal = text(f"DELETE FROM {table} WHERE organization_id = :org")
            assert connection.execute(removal, {"org": organization_of(ours)}).rowcount == 0, table
        addition = text(
            "INSERT INTO audit_log (id, organization_id, at, actor, action, subject, changes) "
            "VALUES (gen_random_uuid(), :org, now(), 'a', 'b', 'c', '{}')"
        )
        with pytest.raises(ProgrammingError) as refused:
            connection.execute(addition, {"org": organization_of(ours)})
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("service", SERVICES)
def test_the_role_of_a_service_is_neither_superuser_nor_owner_nor_excepted(suite: Any, service: str) -> None:
    with seen_as(suite.databases[service], None) as connection:
        role = connection.execute(
            text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).one()
        owners = set(connection.scalars(text("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")))
        secured = set(connection.scalars(text("SELECT tablename FROM pg_policies WHERE schemaname = 'public'")))
        guarded = set(guarded_tables(connection))
    assert (role.rolsuper, role.rolbypassrls) == (False, False)
    assert role.rolname not in owners
    assert guarded <= secured
