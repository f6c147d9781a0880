"""What flask-smorest leaves out of the OpenAPI document: our own fields, problems, security, idempotency keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from common.http.examples import answer_example, request_example
from common.http.idempotency import Options, options_of
from common.http.problems import PROBLEM_TYPE, ProblemSchema
from common.http.schemas import Id, MoneyField, Quantity

if TYPE_CHECKING:
    from common.http.app import ServiceApp

_MONEY = {
    "type": "object",
    "properties": {
        "amount_minor": {"type": "integer", "description": "Minor units: cents for EUR"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount_minor", "currency"],
    "additionalProperties": False,
    "example": {"amount_minor": 30000, "currency": "EUR"},
}
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Makes a repeated request harmless: the same key and body replay the stored answer for 24 hours.",
}
_PROBLEM_CONTENT = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def field_attributes(_converter: Any, field: fields.Field[Any], **known: Any) -> dict[str, Any]:
    """Schema attributes of our own fields, and patterns in the words of JSON Schema (which is not Python's)."""
    if isinstance(field, MoneyField):
        described = {**_MONEY, "properties": {**_MONEY["properties"]}}  # type: ignore[dict-item]
        amount: dict[str, Any] = {"type": "integer", "maximum": 10**14, "minimum": -(10**14) if field.negative else 0}
        described["properties"] = {**described["properties"], "amount_minor": amount}  # type: ignore[dict-item]
        return _nullable(described, field)
    if isinstance(field, Quantity):
        return _nullable({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, field)
    if isinstance(field, Id):
        return _nullable({"type": "string", "pattern": f"^{field.prefix}_[0-9a-f]{{32}}$"}, field)
    pattern = known.get("ret", {}).get("pattern", "")
    return {"pattern": pattern.replace(r"\Z", "$")} if r"\Z" in pattern else {}


def schema_name(schema: type[Schema] | Schema) -> str:
    """``LocationInSchema`` -> ``LocationIn``; the bodies of PATCH, where nothing is required, end in ``Patch``."""
    if isinstance(schema, str):
        return schema.removesuffix("Schema")
    kind = schema if isinstance(schema, type) else type(schema)
    partial = not isinstance(schema, type) and schema.partial
    return kind.__name__.removesuffix("Schema") + ("Patch" if partial else "")


def _nullable(described: dict[str, Any], field: fields.Field[Any]) -> dict[str, Any]:
    if field.allow_none:
        described["type"] = [described["type"], "null"]
    return described


def complete_document(app: ServiceApp) -> None:
    """Add security, the problem answer and idempotency keys to every operation."""
    spec = app.api.spec
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    if "Problem" not in spec.components.schemas:
        spec.components.schema("Problem", schema=ProblemSchema)
    access = _access_by_operation(app)
    _drop_foreign_errors(spec.components)
    _take_own_examples(app)
    operations = [
        (path, method, operation)
        for path, item in spec._paths.items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    for path, method, operation in operations:
        _complete_operation(operation, method, *access.get((path, method), ((), Options())))
        _give_request_example(operation, spec.components.schemas)
    for _path, _method, operation in operations:  # after all requests, whose examples are made of fewer fields
        _give_answer_examples(operation, spec.components.schemas)


def _drop_foreign_errors(components: Any) -> None:
    """flask-smorest's own error answers and their schemas go: ours are problems."""
    components.responses.clear()
    for name in ("Error", "PaginationMetadata"):
        components.schemas.pop(name, None)


def _take_own_examples(app: ServiceApp) -> None:
    """A schema class with an ``EXAMPLE`` gives the example of its component."""
    converter = app.api.ma_plugin.converter
    for key, name in (converter.refs if converter is not None else {}).items():
        example = vars(key[0]).get("EXAMPLE")
        if example is not None and name in app.api.spec.components.schemas:
            app.api.spec.components.schemas[name]["example"] = example


def _give_request_example(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" in media and not {"example", "examples"} & set(media):
        media["example"] = request_example(media["schema"], schemas)


def _give_answer_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The example of an answer stands at its schema, which several operations share."""
    for status, answer in operation["responses"].items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if str(status).startswith("2") and name and "example" not in schemas[name]:
            schemas[name]["example"] = answer_example(schema, schemas)


def _access_by_operation(app: ServiceApp) -> dict[tuple[str, str], tuple[Any, Options]]:
    found = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", f"{{{argument}}}").replace(f"<path:{argument}>", f"{{{argument}}}")
            path = path.replace(f"<string:{argument}>", f"{{{argument}}}")
        for method in rule.methods or ():
            found[(path, method.lower())] = (getattr(view, "access", ()), options_of(view))
    return found


def _complete_operation(operation: dict[str, Any], method: str, roles: Any, idempotency: Options) -> None:
    operation["summary"] = " ".join(operation.get("summary", "").split())
    operation["security"] = [{"bearer": []}] if roles else []
    if roles:
        operation["x-roles"] = [str(role) for role in roles]
    if method == "post":
        header = {**_KEY_HEADER, "required": idempotency.required is True}
        operation.setdefault("parameters", []).append(header)
    # flask-smorest names its 422 in the words of the running Python, which 3.13 changed.
    if operation["responses"].pop("422", None) is not None:
        operation["responses"]["422"] = {
            "description": "The request has faults; see errors",
            "content": _PROBLEM_CONTENT,
        }
    operation["responses"]["default"] = {"description": "A problem (RFC 9457)", "content": _PROBLEM_CONTENT}
