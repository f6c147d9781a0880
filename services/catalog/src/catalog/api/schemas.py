"""Bodies of ``/v1/locations``, and what they share with policies: opening hours."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from catalog.api.field_types import StoredDate
from catalog.api.tax_schemas import TaxedSchema
from common.http import Id, Instant, StrictSchema, Text
from common.http.schemas import zone_name

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def opening_hours(value: Any) -> None:
    """Validator: ``{"mon": [["08:00", "18:00"]], …}`` with rising, non-overlapping spans."""
    for day, spans in value.items():
        if day not in _DAYS:
            raise ValidationError(f"{day} is none of {', '.join(_DAYS)}")
        last = ""
        for span in spans:
            if len(span) != 2 or not all(_TIME.fullmatch(text) for text in span) or not last <= span[0] < span[1]:
                raise ValidationError(f"{day}: spans are pairs of HH:MM, in order and without overlap")
            last = span[1]


def time_of_day(value: str) -> None:
    """Validator: ``HH:MM``, up to 24:00."""
    if not _TIME.fullmatch(value):
        raise ValidationError("Not a time of the form HH:MM.")


def opening_hours_field(**kwargs: Any) -> fields.Dict:
    """A field for opening hours; days left out are closed."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.List(fields.String())),
        validate=opening_hours,
        metadata={"example": {"mon": [["08:00", "18:00"]]}},
        **kwargs,
    )


class ClosureSchema(StrictSchema):
    """Days on which a location is closed, wholly or from one time to another; ``end`` is the last of them."""

    start = StoredDate(required=True, metadata={"example": "2027-12-24"})
    end = StoredDate(required=True, metadata={"example": "2027-12-26"})
    from_time = fields.String(validate=time_of_day, metadata={"example": "14:00"})
    to_time = fields.String(validate=time_of_day, metadata={"example": "24:00"})
    name = Text(shortest=0, load_default="", metadata={"example": "Christmas"})

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """The last day is not before the first, nor the last minute before the first."""
        if data["end"] < data["start"]:
            raise ValidationError("must not be before start", "end")
        if data.get("to_time", "24:00") <= data.get("from_time", "00:00"):
            raise ValidationError("must be after from_time", "to_time")


class LocationInSchema(TaxedSchema):
    """What a location is made of."""

    name = Text(required=True, metadata={"example": "Dock 1"})
    code = Text(longest=20, allow_none=True, metadata={"example": "D1"})
    timezone = Text(validate=zone_name, metadata={"example": "Europe/Berlin"})
    address = fields.Dict(keys=Text(longest=40), values=Text(shortest=0), validate=validate.Length(max=20))
    opening_hours = opening_hours_field()
    closures = fields.List(fields.Nested(ClosureSchema), validate=validate.Length(max=500))


class LocationSchema(LocationInSchema):
    """A location."""

    id = Id("loc")
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()
