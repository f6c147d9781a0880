"""Rows written with the commit: gone with what is rolled back, and told to whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, select

from catalog.models import Location
from catalog.service import SERVICE
from common import audit
from common.clock import SystemClock
from common.db import Database
from common.db.rows import insert_last, new_row
from common.ids import new_id
from common.messaging import outbox
from common.testing.plugin import add_organization
from contracts.members import SigningKeysChanged

UNPUBLISHED = "SELECT count(*) FROM outbox WHERE published_at IS NULL"


@pytest.fixture(scope="module")
def database(make_database: Callable[[str, Path], Database]) -> Database:
    return make_database("catalog", SERVICE.migrations)


def location(**values: Any) -> Location:
    return Location(id=new_id(), name="Dock", timezone="Europe/Berlin", created_at=SystemClock().now(), **values)


def test_rows_inserted_last_are_like_flushed_ones_from_the_commit_on(database: Database) -> None:
    organization_id = add_organization(database)
    row, other = location(opening_hours={"mon": [["08:00", "18:00"]]}), location(code="D2")
    with database.session(organization_id) as session:
        insert_last(session, row)
        insert_last(session, other)
        assert (row.organization_id, row.version, row.tax_percent) == (organization_id, 1, None)
        assert session.scalars(select(Location)).all() == []
        session.commit()
    with database.session(organization_id) as session:
        found = {each.code: each for each in session.scalars(select(Location))}
    assert (found[None].id, found[None].name, found["D2"].version) == (row.id, "Dock", 1)
    assert (found[None].opening_hours, found["D2"].opening_hours) == ({"mon": [["08:00", "18:00"]]}, {})


@pytest.mark.parametrize("last", [True, False])
def test_a_row_made_at_once_is_stored_like_one_made_by_its_class(database: Database, *, last: bool) -> None:
    organization_id = add_organization(database)
    values = {"name": "Dock", "timezone": "Europe/Berlin", "created_at": SystemClock().now(), "code": "D1"}
    with database.session(organization_id) as session:
        row = new_row(Location, **values)
        insert_last(session, row) if last else session.add(row)
        session.add(Location(**values | {"code": None}))
        session.commit()
    with database.session(organization_id) as session:
        one, other = session.scalars(select(Location))
        assert one.id != other.id
        for column in set(Location.__mapper__.column_attrs.keys()) - {"id", "code"}:
            assert getattr(one, column) == getattr(other, column), column
        row.name = "Quay"
        session.add(session.merge(row))
        session.commit()
        assert {each.name for each in session.scalars(select(Location))} == {"Quay", "Dock"}


def test_rows_to_be_inserted_last_are_gone_after_a_rollback(database: Database) -> None:
    organization_id = add_organization(database)
    with database.session(organization_id) as session:
        insert_last(session, location(code="gone"))
        session.rollback()
        with session.begin_nested() as savepoint:
            insert_last(session, location(code="gone"))
            savepoint.rollback()
        insert_last(session, location(code="kept"))
        session.commit()
    with database.session(organization_id) as session:
        assert session.scalars(select(Location.code)).all() == ["kept"]


def test_a_row_of_another_organisation_is_not_inserted(database: Database) -> None:
    with database.session(add_organization(database)) as session, pytest.raises(PermissionError):
        insert_last(session, location(organization_id=new_id()))


def test_collected_rows_follow_their_savepoint(database: Database) -> None:
    organization_id = add_organization(database)
    with database.session(organization_id) as session:
        audit.record(session, "first", "x")
        with session.begin_nested() as savepoint:
            audit.record(session, "second", "x")
            savepoint.rollback()
        assert audit.is_recorded(session)
        session.commit()
    with database.session(organization_id) as session:
        assert [entry.action for entry in session.scalars(audit.entries(session))] == ["first"]


def test_messages_ring_the_relays_bell_once_however_many_there_are(database: Database) -> None:
    """By one statement and by COPY."""
    organization_id = add_organization(database)
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    for count in (1, 3, 60):
        told = [(SigningKeysChanged(keys=[]), new_id(), 1)] * count
        with psycopg.connect(url, autocommit=True) as listener:
            listener.execute("LISTEN outbox")
            with database.session(organization_id) as session:
                outbox.add_many(session, told)
                session.commit()
            assert [each.channel for each in listener.notifies(timeout=0.5)] == ["outbox"]
            assert listener.execute(UNPUBLISHED).fetchone() == (count,)
            listener.execute("UPDATE outbox SET published_at = now()")
