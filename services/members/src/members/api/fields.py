"""Fields and validators that several bodies share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from babel import Locale
from marshmallow import ValidationError, fields, validate

from members.services.passwords import MAX_LENGTH, MIN_LENGTH


class Email(fields.Email):
    """An e-mail address; surrounding blanks are cut off."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": "member@example.com"})
        super().__init__(validate=validate.Length(max=254), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return super()._deserialize(value.strip() if isinstance(value, str) else value, attr, data, **kwargs)


class Password(fields.String):
    """A password to be set; blanks are part of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            validate=validate.Length(MIN_LENGTH, MAX_LENGTH),
            load_only=True,
            metadata={"format": "password", "example": "correct horse battery staple"},
            **kwargs,
        )


class Secret(fields.String):
    """A password, token or key that is only compared: any length that fits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, 1000), load_only=True, **kwargs)


@lru_cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    english = Locale("en")
    countries = frozenset(str(code) for code in english.territories if re.fullmatch("[A-Z]{2}", str(code)))
    return countries - {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}, frozenset(english.currencies)


def country_code(value: str) -> None:
    """Validator: ISO 3166 alpha-2."""
    if value not in _known()[0]:
        raise ValidationError("Not an ISO 3166 country code of two capital letters.")


def currency_code(value: str) -> None:
    """Validator: ISO 4217."""
    if value not in _known()[1]:
        raise ValidationError("Not an ISO 4217 currency code of three capital letters.")


language_tag = validate.Regexp(r"^[a-z]{2,3}(-[A-Z]{2})?$", error="Not a language tag such as en or de-AT.")
