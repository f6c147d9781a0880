"""Bodies about signing in."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from common.http import StrictSchema, Text
from members.api.fields import Email, Password, Secret

SIDES = ("staff", "member")
_WANTED = {
    "password": {"email", "password", "organization"},
    "refresh": {"refresh_token"},
    "link": {"token"},
    "api_key": {"key"},
}


class TokensSchema(StrictSchema):
    """An access token, and a refresh token to get the next one with."""

    access_token = fields.String()
    token_type = fields.String(metadata={"example": "Bearer"})
    expires_in = fields.Integer(metadata={"description": "Seconds", "example": 900})
    refresh_token = fields.String(allow_none=True)


class GrantSchema(StrictSchema):
    """How somebody signs in; ``grant`` says which of the other fields are sent."""

    EXAMPLE = {"email": "owner@harbour.example", "password": "correct horse battery staple", "organization": "harbour"}

    grant = fields.String(load_default="password", validate=validate.OneOf(list(_WANTED)))
    email = fields.String(validate=validate.Length(1, 254), metadata={"example": "owner@harbour.example"})
    password = Secret()
    organization = fields.String(validate=validate.Length(1, 100), metadata={"example": "harbour"})
    side = fields.String(
        validate=validate.OneOf(SIDES),
        metadata={"description": "For an address that is a staff user's and a member's; staff first"},
    )
    refresh_token = Secret()
    token = Secret()
    key = Secret()

    @validates_schema
    def check_fields(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Every grant has its own fields."""
        wanted = _WANTED[data["grant"]]
        allowed = wanted | {"grant"} | ({"side"} if data["grant"] == "password" else set())
        faults = {name: ["Missing data for required field."] for name in wanted - set(data)}
        faults |= {name: [f"Not for the grant {data['grant']}."] for name in set(data) - allowed}
        if faults:
            raise ValidationError(faults)


class RevocationSchema(StrictSchema):
    """The refresh token whose sign-in ends."""

    refresh_token = Secret(required=True)


class LinkRequestSchema(StrictSchema):
    """Who wants a link."""

    email = Email(required=True)
    organization = Text(required=True, metadata={"example": "harbour"})
    side = fields.String(validate=validate.OneOf(SIDES))


class AcceptanceSchema(StrictSchema):
    """An invitation's token and the password chosen."""

    token = Secret(required=True)
    password = Password(required=True)


class PasswordChangeSchema(StrictSchema):
    """A new password, and the present one if there is one."""

    EXAMPLE = {"current_password": "correct horse battery staple", "password": "another horse battery staple"}

    current_password = Secret(load_default=None, allow_none=True)
    password = Password(required=True)
