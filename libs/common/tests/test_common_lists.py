"""Lists page by page: every row once, whatever they are sorted by, also rows without a value."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from catalog.models import PromoCode
from catalog.service import SERVICE
from common.db import Database, TenantSession
from common.errors import InvalidError
from common.http.lists import page
from common.ids import new_id
from common.testing.plugin import add_organization

DAY = datetime(2027, 2, 1, tzinfo=UTC)
SORTS: dict[str, Any] = {
    "valid_from": PromoCode.valid_from,
    "percent": PromoCode.percent,
    "created_at": PromoCode.created_at,
    "code": PromoCode.code,
}


@pytest.fixture(scope="module")
def database(make_database: Callable[[str, Path], Database]) -> Database:
    return make_database("catalog", SERVICE.migrations)


@pytest.fixture
def session(database: Database) -> Iterator[TenantSession]:
    with database.session(add_organization(database)) as opened:
        yield opened


def add_codes(session: TenantSession, *days: date | None) -> None:
    """Promo codes that are valid from these days; None: from the beginning."""
    for number, day in enumerate(days):
        facts = {"currency": "EUR", "percent": Decimal(number % 3 + 1), "created_at": DAY, "valid_from": day}
        session.add(PromoCode(code=f"CODE{number}", **facts))
    session.flush()


def walk(session: TenantSession, sort: str) -> list[Any]:
    """All rows, two at a time."""
    found, query = [], {"limit": 2, "sort": sort, "cursor": None}
    for _ in range(10):
        answer = page(session, select(PromoCode), query, key=PromoCode.id, sorts=SORTS)
        found += answer["items"]
        query["cursor"] = answer["next_cursor"]
        if not query["cursor"]:
            return found
    raise AssertionError("the list has no end")


@pytest.mark.parametrize(
    "sort", ["valid_from", "-valid_from", "percent", "created_at", "-created_at", "id", "-id", "-code"]
)
def test_every_row_comes_once_and_in_order_whatever_the_sort(session: TenantSession, sort: str) -> None:
    add_codes(session, date(2027, 2, 3), None, date(2027, 2, 1), None, date(2027, 2, 3), date(2027, 2, 2), None)
    whole = page(session, select(PromoCode), {"limit": 50, "sort": sort}, key=PromoCode.id, sorts=SORTS)["items"]
    assert len(whole) == 7
    assert [row.id for row in walk(session, sort)] == [row.id for row in whole]


@pytest.mark.parametrize(
    "values",
    [
        ["code", "a\x00b", str(new_id())],
        ["code", None, str(new_id())],
        ["valid_from", "yesterday", str(new_id())],
        ["valid_from", "2027-02-01", None],
        ["valid_from", "2027-02-01"],
        ["created_at", "2027-02-01T00:00:00Z", str(new_id())],
    ],
    ids=["nul", "no-value", "no-date", "no-id", "short", "other-sort"],
)
def test_a_cursor_that_no_list_made_is_refused(session: TenantSession, values: list[Any]) -> None:
    cursor = base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")
    sort = "valid_from" if values[0] == "created_at" else values[0]
    with pytest.raises(InvalidError, match="not made by this list"):
        page(session, select(PromoCode), {"limit": 2, "sort": sort, "cursor": cursor}, key=PromoCode.id, sorts=SORTS)
