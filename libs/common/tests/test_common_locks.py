"""Rows read before they are locked: under the lock they stand there as they are now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.models import Location
from catalog.service import SERVICE
from common.clock import SystemClock
from common.db import Database
from common.ids import new_id
from common.testing.plugin import add_organization


@pytest.fixture(scope="module")
def database(make_database: Callable[[str, Path], Database]) -> Database:
    return make_database("catalog", SERVICE.migrations)


def test_a_row_that_another_has_changed_since_it_was_read_is_seen_changed_under_its_lock(database: Database) -> None:
    organization_id, location_id = add_organization(database), new_id()
    with database.session(organization_id) as session:
        session.add(Location(id=location_id, name="Dock", timezone="Europe/Berlin", created_at=SystemClock().now()))
        session.commit()
    with database.session(organization_id) as reader, database.session(organization_id) as writer:
        found = reader.get_one(Location, location_id)
        writer.get_one(Location, location_id).name = "Quay"
        writer.commit()
        assert found.name == "Dock"
        locked = reader.scalars(select(Location).where(Location.id == location_id).with_for_update()).one()
        assert (locked is found, found.name) == (True, "Quay")


def test_what_a_session_has_changed_itself_stays_when_it_locks_the_row(database: Database) -> None:
    organization_id = add_organization(database)
    with database.session(organization_id) as session:
        row = Location(id=new_id(), name="Dock", timezone="Europe/Berlin", created_at=SystemClock().now())
        session.add(row)
        session.flush()
        row.name = "Quay"
        locked = session.scalars(select(Location).with_for_update()).one()
        assert (locked is row, row.name) == (True, "Quay")
