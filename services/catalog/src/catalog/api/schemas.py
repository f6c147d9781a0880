"""Bodies of the catalog's API."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from common.http import Id, Instant, Percent, StrictSchema, Text
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


class ClosureSchema(StrictSchema):
    """Days on which a location is closed; ``end`` is the last of them."""

    start = fields.Date(required=True)
    end = fields.Date(required=True)
    name = Text(load_default="")

    @validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["end"] < data["start"]:
            raise ValidationError("must not be before start", "end")


class LocationInSchema(StrictSchema):
    """What a location is made of."""

    name = Text(required=True, metadata={"example": "Dock 1"})
    code = Text(longest=20, metadata={"example": "D1"})
    timezone = Text(validate=zone_name, metadata={"example": "Europe/Berlin"})
    address = fields.Dict(keys=Text(longest=40), values=Text(shortest=0))
    opening_hours = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.List(fields.String())),
        validate=opening_hours,
        metadata={"example": {"mon": [["08:00", "18:00"]]}},
    )
    closures = fields.List(fields.Nested(ClosureSchema))
    tax_percent = Percent(allow_none=True)


class LocationSchema(LocationInSchema):
    """A location."""

    id = Id("loc")
    created_at = Instant()
    archived_at = Instant(allow_none=True)
    version = fields.Integer()
