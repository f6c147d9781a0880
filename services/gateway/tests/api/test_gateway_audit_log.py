"""The audit log of six services as one list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Response, request

from common.http.internal import INTERNAL_HEADER
from common.ids import encode_id, new_id
from common.testing.plugin import INTERNAL_TOKEN

START = datetime(2027, 2, 1, 8, tzinfo=UTC)


def entry(service: str, minute: int, **values: Any) -> dict[str, Any]:
    return {
        "id": encode_id("aud", new_id()),
        "at": (START + timedelta(minutes=minute)).isoformat(),
        "service": service,
        "actor": "usr_1",
        "actor_role": "owner",
        "address": None,
        "action": "POST /v1/things",
        "subject": "thi_1",
        "changes": {},
        "trace_id": None,
        **values,
    }


@pytest.fixture
def questions(world: Any) -> list[dict[str, Any]]:
    """What the services were asked. Each has an entry every six minutes: together one a minute, the first at 0."""
    asked: list[dict[str, Any]] = []
    for number, (name, service) in enumerate(world.services.items()):
        entries = [entry(name, minute) for minute in range(48 + number, -1, -6)]

        def answer(entries: list[dict[str, Any]] = entries) -> Any:
            if request.headers.get(INTERNAL_HEADER) != INTERNAL_TOKEN:
                return Response(status=404)
            question = request.get_json()
            asked.append(question)
            before = question.get("before")
            shown = [each for each in entries if before is None or _place(each) < (_at(before[0]), UUID(before[1]).hex)]
            return {"items": shown[: question["limit"]]}

        service.app.add_url_rule("/internal/audit-log", "audit_log", answer, methods=["POST"])
    return asked


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _place(each: dict[str, Any]) -> tuple[datetime, str]:
    return _at(each["at"]), each["id"][4:]


def test_pages_merge_the_services_by_time_and_lose_nothing(questions: list[dict[str, Any]], gateway: Any) -> None:
    client, found, cursor = gateway(), [], ""
    while cursor is not None:
        page = client.get(f"/v1/audit-log?limit=7{f'&cursor={cursor}' if cursor else ''}")
        assert page.status_code == 200, page.json
        assert page.json["missing_services"] == []
        found += page.json["items"]
        cursor = page.json["next_cursor"]
    times = [_at(each["at"]) for each in found]
    assert times == [START + timedelta(minutes=minute) for minute in range(53, -1, -1)]
    assert len({each["id"] for each in found}) == 54


def test_filters_and_the_organisation_of_the_token_go_to_every_service(
    questions: list[dict[str, Any]], gateway: Any, organization_id: UUID
) -> None:
    query = "actor=usr_1&action=POST%20/v1/things&subject=thi_1"
    query += "&from=2027-02-01T09:00:00%2B01:00&to=2027-02-02T00:00:00Z"
    client = gateway(organization=organization_id)
    assert client.get(f"/v1/audit-log?limit=5&organization_id={new_id()}&{query}").status_code == 200
    wanted = {
        "organization_id": str(organization_id),
        "limit": 6,
        "actor": "usr_1",
        "action": "POST /v1/things",
        "subject": "thi_1",
        "from": "2027-02-01T08:00:00+00:00",
        "to": "2027-02-02T00:00:00+00:00",
    }
    assert questions == [wanted] * 6


def test_a_service_that_is_down_is_named_and_the_others_are_shown(
    world: Any, questions: list[dict[str, Any]], gateway: Any
) -> None:
    world.broken.add("payments")
    page = gateway().get("/v1/audit-log?limit=200").json
    assert page["missing_services"] == ["payments"]
    assert len(page["items"]) == 45
    assert {each["service"] for each in page["items"]} == set(world.services) - {"payments"}


@pytest.mark.parametrize("role", ["admin", "front_desk", "accountant", "member"])
def test_only_owners_read_the_audit_log(questions: list[dict[str, Any]], gateway: Any, role: str) -> None:
    assert gateway(role).get("/v1/audit-log").status_code == 403
    assert gateway(None).get("/v1/audit-log").status_code == 401
    assert questions == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=abc", "cursor=WyJhIiwiYiJd", "from=noon", "to=1"])
def test_a_wrong_question_is_refused(questions: list[dict[str, Any]], gateway: Any, query: str) -> None:
    assert gateway().get(f"/v1/audit-log?{query}").status_code == 422
    assert questions == []
