"""``/v1/api-keys``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from common.auth import Role, allow, current_principal
from common.auth.access import STAFF
from common.http import (
    Blueprint,
    Id,
    Instant,
    ListQuery,
    StrictSchema,
    Text,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.http.idempotency import REPLAYED_HEADER, idempotency_key
from common.ids import decode_path_id
from members.api.access import current_settings
from members.models import ApiKey
from members.services import api_keys
from members.services.secrecy import keyed_digest

blueprint = Blueprint("api_keys", __name__, description="Keys for programs")


class ApiKeyInSchema(StrictSchema):
    """What a key is made of."""

    name = Text(required=True, metadata={"example": "Door system"})
    role = fields.String(required=True, validate=validate.OneOf([role.value for role in STAFF]))
    location_ids = fields.List(Id("loc"), allow_none=True, validate=validate.Length(1, 200))
    expires_at = Instant(allow_none=True)


class ApiKeySchema(ApiKeyInSchema):
    """A key; ``hint`` is how it begins."""

    id = Id("key")
    hint = fields.String()
    created_by = fields.String()
    created_at = Instant()
    last_used_at = Instant(allow_none=True)
    version = fields.Integer()


class NewApiKeySchema(ApiKeySchema):
    """A key with itself, this once."""

    key = fields.String(metadata={"example": "dk_…"})


@blueprint.route("/v1/api-keys", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, page_schema(ApiKeySchema))
def list_api_keys(query: dict[str, Any]) -> dict[str, Any]:
    """List the keys that work."""
    statement = select(ApiKey).where(ApiKey.revoked_at.is_(None))
    return page(current_session(), statement, query, key=ApiKey.id, sorts={"name": ApiKey.name})


@blueprint.route("/v1/api-keys", methods=["POST"])
@allow(Role.OWNER, Role.ADMIN)
@idempotent(by_effect=True)
@blueprint.arguments(ApiKeyInSchema)
@blueprint.response(201, NewApiKeySchema)
def create_api_key(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a key; it is shown in this answer and never again."""
    row, key, is_replayed = api_keys.create_api_key(
        current_session(),
        current_settings(),
        creator=current_principal(),
        request_digest=_request_digest(),
        **body,
    )
    shown = {**{name: getattr(row, name) for name in ApiKeySchema().fields}, "key": key}
    return shown, 201, {REPLAYED_HEADER: "true"} if is_replayed else {}


def _request_digest() -> bytes | None:
    key, principal = idempotency_key(), current_principal()
    if key is None:
        return None
    scope = f"{principal.organization_id}/{principal.subject}"
    return keyed_digest(current_settings().secret, "api key requests", scope.encode(), key.encode())


@blueprint.route("/v1/api-keys/<key_id>", methods=["GET"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(200, ApiKeySchema)
def get_api_key(key_id: str) -> ApiKey:
    """Show a key's description."""
    row = api_keys.find_api_key(current_session(), decode_path_id("key", key_id))
    remember_etag(row)
    return row


@blueprint.route("/v1/api-keys/<key_id>", methods=["DELETE"])
@allow(Role.OWNER, Role.ADMIN)
@blueprint.response(204)
def revoke_api_key(key_id: str) -> None:
    """End a key at once."""
    session = current_session()
    row = api_keys.find_api_key(session, decode_path_id("key", key_id), lock=True)
    api_keys.revoke_api_key(session, row, current_principal())
