"""Documents, readiness, the checklist and the storefront: what the gateway puts together."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, request

from gateway.documents import as_openapi_30, merge_documents


def document(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "paths": {path: {"get": {"responses": {"200": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}},
        "components": {"schemas": {"Thing": schema}},
        "tags": [{"name": "things"}],
    }


def test_schemas_of_one_name_and_two_meanings_are_kept_apart() -> None:
    merged = merge_documents(
        {
            "members": document("/v1/members", {"type": "object"}),
            "catalog": document("/v1/plans", {"type": "object"}),
            "booking": document("/v1/bookings", {"type": "string"}),
        }
    )
    assert set(merged["components"]["schemas"]) == {"Thing", "BookingThing"}
    answer = merged["paths"]["/v1/bookings"]["get"]["responses"]["200"]
    assert answer["schema"]["$ref"] == "#/components/schemas/BookingThing"
    assert merged["tags"] == [{"name": "things"}]
    assert merged["paths"]["/v1/plans"]["get"]["operationId"] == "get_plans"


def test_a_path_that_the_door_sends_elsewhere_is_not_documented() -> None:
    merged = merge_documents(
        {"members": document("/v1/organization/clock", {}), "booking": document("/internal/x", {})}
    )
    assert merged["paths"] == {}


def test_the_documents_for_swagger_ui_know_no_type_lists() -> None:
    older = as_openapi_30({"openapi": "3.1.0", "a": {"type": ["string", "null"]}})
    assert older == {"openapi": "3.0.3", "a": {"type": "string", "nullable": True}}


def test_the_merged_document_has_the_gateways_own_paths_and_names_who_is_missing(world: Any, gateway: Any) -> None:
    @world.services["catalog"].app.get("/openapi.json")
    def openapi() -> dict[str, Any]:
        return document("/v1/plans", {"type": "object"})

    found = gateway(None).get("/openapi.json").get_json()
    assert {"/v1/plans", "/v1/setup", "/v1/organization/clock/advance"} <= set(found["paths"])
    assert "members" in found["x-missing-services"]
    assert found["openapi"] == "3.1.0"


def test_the_documents_page_needs_no_other_address(world: Any, gateway: Any) -> None:
    client = gateway(None)
    page = client.get("/docs")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.text
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "openapi-3.0.json", "favicon-32x32.png"):
        with client.get(f"/docs/{asset}") as answer:
            assert answer.status_code == 200
    assert client.get("/docs/index.html").status_code == 404


def test_ready_only_when_every_service_is(world: Any, gateway: Any) -> None:
    client = gateway(None)
    assert client.get("/readyz").get_json()["services"]["payments"] == "ready"
    world.broken.add("payments")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["services"]["payments"]) == (503, "not ready")
    assert answer.get_json()["detail"] == "not ready: payments"
    assert client.get("/livez").status_code == 200


@pytest.fixture
def answers(world: Any) -> dict[str, dict[str, Any]]:
    """What the services say about the set-up; tests change it."""
    said: dict[str, dict[str, Any]] = {
        "payments": {"facts": {"gateways_connected": 0, "has_been_paid": False}},
        "invoicing": {"facts": {"automatic_generation": False}},
        "catalog": {"facts": {"plans_recurring": 0}, "problems": []},
    }
    for name in said:
        _answer(world.services[name].app, name, said)
    return said


def _answer(app: Flask, name: str, said: dict[str, dict[str, Any]]) -> None:
    app.add_url_rule(f"/v1/setup/{name}", name, lambda: said[name])


def steps(client: Any) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in client.get("/v1/setup").get_json()["steps"]}


def test_the_checklist_begins_with_everything_to_do(world: Any, gateway: Any, answers: Any) -> None:
    found = steps(gateway())
    assert {name: step["state"] for name, step in found.items()} == {
        "payment_gateway": "todo",
        "services": "todo",
        "automatic_generation": "todo",
        "billing_automation": "optional",
        "storefront": "optional",
        "test": "todo",
    }
    assert all(step["title"] and step["why"] and step["href"] for step in found.values())


def test_the_checklist_follows_what_the_services_say(world: Any, gateway: Any, answers: Any) -> None:
    answers["payments"]["facts"] = {"gateways_connected": 1, "has_been_paid": True}
    answers["invoicing"]["facts"] = dict.fromkeys(
        ["automatic_generation", "automatic_sending", "automatic_collection"], True
    )
    answers["catalog"]["facts"] = {"plans_recurring": 1, "storefront_published": True}
    assert {step["state"] for step in steps(gateway()).values()} == {"done"}


def test_a_resource_without_a_rate_is_named_and_leaves_the_step_to_do(world: Any, gateway: Any, answers: Any) -> None:
    problem = {"code": "resource_without_rate", "detail": "Blue Room earns nothing"}
    answers["catalog"] |= {"facts": {"plans_one_off": 2, "resources_without_rate": 1}, "problems": [problem]}
    step = steps(gateway())["services"]
    assert (step["state"], step["problems"]) == ("todo", [problem])


def test_the_checklist_says_who_does_not_answer(world: Any, gateway: Any, answers: Any) -> None:
    client = gateway()
    client._client.application.extensions["upstreams"]._known.pop("payments")
    found = steps(client)
    assert found["payment_gateway"]["problems"][0]["code"] == "service_unavailable"
    assert found["services"]["problems"] == []


def test_members_have_no_checklist(world: Any, gateway: Any) -> None:
    assert gateway("member").get("/v1/setup").status_code == 403


@pytest.fixture
def storefront(world: Any) -> Any:
    """The catalog's public page with one room, free in the booking service from the clock's now."""
    page = {"organization": {"id": f"org_{uuid4().hex}"}, "resources": [{"id": "res_1"}, {"id": "res_2"}]}

    @world.services["catalog"].app.get("/v1/storefront/<slug>/catalog")
    def catalog(slug: str) -> Any:
        return page if slug == "harbour" else ({"code": "storefront_not_found"}, 404)

    @world.services["booking"].app.get("/v1/storefront/<slug>/availability")
    def availability(slug: str) -> Any:
        slots = [{"start": request.args["from"], "end": request.args["to"]}] * 5
        return {"items": [{"resource_id": "res_1", "free": slots}]}

    return world


def test_the_storefront_shows_the_next_free_slots_by_the_organisations_clock(storefront: Any, gateway: Any) -> None:
    rooms = gateway(None).get("/v1/storefront/harbour").get_json()["resources"]
    assert [len(room["next_free"]) for room in rooms] == [3, 0]
    assert rooms[0]["next_free"][0]["start"] == "2027-02-01T08:00:00+00:00"


def test_the_storefront_shows_without_slots_while_booking_is_down(storefront: Any, gateway: Any) -> None:
    storefront.broken.add("booking")
    rooms = gateway(None).get("/v1/storefront/harbour").get_json()["resources"]
    assert [room["next_free"] for room in rooms] == [None, None]


def test_a_storefront_that_is_not_there_is_404(storefront: Any, gateway: Any) -> None:
    answer = gateway(None).get("/v1/storefront/nobody")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "storefront_not_found")


def test_a_catalogue_is_read_anew_as_soon_as_the_catalog_says_that_it_changed(world: Any, gateway: Any) -> None:
    state = {"etag": '"one"', "name": "Blue Room", "written": 0}
    organization = {"id": f"org_{uuid4().hex}"}

    @world.services["catalog"].app.get("/v1/storefront/harbour/catalog")
    def catalog() -> Any:
        if request.headers.get("If-None-Match") == state["etag"]:
            return "", 304
        state["written"] += 1
        page = {"organization": organization, "resources": [{"id": "res_1", "name": state["name"]}]}
        return page, 200, {"ETag": state["etag"]}

    def name() -> str:
        page = client.get("/v1/storefront/harbour?next_free=false").get_json()
        assert "next_free" not in page["resources"][0]
        return str(page["resources"][0]["name"])

    client = gateway(None)
    assert [name(), name(), state["written"]] == ["Blue Room", "Blue Room", 1]
    state |= {"etag": '"two"', "name": "Green Room"}
    assert [name(), name(), state["written"]] == ["Green Room", "Green Room", 2]
