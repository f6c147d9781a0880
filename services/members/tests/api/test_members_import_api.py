"""CSV import through the app on a real database."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from common.db.plumbing import outbox_table
from common.ids import new_id
from common.testing.plugin import ApiClient, add_organization
from members.services.locations import keep_location

HEADER = "name,email,company,location,billing_day,auto_collect,billing_city,billing_vat_number\n"


@pytest.fixture
def organization_id(members_app: Any) -> UUID:
    """A fresh organisation with a location whose copy has arrived."""
    organization_id = add_organization(members_app.extensions["database"])
    with members_app.extensions["database"].session(organization_id) as session:
        keep_location(session, new_id(), name="Dock 1", archived=False, version=1)
        session.commit()
    return organization_id


@pytest.fixture
def owner(members_app: Any, organization_id: UUID, sign_in: Callable[..., ApiClient]) -> ApiClient:
    """Its owner."""
    return sign_in(members_app, organization_id)


def send(client: ApiClient, text: str | bytes, kind: str = "members", query: str = "", **headers: str) -> Any:
    """POST a CSV file."""
    data = text.encode() if isinstance(text, str) else text
    sent = {"Content-Type": "text/csv; charset=utf-8", **headers}
    return client.request("POST", f"/v1/{kind}/import{query}", data=data, headers=sent)


def test_good_rows_are_taken_in_and_faulty_ones_reported(
    members_app: Any, organization_id: UUID, owner: ApiClient
) -> None:
    assert send(owner, "name;email\nQuay Ltd;bills@quay.example\n", "companies").json["imported"] == 1
    owner.post("/v1/members", {"name": "First", "email": "taken@example.com"})
    file = HEADER + (
        "Ann,ann@example.com,quay ltd,Dock 1,31,no,Hamburg,DE136695976\n"
        '"Bob, the Second",,,,,,,\n'
        "\n"
        "Carl,nobody,,,,,,\n"
        "Dora,taken@example.com,,,,,,\n"
        "Emil,ANN@example.com,,,,,,\n"
        ",f@example.com,,,,,,\n"
        "Gus,,Nowhere Ltd,Dock 9,,,,\n"
        "Hans,,,,32,perhaps,,\n"
        "Ida,,,,,,,DE1\n"
        "Jan,,,,,,,,too,many\n"
    )
    dry = send(owner, file, query="?dry_run=true")
    assert dry.status_code == 200, dry.json
    assert len(owner.get("/v1/members").json["items"]) == 1
    report = send(owner, "\ufeff" + file).json
    assert report == {**dry.json, "dry_run": False}
    assert (report["rows"], report["imported"], report["failed"]) == (10, 2, 8)
    assert sorted((e["row"], e["pointer"]) for e in report["errors"]) == [
        (5, "/email"),
        (6, "/email"),
        (7, "/email"),
        (8, "/name"),
        (9, "/company"),
        (9, "/location"),
        (10, "/auto_collect"),
        (10, "/billing_day"),
        (11, "/billing/vat_number"),
        (12, "/"),
    ]
    ann = owner.get("/v1/members?email=ann@example.com").json["items"][0]
    assert (ann["billing_day"], ann["auto_collect"], ann["status"]) == (31, False, "active")
    assert ann["billing"] == {"address": {"city": "Hamburg"}, "vat_number": "DE136695976"}
    assert ann["company_id"]
    assert ann["location_id"]
    table = outbox_table
    mine = (table.c.organization_id == organization_id) & (table.c.type == "member-changed")
    with members_app.extensions["database"].system_session() as session:
        assert session.scalar(select(func.count()).where(mine)) == 3


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("", "csv_invalid"),
        ("email\na@example.com\n", "csv_invalid"),
        ("name,colour\nAnn,blue\n", "csv_invalid"),
        ("name,name\nAnn,Ann\n", "csv_invalid"),
        ("name\nA\x00nn\n", "csv_invalid"),
        (b"name\n\xff\xfe\n", "csv_invalid"),
        ('name\n"open\n', "csv_invalid"),
        ("name\rAnn\r", "csv_invalid"),
    ],
)
def test_unreadable_files_are_refused_as_a_whole(owner: ApiClient, file: str | bytes, code: str) -> None:
    refused = send(owner, file)
    assert (refused.status_code, refused.json["code"]) == (422, code), refused.json
    assert owner.get("/v1/members").json["items"] == []


def test_other_content_types_roles_and_parameters_are_refused(
    members_app: Any, organization_id: UUID, owner: ApiClient, sign_in: Any
) -> None:
    assert owner.post("/v1/members/import", {"name": "x"}).status_code == 415
    assert send(owner, "name\nAnn\n", query="?dry_run=perhaps").status_code == 422
    assert send(sign_in(members_app, organization_id, "front_desk"), "name\nAnn\n").status_code == 403


def test_the_same_file_under_one_key_is_imported_once(owner: ApiClient) -> None:
    file, headers = "name\nAnn\n", {"Idempotency-Key": "import-1"}
    first = send(owner, file, **headers)
    again = send(owner, file, **headers)
    assert again.json == first.json
    assert ["Idempotent-Replayed" in answer.headers for answer in (first, again)] == [False, True]
    assert len(owner.get("/v1/members").json["items"]) == 1
    assert send(owner, "name\nBob\n", **headers).json["code"] == "idempotency_key_reused"


def test_ten_thousand_rows_are_imported_in_one_request(owner: ApiClient) -> None:
    rows = "".join(f"Member {number},m{number}@example.com,,Dock 1,,,Hamburg,\n" for number in range(10_000))
    started = time.monotonic()
    report = send(owner, HEADER + rows).json
    assert (report["imported"], report["failed"]) == (10_000, 0)
    assert time.monotonic() - started < 30
