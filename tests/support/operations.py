"""The routes as the services' own OpenAPI documents tell them, and requests made from its examples."""

from __future__ import annotations

import copy
import io
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image
from story import PASSWORD
from tenants import NOW

METHODS = ("get", "post", "put", "patch", "delete")
# Where the document's example cannot be good for an organisation of the tests.
BODIES = {
    "POST /v1/password": {"current_password": PASSWORD, "password": PASSWORD},
    "POST /v1/billing-runs": {"as_of": "2027-03-01", "dry_run": True},
    "POST /v1/organization/clock/advance": {"to": NOW},
}
QUERIES = {
    "GET /v1/availability": {"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z"},
    "GET /v1/bookings/schedule": {"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z"},
    "GET /v1/reports/bookings": {"from": "2027-02-01", "to": "2027-02-28"},
    "GET /v1/reports/check-ins": {"from": "2027-02-01", "to": "2027-02-28"},
    "GET /v1/reports/occupancy": {"from": "2027-02-01", "to": "2027-02-28"},
    "GET /v1/reports/payments": {"from": "2027-02-01", "to": "2027-02-28"},
    "GET /v1/reports/payouts": {"from": "2027-02-01", "to": "2027-02-28"},
}
_ID = re.compile(r"^\^?([a-z]{3})_")


@dataclass(frozen=True)
class Operation:
    """One method of one path of one service."""

    service: str
    method: str
    path: str
    document: Mapping[str, Any]
    schemas: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def roles(self) -> tuple[str, ...]:
        """Who may call it; empty: everybody, also without a token."""
        return tuple(self.document.get("x-roles", ()))

    @property
    def path_names(self) -> list[str]:
        """Names of the parameters in the path."""
        return re.findall(r"{(\w+)}", self.path)

    def filled(self, ids: Mapping[str, str]) -> str:
        """The path with ids in the places of its parameters."""
        return re.sub(r"{(\w+)}", lambda found: ids[found[1]], self.path)

    @property
    def id_filters(self) -> dict[str, str]:
        """Query parameters that take an id, with its prefix."""
        query = [each for each in self.document.get("parameters", ()) if each.get("in") == "query"]
        found = {each["name"]: _prefix(each["schema"]) for each in query}
        return {name: prefix for name, prefix in found.items() if prefix}

    def request(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """Query and body of a good request, as a test client takes them."""
        named = f"{self.method} {self.path}"
        sent: dict[str, Any] = {"query_string": QUERIES.get(named, {})}
        content = self.document.get("requestBody", {}).get("content", {})
        if named in BODIES:
            return {**sent, "json": BODIES[named]}
        if "text/csv" in content:
            return {**sent, "data": content["text/csv"]["example"], "content_type": "text/csv"}
        if "image/png" in content:
            return {**sent, "data": _picture(), "content_type": "image/png"}
        return {**sent, "json": self.body(ids)} if content else sent

    def body(self, ids: Mapping[str, str]) -> Any:
        """The example of the body with real ids in the places of the example's; None when it takes no JSON."""
        media = self.document.get("requestBody", {}).get("content", {}).get("application/json")
        return None if media is None else with_ids(media["example"], ids)

    def body_ids(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Where in the body ids stand: the way to each, and its prefix."""
        media = self.document.get("requestBody", {}).get("content", {}).get("application/json")
        if media is not None:
            yield from self._ids_of(media["schema"], ())

    def _ids_of(self, schema: Mapping[str, Any], way: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
        if len(way) > 5:
            return
        for part in schema.get("anyOf", ()):
            yield from self._ids_of(part, way)
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        prefix = _prefix(schema)
        if prefix:
            yield way, prefix
        for name, part in schema.get("properties", {}).items():
            yield from self._ids_of(part, (*way, name))
        if "items" in schema:
            yield from self._ids_of(schema["items"], (*way, 0))


def operations(documents: Mapping[str, Mapping[str, Any]]) -> list[Operation]:
    """Every operation of the documents."""
    return [
        Operation(
            service,
            method.upper(),
            path,
            {**item[method], "parameters": [*item.get("parameters", ()), *item[method].get("parameters", ())]},
            document["components"]["schemas"],
        )
        for service, document in documents.items()
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """A copy in which every example id is the real one of its kind."""
    if isinstance(value, dict):
        return {name: with_ids(part, ids) for name, part in value.items()}
    if isinstance(value, list):
        return [with_ids(part, ids) for part in value]
    found = _ID.match(value) if isinstance(value, str) and len(value) == 36 else None
    return ids.get(found[1], value) if found else value


def planted(body: Any, way: tuple[Any, ...], value: str) -> Any:
    """A copy of a body with a value put in at a place, whatever stands there."""
    root = copy.deepcopy(body) if isinstance(body, dict | list) else ([] if way[0] == 0 else {})
    node = root
    for step, following in zip(way, (*way[1:], None), strict=True):
        fresh: Any = value if following is None else ([] if following == 0 else {})
        present = (node[step] if len(node) > step else None) if isinstance(node, list) else node.get(step)
        keep = following is not None and isinstance(present, dict | list)
        if isinstance(node, list):
            node[:] = [present if keep else fresh, *node[1:]]
        elif not keep:
            node[step] = fresh
        node = node[step]
    return root


def send(app: Any, operation: Operation, ids: Mapping[str, str], token: str | None, **request: Any) -> Any:
    """Call a service with path ids from ``ids``; POSTs carry an Idempotency-Key."""
    path = operation.filled(ids)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if operation.method == "POST":
        headers["Idempotency-Key"] = secrets.token_hex(8)
    return app.test_client().open(path, method=operation.method, headers=headers, **request)


def _picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(drawn, "PNG")
    return drawn.getvalue()


def _prefix(schema: Mapping[str, Any]) -> str | None:
    found = re.match(r"^\^([a-z]{3})_\[0-9a-f\]", str(schema.get("pattern", "")))
    return found[1] if found else None
