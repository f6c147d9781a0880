"""Booking and cancellation policies of a resource (BOK-3, BOK-5)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from catalog.api.field_types import Flag, StoredId, StoredPercent, StoredQuantity, Unique, whole
from catalog.api.schemas import opening_hours_field
from catalog.domain.resources import VISIBILITIES
from common.http import StrictSchema

_WEEK = 7 * 24 * 60
_YEAR = 366 * 24 * 60


class QuotaSchema(StrictSchema):
    """How many hours, or how many bookings, one customer may have per calendar week or month."""

    limit = StoredQuantity(required=True, most="744", places=2, metadata={"example": "10"})
    unit = fields.String(required=True, validate=validate.OneOf(("hours", "bookings")))
    per = fields.String(required=True, validate=validate.OneOf(("week", "month")))


class BookingPolicySchema(StrictSchema):
    """The rules of booking a resource; what is left out does not limit anything (opening hours: the location's)."""

    opening_hours = opening_hours_field()
    min_minutes = whole(1, _YEAR, metadata={"example": 30})
    max_minutes = whole(1, _YEAR, metadata={"example": 480})
    min_notice_minutes = whole(0, _YEAR, metadata={"example": 60})
    furthest_days_ahead = whole(0, 3650, metadata={"example": 90})
    buffer_before_minutes = whole(0, _WEEK, metadata={"example": 0})
    buffer_after_minutes = whole(0, _WEEK, metadata={"example": 15})
    approval = Flag(metadata={"description": "A booking is tentative until staff approves it; it holds the slot."})
    check_in_minutes = whole(1, _WEEK, metadata={"description": "Who has not checked in by then is a no-show."})
    recurring_allowed = Flag()
    show_names = Flag(metadata={"description": "Members see who has booked it; else only staff do."})
    quotas = fields.List(fields.Nested(QuotaSchema), validate=validate.Length(max=4))
    who = fields.String(validate=validate.OneOf(VISIBILITIES), metadata={"description": "Who may book by themselves"})
    plan_ids = Unique(StoredId("pln"), most=100)

    @validates_schema
    def check_lengths(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """The shortest booking is not longer than the longest one."""
        if data.get("max_minutes", _YEAR) < data.get("min_minutes", 1):
            raise ValidationError("must not be less than min_minutes", "max_minutes")

    @validates_schema
    def check_who(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Plans are named exactly when only their holders may book."""
        if (data.get("who") == "plans") != bool(data.get("plan_ids")):
            raise ValidationError("goes with who = plans, and with nothing else", "plan_ids")


class CancellationStepSchema(StrictSchema):
    """Cancelling later than so many hours before the start costs this share of the price."""

    hours_before = whole(0, 8784, required=True, metadata={"example": 24})
    percent = StoredPercent(required=True, metadata={"example": "50"})


class CancellationPolicySchema(StrictSchema):
    """What cancelling and not turning up cost; without steps cancelling is free."""

    steps = fields.List(fields.Nested(CancellationStepSchema), validate=validate.Length(max=20))
    no_show_percent = StoredPercent(metadata={"example": "100"})

    @validates_schema
    def check_steps(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """One share for each number of hours."""
        hours = [step["hours_before"] for step in data.get("steps", ())]
        if len(set(hours)) != len(hours):
            raise ValidationError("names the same hours twice", "steps")
