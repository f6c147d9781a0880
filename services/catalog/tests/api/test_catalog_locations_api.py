"""``/v1/locations`` through the app, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.service import SERVICE
from common.db.migrate import schema_differences
from common.db.plumbing import plumbing_metadata
from common.testing.plugin import ApiClient, add_organization

DOCK = {
    "name": "Dock 1",
    "code": "D1",
    "timezone": "Europe/Berlin",
    "opening_hours": {"mon": [["08:00", "18:00"]]},
}


@pytest.fixture
def owner(catalog_app: Any, sign_in: Callable[..., ApiClient]) -> ApiClient:
    """The owner of a fresh organisation."""
    return sign_in(catalog_app, add_organization(catalog_app.extensions["database"]))


def test_models_agree_with_the_migrations(catalog_app: Any) -> None:
    assert schema_differences(catalog_app.extensions["database"].url, [plumbing_metadata, SERVICE.metadata]) == []


def test_a_location_is_created_listed_changed_and_archived(owner: ApiClient) -> None:
    made = owner.post("/v1/locations", DOCK)
    assert made.status_code == 201, made.json
    assert made.json["id"].startswith("loc_")
    assert made.json["opening_hours"] == DOCK["opening_hours"]
    path = f"/v1/locations/{made.json['id']}"
    changed = owner.patch(path, {"name": "Dock One"}, headers={"If-Match": made.headers["ETag"]})
    assert changed.json["name"] == "Dock One"
    stale = owner.patch(path, {"name": "x"}, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    assert [item["name"] for item in owner.get("/v1/locations").json["items"]] == ["Dock One"]
    assert owner.delete(path).status_code == 204
    assert owner.get("/v1/locations").json["items"] == []


def test_another_organisations_location_is_not_found(catalog_app: Any, owner: ApiClient, sign_in: Any) -> None:
    made = owner.post("/v1/locations", DOCK)
    stranger = sign_in(catalog_app, add_organization(catalog_app.extensions["database"]))
    path = f"/v1/locations/{made.json['id']}"
    assert stranger.get(path).status_code == 404
    assert stranger.patch(path, {"name": "Mine"}).status_code == 404
    assert owner.get(path).json["name"] == "Dock 1"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"name": 7}, "/name"),
        ({"timezone": "Europe/Nowhere"}, "/timezone"),
        ({"opening_hours": {"mon": [["18:00", "08:00"]]}}, "/opening_hours"),
        ({"closures": [{"start": "2027-01-02", "end": "2027-01-01"}]}, "/closures/0/end"),
    ],
)
def test_bad_input_is_refused_with_a_pointer_and_changes_nothing(
    owner: ApiClient, change: dict[str, Any], pointer: str
) -> None:
    refused = owner.post("/v1/locations", {**DOCK, **change})
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert owner.get("/v1/locations").json["items"] == []


def test_roles_wrong_content_type_and_missing_token(catalog_app: Any, owner: ApiClient, sign_in: Any) -> None:
    organization_id = add_organization(catalog_app.extensions["database"])
    assert sign_in(catalog_app, organization_id, "member").post("/v1/locations", DOCK).status_code == 403
    assert sign_in(catalog_app, None).get("/v1/locations").status_code == 401
    assert owner.request("POST", "/v1/locations", data="x=1").status_code == 415
    assert owner.get("/v1/nothing").json["code"] == "not_found"
    assert owner.put("/v1/locations", {}).status_code == 405


def test_lists_page_by_cursor(owner: ApiClient) -> None:
    for number in range(5):
        owner.post("/v1/locations", {"name": f"Dock {number}"})
    names, cursor = [], None
    while True:
        query = "/v1/locations?limit=2&sort=-name" + (f"&cursor={cursor}" if cursor else "")
        answer = owner.get(query).json
        names += [item["name"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert names == [f"Dock {number}" for number in (4, 3, 2, 1, 0)]
    assert owner.get("/v1/locations?cursor=nonsense").status_code == 422
    assert owner.get("/v1/locations?sort=colour").status_code == 422
    assert owner.get("/v1/locations?limit=1000").status_code == 422


def test_the_same_key_replays_and_another_body_is_refused(owner: ApiClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = owner.post("/v1/locations", DOCK, headers=headers)
    again = owner.post("/v1/locations", DOCK, headers=headers)
    assert again.status_code == 201
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = owner.post("/v1/locations", {"name": "Other"}, headers=headers)
    assert other.status_code == 422
    assert other.json["code"] == "idempotency_key_reused"
    assert len(owner.get("/v1/locations").json["items"]) == 1


def test_closures_come_back_as_they_were_sent_and_a_patch_of_them_is_whole(shop: Any) -> None:
    closures = [
        {"start": "2027-12-24", "end": "2027-12-26", "name": "Christmas"},
        {"start": "2027-12-31", "end": "2027-12-31", "from_time": "14:00", "to_time": "24:00", "name": ""},
    ]
    path = f"/v1/locations/{shop.location(closures=closures)}"
    assert shop.owner.get(path).json["closures"] == closures
    [message] = shop.messages("location-changed")
    assert message["closures"][0] == {**closures[0], "reason": "Christmas"}
    refused = shop.owner.patch(path, {"closures": [{"end": "2027-12-26"}]})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/closures/0/start")
    backwards = {**closures[1], "to_time": "13:00"}
    assert shop.owner.patch(path, {"closures": [backwards]}).status_code == 422
    assert shop.owner.patch(path, {"closures": []}).json["closures"] == []


def test_the_code_of_an_archived_location_is_free_again(shop: Any) -> None:
    first = shop.location(code="D1")
    refused = shop.owner.post("/v1/locations", {"name": "Other", "code": "D1"})
    assert (refused.status_code, refused.json["code"]) == (409, "location_code_taken")
    assert refused.json["errors"][0]["pointer"] == "/code"
    assert shop.owner.delete(f"/v1/locations/{first}").status_code == 204
    second = shop.location(code="D1")
    assert shop.owner.post(f"/v1/locations/{first}/restoration").json["code"] == "location_code_taken"
    assert shop.owner.patch(f"/v1/locations/{second}", {"code": None}).json["code"] is None
    assert shop.owner.post(f"/v1/locations/{first}/restoration").json["archived_at"] is None
    assert shop.owner.patch(f"/v1/locations/{first}", {"name": "Dock One"}).status_code == 200
