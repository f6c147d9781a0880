"""Fields and schemas of the API's edge: strict on the way in, canonical on the way out (API.md, conventions)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property, partial
from types import NoneType
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing, validate

from common.ids import InvalidIdError, decode_id, encode_id
from common.money import Money

_LARGEST = 10**14


class StrictSchema(Schema):
    """A request body or answer: unknown fields are refused."""

    class Meta:
        unknown = RAISE

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:
        """As marshmallow's, but a PATCH is partial on its outermost level only: parts sent are sent whole."""
        return super().load(data, many=many, unknown=unknown)

    def _deserialize(self, data: Any, *, error_store: Any, partial: Any = None, **kwargs: Any) -> Any:
        """As marshmallow's, with a short cut for a body without a fault: it is read without what collects faults."""
        if type(data) is dict and not (partial or kwargs.get("many")) and data.keys() <= self._inputs.keys():
            try:
                return self._read(data)
            except ValidationError:
                pass  # the long way finds all faults, and says where they are
        return super()._deserialize(data, error_store=error_store, partial=partial, **kwargs)

    def _read(self, data: dict[str, Any]) -> Any:
        read = self.dict_class()
        for name, (key, field) in self._inputs.items():
            if name in data:
                value: Any = field.deserialize(data[name], name, data)
            elif field.required:
                raise field.make_error("required")
            else:
                value = field.load_default() if callable(field.load_default) else field.load_default
            if value is not missing:
                read[key] = value
        return read

    @cached_property
    def _inputs(self) -> dict[str, tuple[str, fields.Field[Any]]]:
        """By the name that a field has in a body: the name it is read under, and the field."""
        return {
            name if field.data_key is None else field.data_key: (field.attribute or name, field)
            for name, field in self.load_fields.items()
        }

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        """As marshmallow's, with a short cut for what views return: dictionaries and objects with a value per field."""
        kind: Any = type(obj)
        if many or not (kind is dict or _is_object(kind)):
            return super()._serialize(obj, many=many)
        read = obj.get if kind is dict else partial(getattr, obj)
        written = {}
        for name, key, field, plain in self._columns:
            value = read(name, missing)
            if value is missing:
                value = field.serialize(name, obj, accessor=self.get_attribute)
                if value is missing:
                    continue
            elif type(value) not in plain:
                value = field._serialize(value, name, obj)
            written[key] = value
        return written

    @cached_property
    def _columns(self) -> list[tuple[str, str, fields.Field[Any], tuple[type, ...]]]:
        """Where the value of each field is found, the name it gets, the field, and what it writes as it is."""
        return [
            (
                field.attribute or name,
                name if field.data_key is None else field.data_key,
                field,
                _plain_in(field),
            )
            for name, field in self.dump_fields.items()
        ]


@cache
def _is_object(kind: Any) -> bool:
    """Whether values are found in attributes only, and not by keys."""
    return kind is not NoneType and not hasattr(kind, "__getitem__")


class QuerySchema(Schema):
    """Query parameters: unknown ones are ignored so that links may carry more."""

    class Meta:
        unknown = EXCLUDE


def example_id(prefix: str) -> str:
    """An id as the documents show it."""
    return f"{prefix}_0192f0c8a1b27def8a3b0c1d2e3f4a5b"


