"""Fields for documents that are kept as JSON, and stricter forms of marshmallow's own.

What goes into a JSON column stays in JSON's terms (an id is its UUID's text, an amount an object) and looks the same
whether it was just sent or has been read from the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from common.http import Id, MoneyField, Percent, Quantity
from common.http.schemas import decimal_text


class Flag(fields.Boolean):
    """JSON's true or false, and not "yes" or 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def whole(least: int, most: int, **kwargs: Any) -> fields.Integer:
    """A field for a JSON integer within bounds."""
    return fields.Integer(strict=True, validate=validate.Range(least, most), **kwargs)


class Unique(fields.List[Any]):
    """A list of different things, in the order given; ``most`` bounds its length."""

    default_error_messages = {"repeated": "Names something twice."}

    def __init__(self, inner: fields.Field[Any], *, most: int, **kwargs: Any) -> None:
        super().__init__(inner, validate=validate.Length(max=most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        items = super()._deserialize(value, attr, data, **kwargs)
        if len(set(items)) != len(items):
            raise self.make_error("repeated")
        return items


class StoredId(Id):
    """An id inside a stored document: the UUID's text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return super()._serialize(UUID(value), attr, obj, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, attr, data, **kwargs))


class StoredDate(fields.Date):
    """A civil date inside a stored document: ``YYYY-MM-DD``."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).isoformat()


class StoredMoney(MoneyField):
    """An amount inside a stored document: the object that the API has, too."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        money = super()._deserialize(value, attr, data, **kwargs)
        return {"amount_minor": money.amount_minor, "currency": money.currency}


class StoredQuantity(Quantity):
    """A decimal string inside a stored document."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return decimal_text(super()._deserialize(value, attr, data, **kwargs))


class StoredPercent(StoredQuantity, Percent):
    """A percentage inside a stored document: a decimal string, 0 to 100."""

    def __init__(self, **kwargs: Any) -> None:
        Percent.__init__(self, **kwargs)
