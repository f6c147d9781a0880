"""The short cuts of our schemas read and write what marshmallow does, faults included."""

from __future__ import annotations

from collections import UserDict
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, json
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from common.http.answers import AnswerJson
from common.http.schemas import Id, Instant, LongText, MoneyField, Percent, Quantity, StrictSchema, Text
from common.money import Money


class PartSchema(StrictSchema):
    """A part of a body."""

    code = Text(required=True, longest=5)
    quantity = Quantity(load_default=Decimal(1))


class ThingSchema(StrictSchema):
    """A body with a field of each kind."""

    id = Id("thi", required=True)
    name = Text(allow_none=True)
    note = LongText(load_default="none")
    count = fields.Integer(validate=validate.Range(1, 9))
    ratio = fields.Float()
    text = fields.Integer(as_string=True)
    is_open = fields.Boolean(load_default=False)
    at = Instant(data_key="when")
    price = MoneyField(allow_none=True, attribute="cost")
    percent = Percent(load_default=lambda: Decimal(7))
    parts = fields.List(fields.Nested(PartSchema))
    part = fields.Nested(PartSchema, allow_none=True)

    @validates_schema
    def check(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse what does not go together."""
        if data["note"] == data.get("name"):
            raise ValidationError("The note says no more than the name.", "note")


class _LongWay(Schema):
    """Marshmallow's own ways."""

    class Meta:
        unknown = RAISE


class LongPartSchema(_LongWay):
    """`PartSchema` without short cuts."""

    code, quantity = PartSchema._declared_fields["code"], PartSchema._declared_fields["quantity"]


class LongThingSchema(_LongWay):
    """`ThingSchema` without short cuts."""

    locals().update({name: field for name, field in ThingSchema._declared_fields.items() if "part" not in name})
    parts = fields.List(fields.Nested(LongPartSchema))
    part = fields.Nested(LongPartSchema, allow_none=True)
    check = ThingSchema.check


ID = "thi_0192f0c8a1b27def8a3b0c1d2e3f4a5b"
junk = st.sampled_from([None, 0, -1, 3, 1.5, "", "x", "too long", "true", True, [], {}, [1], {"code": 1}])
part = st.fixed_dictionaries({}, optional={"code": st.sampled_from(["a", "abcdef", None]), "quantity": junk, "x": junk})
bodies = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([ID, ID.upper(), None, 3]),
        "name": st.one_of(st.text(max_size=5), junk),
        "note": st.one_of(st.text(max_size=5), junk),
        "count": junk,
        "ratio": junk,
        "text": junk,
        "is_open": junk,
        "when": st.sampled_from(["2027-02-15T09:00:00+01:00", "2027-02-15T09:00:00", None, 5]),
        "price": st.sampled_from(
            [{"amount_minor": 1, "currency": "EUR"}, {"amount_minor": -1, "currency": "EUR"}, None]
        ),
        "percent": st.sampled_from(["19", "101", 19, None]),
        "parts": st.one_of(st.lists(part, max_size=2), junk),
        "part": st.one_of(part, junk),
        "unknown": junk,
    },
)


def outcome(schema: Schema, body: Any, **how: Any) -> Any:
    """What is read, or what is wrong."""
    try:
        read = schema.load(body, **how)
    except ValidationError as error:
        return "refused", error.messages
    return "read", list(read), read


@given(bodies, st.sampled_from([RAISE, EXCLUDE, INCLUDE]))
def test_bodies_are_read_as_by_marshmallow_itself(body: Any, unknown: str) -> None:
    assert outcome(ThingSchema(), body, unknown=unknown) == outcome(LongThingSchema(), body, unknown=unknown)


@given(st.one_of(st.lists(bodies, max_size=2), junk))
def test_several_bodies_and_what_is_none_are_read_as_by_marshmallow_itself(body: Any) -> None:
    for many in (True, False):
        assert outcome(ThingSchema(many=many), body) == outcome(LongThingSchema(many=many), body)


values = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([UUID(int=5), None]),
        "name": st.sampled_from(["Name", None]),
        "count": st.sampled_from([3, True, "4", None]),
        "ratio": st.sampled_from([3, 1.5, None]),
        "text": st.sampled_from([3, None]),
        "is_open": st.sampled_from([True, 0, None]),
        "at": st.sampled_from([datetime(2027, 2, 15, tzinfo=UTC), None]),
        "cost": st.sampled_from([Money(5, "EUR"), None]),
        "percent": st.sampled_from([Decimal("7.50"), None]),
        "parts": st.lists(st.fixed_dictionaries({"code": st.sampled_from(["a", None])}), max_size=2),
    },
)


@given(values)
def test_answers_are_written_as_by_marshmallow_itself(answer: Any) -> None:
    parts = [SimpleNamespace(**each) for each in answer.get("parts", ())]
    for shown in (answer, SimpleNamespace(**answer | {"parts": parts}), UserDict(answer), [answer], None):
        many = isinstance(shown, list)
        ours, theirs = ThingSchema(many=many).dump(shown), LongThingSchema(many=many).dump(shown)
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("value", [{"b": "Grüße ×", "a": [1, None, True, {"n": 1.5}]}, [], "text", None])
def test_answers_are_json_in_the_order_of_their_fields(value: Any) -> None:
    app = Flask("anything")
    app.json = AnswerJson(app)
    with app.app_context():
        response = app.json.response(value)
    assert response.mimetype == "application/json"
    assert list(json.loads(response.data) or ()) == list(value or ())
    assert json.loads(response.data) == value
