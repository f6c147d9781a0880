"""Examples for the OpenAPI document, put together from what the schemas say about their fields.

A schema whose fields depend on each other gives its own: a class attribute ``EXAMPLE = {...}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_FORMAT = {
    "date": "2027-02-15",
    "date-time": "2027-02-15T08:00:00Z",
    "time": "09:00",
    "email": "member@example.com",
    "url": "https://example.com/",
    "uri": "https://example.com/",
    "uuid": "0192f0c8-a1b2-7def-8a3b-0c1d2e3f4a5b",
}
_DEEPEST = 10
Schemas = Mapping[str, Mapping[str, Any]]


def request_example(schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """A body as a client would send it: what is required, and what was given an example of its own."""
    return _example(schema, schemas, is_request=True, depth=0)


def answer_example(schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """An answer with all its fields."""
    return _example(schema, schemas, is_request=False, depth=0)


def _example(schema: Mapping[str, Any], schemas: Schemas, *, is_request: bool, depth: int) -> Any:
    if "$ref" in schema:
        schema = {**schemas[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
    for key in ("example", "const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("allOf", "anyOf", "oneOf"):
        if schema.get(key):
            return _example(schema[key][0], schemas, is_request=is_request, depth=depth)
    return _by_type(schema, schemas, is_request=is_request, depth=depth)


def _by_type(schema: Mapping[str, Any], schemas: Schemas, *, is_request: bool, depth: int) -> Any:
    kind = schema.get("type")
    kind = next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, schemas, is_request=is_request, depth=depth)
    if kind == "array":
        items = schema.get("items") or {}
        return [] if depth >= _DEEPEST else [_example(items, schemas, is_request=is_request, depth=depth + 1)]
    plain: dict[Any, Any] = {"integer": schema.get("minimum", 1), "number": 1, "boolean": True, "string": _text(schema)}
    return plain.get(kind)


def _object(schema: Mapping[str, Any], schemas: Schemas, *, is_request: bool, depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        return {}
    required = set(schema.get("required", ()))
    shown = {
        name: part
        for name, part in schema.get("properties", {}).items()
        if not is_request or name in required or ("example" in part and not _is_of_its_kind(part))
    }
    hidden = "readOnly" if is_request else "writeOnly"
    return {
        name: _example(part, schemas, is_request=is_request, depth=depth + 1)
        for name, part in shown.items()
        if not part.get(hidden)
    }


def _is_of_its_kind(part: Mapping[str, Any]) -> bool:
    """Ids, money, quantities and instants have an example by their kind, which says nothing about this body."""
    is_id = str(part.get("pattern", "")).endswith("_[0-9a-f]{32}$")
    return is_id or "amount_minor" in part.get("properties", {}) or part["example"] in ("1", _BY_FORMAT["date-time"])


def _text(schema: Mapping[str, Any]) -> str:
    text = _BY_FORMAT.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 200)]
