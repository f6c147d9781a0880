"""One OpenAPI document out of the services' own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from common.errors import DomainError
from gateway.config import SERVICES
from gateway.routes import GATEWAY, find_route
from gateway.upstreams import Upstreams

_KEPT_SECONDS = 60.0
_KEPT_INCOMPLETE_SECONDS = 3.0
_SCHEMAS = "#/components/schemas/"
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


class Documents:
    """Collects and keeps the document; services that are down are missing in it, and named."""

    def __init__(
        self, own: Callable[[], dict[str, Any]], upstreams: Upstreams, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._own, self._upstreams, self._monotonic = own, upstreams, monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any]] | None = None

    def merged(self) -> dict[str, Any]:
        """The whole API as OpenAPI 3.1."""
        with self._lock:
            if self._kept is None or self._monotonic() >= self._kept[0]:
                parts, missing = self._collect()
                document = merge_documents(parts)
                if missing:
                    document["x-missing-services"] = missing
                seconds = _KEPT_INCOMPLETE_SECONDS if missing else _KEPT_SECONDS
                self._kept = (self._monotonic() + seconds, document)
            return self._kept[1]

    def _collect(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        parts, missing = {GATEWAY: self._own()}, []
        for name in SERVICES:
            if name not in self._upstreams:
                continue
            try:
                answer = self._upstreams.call(name, "GET", "/openapi.json", {}, timeout=5.0)
                parts[name] = answer.json()
            except (DomainError, ValueError):
                missing.append(name)
        return parts, missing


def merge_documents(parts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Join documents by service; a path counts only at the service that the door sends it to.

    A schema that another service calls by the same name and means differently gets its service's name in front.
    """
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Deskledger", "version": "v1"},
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {},
    }
    for service, original in parts.items():
        part = _rename_clashes(service, original, merged["components"].get("schemas", {}))
        _add_paths(merged, service, part)
        for kind, entries in part.get("components", {}).items():
            for name, entry in entries.items():
                merged["components"].setdefault(kind, {}).setdefault(name, entry)
        known = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in part.get("tags", ()) if tag["name"] not in known]
    return merged


def _rename_clashes(service: str, part: dict[str, Any], taken: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the document in which no schema has a name that is taken for something else."""
    copy: dict[str, Any] = json.loads(json.dumps(part))
    schemas = copy.get("components", {}).get("schemas", {})
    clashing = [name for name, schema in schemas.items() if taken.get(name, schema) != schema]
    renamed = {name: f"{service.capitalize()}{name}" for name in clashing}
    if renamed:
        copy["components"]["schemas"] = {renamed.get(name, name): schema for name, schema in schemas.items()}
        _rename_references(copy, {_SCHEMAS + old: _SCHEMAS + new for old, new in renamed.items()})
    return copy


def _rename_references(node: Any, references: Mapping[str, str]) -> None:
    if isinstance(node, list):
        for entry in node:
            _rename_references(entry, references)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            node["$ref"] = references.get(node["$ref"], node["$ref"])
        for entry in node.values():
            _rename_references(entry, references)


def _add_paths(merged: dict[str, Any], service: str, part: Mapping[str, Any]) -> None:
    for path, item in part.get("paths", {}).items():
        route = find_route(path)
        if route is None or route.service != service:
            continue
        for method, operation in item.items():
            if method in _METHODS:
                operation.setdefault("operationId", _operation_id(method, path))
        merged["paths"][path] = item


def _operation_id(method: str, path: str) -> str:
    words = path.removeprefix("/v1/").replace("{", "").replace("}", "").replace("-", "_").replace(".", "_").split("/")
    return "_".join([method, *words])


def as_openapi_30(node: Any) -> Any:
    """The document in terms of OpenAPI 3.0, for the bundled Swagger UI, which knows no 3.1."""
    if isinstance(node, list):
        return [as_openapi_30(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    copy = {key: as_openapi_30(value) for key, value in node.items()}
    kinds = copy.get("type")
    if isinstance(kinds, list):
        named = [kind for kind in kinds if kind != "null"]
        copy["type"] = named[0] if named else "object"
        copy["nullable"] = "null" in kinds
    if isinstance(copy.get("openapi"), str):
        copy["openapi"] = "3.0.3"
    return copy
