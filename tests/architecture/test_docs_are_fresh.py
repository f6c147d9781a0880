"""``docs/api/`` is generated: it agrees with the code, and what is generated is valid and complete."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def generator(root: Path) -> ModuleType:
    """``docs/generate.py``."""
    spec = importlib.util.spec_from_file_location("generate_docs", root / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(generator: ModuleType) -> dict[str, str]:
    """What ``make docs`` would write now."""
    files: dict[str, str] = generator.generated()
    return files


@pytest.fixture(scope="module")
def openapi(generated: dict[str, str]) -> dict[str, Any]:
    """The API's document."""
    document: dict[str, Any] = json.loads(generated["openapi.json"])
    return document


@pytest.fixture(scope="module")
def asyncapi(generated: dict[str, str]) -> dict[str, Any]:
    """The messages' document."""
    document: dict[str, Any] = json.loads(generated["asyncapi.json"])
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((f"{method.upper()} {path}", item[method]) for method in METHODS if method in item)


def references(node: Any) -> Iterator[str]:
    """Every ``$ref`` below a node; examples are data."""
    if isinstance(node, list):
        for entry in node:
            yield from references(entry)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for name, entry in node.items():
            if name not in {"example", "examples"}:
                yield from references(entry)


def at(document: dict[str, Any], pointer: str) -> Any:
    node: Any = document
    for step in pointer.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def faults(document: dict[str, Any], schema: dict[str, Any], example: Any) -> list[str]:
    """What is wrong with an example by its schema."""
    whole = {**schema, "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [str(error)[:300] for error in validator.iter_errors(example)]


def test_the_generated_files_are_fresh(generator: ModuleType, generated: dict[str, str]) -> None:
    found = {path.name: path.read_text() for path in generator.FOLDER.iterdir()}
    stale = [name for name in sorted(set(found) | set(generated)) if found.get(name) != generated.get(name)]
    assert not stale, f"stale in docs/api: {', '.join(stale)}; run `make docs` and commit what it writes"


def test_the_openapi_document_is_valid_3_1(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1")
    assert [str(error)[:300] for error in OPENAPI_31_VALIDATOR.iter_errors(openapi)] == []
    for reference in references(openapi):
        at(openapi, reference)
    for name, schema in openapi["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert schema, name


def test_every_operation_has_a_summary_an_id_of_its_own_and_says_who_may_call_it(openapi: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(openapi)]
    assert len(ids) == len(set(ids)) > 150
    for name, operation in operations(openapi):
        assert operation["summary"].endswith("."), name
        assert "\n" not in operation["summary"], name
        assert bool(operation["security"]) is bool(operation.get("x-roles")), name
        declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        shared = openapi["paths"][name.partition(" ")[2]].get("parameters", ())
        assert declared | {each["name"] for each in shared} == set(re.findall(r"{(\w+)}", name)), name


def test_every_body_has_an_example_that_fits_its_schema(openapi: dict[str, Any]) -> None:
    """That the services take the examples is shown by tests/api, which sends them."""
    found = []
    for name, operation in operations(openapi):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                found += [f"{name}: {fault}" for fault in faults(openapi, media["schema"], media["example"])]
    assert not found, "\n".join(found)


def test_every_json_answer_has_an_example_that_fits_its_schema(openapi: dict[str, Any]) -> None:
    found = []
    for name, operation in operations(openapi):
        for status, answer in operation["responses"].items():
            media = answer.get("content", {}).get("application/json")
            if media is not None and status.startswith("2"):
                schema = at(openapi, media["schema"]["$ref"])
                found += [f"{name}: {fault}" for fault in faults(openapi, schema, schema["example"])]
    assert not found, "\n".join(found)


def test_the_asyncapi_document_holds_together(asyncapi: dict[str, Any]) -> None:
    assert asyncapi["asyncapi"] == "3.0.0"
    assert set(asyncapi["channels"]) == set(asyncapi["components"]["messages"])
    for reference in references(asyncapi):
        at(asyncapi, reference)
    for key, channel in asyncapi["channels"].items():
        assert re.fullmatch(r"[a-z]+\.[a-z-]+\.v\d+", key)
        assert channel["address"] == key
    for operation in asyncapi["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert all(
            each["$ref"].startswith(f"{operation['channel']['$ref']}/messages/") for each in operation["messages"]
        )
    senders = [each["channel"]["$ref"] for each in asyncapi["operations"].values() if each["action"] == "send"]
    assert sorted(senders) == sorted(f"#/channels/{key}" for key in asyncapi["channels"]), "one sender each"


def test_every_message_has_an_example_that_fits_its_schema(asyncapi: dict[str, Any]) -> None:
    found = []
    for key, message in asyncapi["components"]["messages"].items():
        assert message["summary"], key
        for example in message["examples"]:
            found += [f"{key}: {fault}" for fault in faults(asyncapi, message["payload"], example["payload"])]
    assert not found, "\n".join(found)


def test_the_table_has_a_row_for_every_operation(openapi: dict[str, Any], generated: dict[str, str]) -> None:
    rows = {tuple(line.split(" | ")[:2]) for line in generated["routes-and-roles.md"].splitlines() if "`/" in line}
    wanted = {(f"| `{name.partition(' ')[2]}`", name.partition(" ")[0]) for name, _ in operations(openapi)}
    assert rows == wanted
