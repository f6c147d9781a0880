"""Writes ``docs/api/``: OpenAPI of the gateway, AsyncAPI of the messages, and the table of routes and roles.

``python docs/generate.py`` writes, ``--check`` only tells what is stale (and exits with 1).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from common.db import Database
from common.http import ServiceApp, create_service_app
from common.messaging import Message
from contracts.subscriptions import MESSAGES, subscribers
from gateway.app import create_gateway_app
from gateway.config import GatewaySettings
from gateway.documents import merge_documents
from gateway.routes import find_route
from standalone.services import ALL_SERVICES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "api"
EXAMPLES = ROOT / "libs" / "contracts" / "examples"
METHODS = ("get", "post", "put", "patch", "delete")
ROLES = ("owner", "admin", "front_desk", "accountant", "member")
EXCHANGE = "deskledger.events"

Document = dict[str, Any]


# Documents are made without anybody answering: no secret is one, and no database is opened.
NOBODY: dict[str, Any] = {"internal_token": "none", "secret": "none"}


def service_documents() -> dict[str, Document]:
    """The gateway's and every service's own OpenAPI document; needs no database."""
    gateway = create_gateway_app(GatewaySettings(internal_token=NOBODY["internal_token"]), {})
    documents = {"gateway": gateway.api.spec.to_dict()}
    return documents | {service.name: _app(service).api.spec.to_dict() for service in ALL_SERVICES}


def _app(service: Any) -> ServiceApp:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing", role="")
    settings = service.settings_type(database_url=nowhere.url, **NOBODY)
    return create_service_app(service, settings, nowhere)


def asyncapi() -> Document:
    """The messages as AsyncAPI 3: one channel per routing key on the topic exchange, with who sends and receives."""
    schemas, components = msgspec.json.schema_components(MESSAGES, ref_template="#/components/schemas/{name}")
    document: Document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Deskledger messages", "version": "1", "description": _ASYNC_DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": components},
    }
    for message, schema in zip(MESSAGES, schemas, strict=True):
        key = message.routing_key()
        document["components"]["messages"][key] = _message(message, schema)
        document["channels"][key] = _channel(message)
        document["operations"] |= _operations(message)
    return document


_ASYNC_DESCRIPTION = (
    f"Facts that the services announce on the topic exchange `{EXCHANGE}`, by routing key. Delivery is at least once; "
    "receivers know a message by its id and an aggregate's state by its version."
)


def _message(message: type[Message], schema: Document) -> Document:
    example = json.loads((EXAMPLES / f"{message.routing_key()}.json").read_text())
    return {
        "name": message.name,
        "title": message.__name__,
        "summary": _first_line(message),
        "contentType": "application/json",
        "payload": schema,
        "examples": [{"payload": example}],
    }


def _first_line(message: type[Message]) -> str:
    return (message.__doc__ or "").strip().splitlines()[0]


def _channel(message: type[Message]) -> Document:
    key = message.routing_key()
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True}
    return {
        "address": key,
        "messages": {message.name: {"$ref": f"#/components/messages/{key}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _operations(message: type[Message]) -> Document:
    key = message.routing_key()
    about = {
        "channel": {"$ref": f"#/channels/{key}"},
        "messages": [{"$ref": f"#/channels/{key}/messages/{message.name}"}],
    }
    sent = {f"{message.service}.send.{key}": {"action": "send", "summary": _first_line(message), **about}}
    received = {f"{name}.receive.{key}": {"action": "receive", **about} for name in subscribers(key)}
    return sent | received


def roles_table(documents: dict[str, Document]) -> str:
    """Which role may call which route, as a Markdown table."""
    rows = sorted(
        (path, method.upper(), service, *_marks(item[method]))
        for service, document in documents.items()
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and (route := find_route(path)) is not None and route.service == service
    )
    head = "| path | method | service | " + " | ".join(role.replace("_", " ") for role in ROLES) + " |"
    lines = [head, "|" + "---|" * (3 + len(ROLES))]
    lines += [f"| `{path}` | " + " | ".join(cells) + " |" for path, *cells in rows]
    return _ROLES_INTRODUCTION + "\n".join(lines) + "\n"


_ROLES_INTRODUCTION = """# Routes and roles

Generated by `make docs` from the services' OpenAPI documents (`x-roles`). `tests/api` calls every route with every
role: a role without a mark gets 403, a call without a token 401, and "public" stands where no token is needed. An id of
another organisation is 404 for every role; members see only what is theirs, staff of some locations only what is there.

"""


def _marks(operation: Document) -> list[str]:
    allowed = operation.get("x-roles")
    return ["✓" if role in allowed else "" for role in ROLES] if allowed else ["public"] * len(ROLES)


def generated() -> dict[str, str]:
    """Every generated file by name, as text."""
    documents = service_documents()

    def text(document: Any) -> str:
        return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"

    return {
        "openapi.json": text(merge_documents(documents)),
        "asyncapi.json": text(asyncapi()),
        "routes-and-roles.md": roles_table(documents),
    }


def stale() -> list[str]:
    """Names of the files that differ from what would be generated now."""
    return [n for n, text in generated().items() if not (FOLDER / n).exists() or (FOLDER / n).read_text() != text]


def main() -> None:
    """Write the files, or check them."""
    if "--check" in sys.argv:
        found = stale()
        raise SystemExit(f"stale: {', '.join(found)}; run make docs" if found else 0)
    FOLDER.mkdir(exist_ok=True)
    for name, text in generated().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