class Id(fields.Field[UUID]):
    """``Id("mem")``: UUID inside, ``mem_…`` outside."""

    default_error_messages = {"invalid": "Not a valid id of the form {prefix}_…"}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": example_id(prefix)})
        super().__init__(**kwargs)
        self.prefix = prefix

    def _serialize(self, value: UUID | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else encode_id(self.prefix, value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> UUID:
        try:
            return decode_id(self.prefix, value)
        except (InvalidIdError, AttributeError) as error:
            raise self.make_error("invalid", prefix=self.prefix) from error


class Text(fields.String):
    """A short line of text, 1 to 200 characters unless told; surrounding blanks are cut off."""

    def __init__(self, *, longest: int = 200, shortest: int = 1, **kwargs: Any) -> None:
        rules = [validate.Length(min=shortest, max=longest)]
        if "validate" in kwargs:
            extra = kwargs.pop("validate")
            rules += extra if isinstance(extra, list) else [extra]
        super().__init__(validate=rules, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        return str(text).strip()


class LongText(Text):
    """Notes and descriptions: up to 5,000 characters, may be empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=5000, shortest=0, **kwargs)


# What fields write as it is, and so need not be asked to.
_PLAIN: dict[type[fields.Field[Any]], tuple[type, ...]] = {
    **dict.fromkeys((fields.String, Text, LongText), (str, NoneType)),
    fields.Integer: (int, NoneType),
    fields.Boolean: (bool, NoneType),
}


def _plain_in(field: fields.Field[Any]) -> tuple[type, ...]:
    return () if getattr(field, "as_string", False) else _PLAIN.get(type(field), ())


class Instant(fields.AwareDateTime):
    """RFC 3339 with an offset in (a naive time is refused), UTC with ``Z`` out."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": "2027-02-15T08:00:00Z"})
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        instant: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not 1970 <= instant.year < 3000:
            raise self.make_error("invalid", input=value, obj_type="datetime")
        return instant.astimezone(UTC)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class CivilDate(fields.Date):
    """A day without a zone, ``YYYY-MM-DD``, between 1970 and 2999: there is room to count days from it both ways."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        day: date = super()._deserialize(value, attr, data, **kwargs)
        if not 1970 <= day.year < 3000:
            raise self.make_error("invalid", input=value, obj_type="date")
        return day


class MoneyField(fields.Field[Money]):
    """``{"amount_minor": 30000, "currency": "EUR"}``; not negative unless told."""

    default_error_messages = {
        "invalid": 'Not money: {{"amount_minor": integer, "currency": "EUR"}} is wanted.',
        "negative": "Must not be negative.",
        "large": "Too large.",
    }

    def __init__(self, *, negative: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative = negative

    def _serialize(self, value: Money | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else {"amount_minor": value.amount_minor, "currency": value.currency}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Money:
        if not isinstance(value, Mapping) or set(value) != {"amount_minor", "currency"}:
            raise self.make_error("invalid")
        amount, currency = value["amount_minor"], value["currency"]
        if not isinstance(amount, int) or isinstance(amount, bool) or not _is_currency(currency):
            raise self.make_error("invalid")
        if amount < 0 and not self.negative:
            raise self.make_error("negative")
        if abs(amount) > _LARGEST:
            raise self.make_error("large")
        return Money(amount, currency)


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()


class Quantity(fields.Field[Decimal]):
    """A decimal string such as ``"1.5"``, with at most ``places`` decimals, between ``least`` and ``most``."""

    default_error_messages = {"invalid": "Not a decimal string.", "range": "Must be between {least} and {most}."}

    def __init__(self, *, least: str = "0", most: str = "1000000", places: int = 6, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": "1"})
        super().__init__(**kwargs)
        self.least, self.most, self.places = Decimal(least), Decimal(most), places

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else decimal_text(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not value.isascii() or len(value) > 40:
            raise self.make_error("invalid")
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise self.make_error("invalid") from error
        if not number.is_finite() or -int(number.as_tuple().exponent) > self.places:
            raise self.make_error("invalid")
        if not self.least <= number <= self.most:
            raise self.make_error("range", least=self.least, most=self.most)
        return number


class Percent(Quantity):
    """A percentage as a decimal string, 0 to 100 with at most four decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most="100", places=4, **kwargs)


def decimal_text(value: Decimal) -> str:
    """Plain notation without needless zeros: ``19``, ``7.5``, never ``1E+2``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def zone_name(value: str) -> None:
    """Validator: an IANA time zone."""
    from zoneinfo import available_timezones

    if value not in available_timezones():
        raise ValidationError("Not an IANA time zone.")
