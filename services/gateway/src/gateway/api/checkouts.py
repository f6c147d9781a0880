"""``/v1/storefront/{slug}/checkouts``: guests buy, pay and see how it went (GH-1, GH-2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from flask import Response, current_app, g, jsonify
from marshmallow import ValidationError, fields, validate, validates_schema

from common.auth import Principal, public
from common.errors import BadRequestError, NotFoundError
from common.http import Blueprint, Id, Instant, MoneyField, Quantity, StrictSchema, Text, idempotent
from common.http.idempotency import idempotency_key
from common.http.schemas import CivilDate, example_id
from common.ids import decode_id
from gateway.api.callers import caller_headers
from gateway.api.request_keys import remembered
from gateway.api.storefront import read_catalogue
from gateway.checkouts import Buyer, Checkouts, Order

blueprint = Blueprint("checkouts", __name__, description="Buying on the public page")
_STATES = ("awaiting_payment", "processing", "awaiting_approval", "confirmed", "expired", "failed")
_OF_KIND = {"booking": {"resource_id", "start", "end", "extras"}, "plan": {"plan_id", "quantity", "start_date"}}
_NEEDED = {"booking": ("resource_id", "start", "end"), "plan": ("plan_id",)}


class CheckoutExtraSchema(StrictSchema):
    """So many of an extra that the room's rates offer (PRI-5)."""

    code = Text(required=True, longest=60, metadata={"example": "projector"})
    quantity = Quantity(least="0.000001", most="10000", load_default=Decimal(1))


class CheckoutItemSchema(StrictSchema):
    """A time to be booked, perhaps with extras, or a plan or pass."""

    kind = fields.String(required=True, validate=validate.OneOf(sorted(_OF_KIND)))
    resource_id = Id("res")
    start = Instant()
    end = Instant()
    extras = fields.List(
        fields.Nested(CheckoutExtraSchema),
        validate=validate.Length(max=50),
        metadata={"description": "What is booked along with the time; plans and passes have none"},
    )
    plan_id = Id("pln")
    quantity = Quantity(least="1", most="1000", places=0)
    start_date = CivilDate()

    @validates_schema
    def check_kind(self, data: dict[str, Any], **_kwargs: Any) -> None:
        for name in _NEEDED[data["kind"]]:
            if name not in data:
                raise ValidationError("Missing data for required field.", name)
        if foreign := sorted(data.keys() - _OF_KIND[data["kind"]] - {"kind"}):
            raise ValidationError(f"Does not belong to a {data['kind']}.", foreign[0])
        if data["kind"] == "booking" and data["end"] <= data["start"]:
            raise ValidationError("The end must be after the start.", "end")


class CustomerSchema(StrictSchema):
    """Who buys. An address that is known stays with its owner: nothing about them is shown or changed."""

    name = Text(required=True)
    email = fields.Email(required=True, validate=validate.Length(max=254))
    company = Text(allow_none=True)


class CheckoutInSchema(StrictSchema):
    """What a guest buys."""

    EXAMPLE = {
        "items": [
            {
                "kind": "booking",
                "resource_id": example_id("res"),
                "start": "2027-02-15T09:00:00+01:00",
                "end": "2027-02-15T12:00:00+01:00",
            }
        ],
        "customer": {"name": "Example Guest", "email": "guest@example.com"},
    }

    items = fields.List(fields.Nested(CheckoutItemSchema), required=True, validate=validate.Length(1, 10))
    customer = fields.Nested(
        CustomerSchema,
        metadata={"description": "Needed unless a member of the organisation has signed in, who then buys"},
    )
    promo_code = Text(longest=50, allow_none=True, load_default=None)


class CheckoutPaymentInSchema(StrictSchema):
    """How it is paid: the sandbox's token, or nothing once the provider's element or page is done.

    Members who have signed in may pay with a method that they saved before.
    """

    EXAMPLE = {"token": "sandbox_ok"}

    token = Text(metadata={"example": "sandbox_ok"})
    payment_method_id = Id("pmt")

    @validates_schema
    def check_one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "token" in data and "payment_method_id" in data:
            raise ValidationError("Either token or payment_method_id.", "payment_method_id")


class CheckoutPaymentSchema(StrictSchema):
    """What the page needs to take the payment: the element's secret, or a page to go to."""

    provider = fields.String(metadata={"example": "sandbox"})
    client_secret = fields.String(allow_none=True)
    publishable_key = fields.String(allow_none=True)
    url = fields.String(allow_none=True)


class CheckoutSchema(StrictSchema):
    """A checkout; whoever knows its id may see and pay it."""

    id = fields.String(metadata={"example": "chk_5f3a…"})
    state = fields.String(validate=validate.OneOf(_STATES))
    amount = MoneyField()
    payment = fields.Nested(CheckoutPaymentSchema, allow_none=True)
    expires_at = Instant(allow_none=True)
    failure_code = fields.String(allow_none=True, metadata={"example": "generic_decline"})


@blueprint.route("/v1/storefront/<slug>/checkouts", methods=["POST"])
@public
@idempotent(required=True, by_effect=True)
@blueprint.arguments(CheckoutInSchema)
@blueprint.response(201, CheckoutSchema)
@remembered
def begin_checkout(body: dict[str, Any], slug: str) -> Response:
    """Hold and invoice what a guest or a member wants; what costs nothing is confirmed at once."""
    key = idempotency_key()
    if key is None:
        raise BadRequestError("idempotency_key_missing", "this request needs an Idempotency-Key header")
    _, shop = read_catalogue(slug, as_caller=False)
    if shop is None:
        raise NotFoundError("storefront_not_found", "there is no such storefront")
    items = [{"quantity": Decimal(1), **item} for item in body["items"]]
    order = Order(items, body.get("customer"), body["promo_code"], key, _buyer(shop["organization"]["id"]))
    return _answer(_checkouts().begin(slug, shop, order), 201)


@blueprint.route("/v1/storefront/<slug>/checkouts/<checkout_id>", methods=["GET"])
@public
@blueprint.response(200, CheckoutSchema)
def read_checkout(slug: str, checkout_id: str) -> Response:
    """Show where a checkout stands."""
    return _answer(_checkouts().read(slug, checkout_id))


@blueprint.route("/v1/storefront/<slug>/checkouts/<checkout_id>/payment", methods=["POST"])
@public
@idempotent(by_effect=True)
@blueprint.arguments(CheckoutPaymentInSchema)
@blueprint.response(200, CheckoutSchema)
@remembered
def pay_checkout(body: dict[str, Any], slug: str, checkout_id: str) -> Response:
    """Pay; a declined card leaves the checkout awaiting payment, with a `failure_code`."""
    key = idempotency_key() or uuid4().hex
    told: dict[str, Any] = {"token": body.get("token"), "method_id": body.get("payment_method_id"), "buyer": _buyer()}
    return _answer(_checkouts().pay(slug, checkout_id, key, **told))


def _buyer(organization_id: str | None = None) -> Buyer | None:
    """The member who has signed in, at this organisation if one is named; staff and others buy as guests."""
    principal: Principal | None = g.get("principal")
    if principal is None or principal.is_staff or principal.member_id is None:
        return None
    if organization_id is not None and principal.organization_id != decode_id("org", organization_id):
        return None
    return Buyer(principal.member_id, caller_headers()["authorization"].removeprefix("Bearer "))


def _answer(shown: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(shown)
    response.status_code = status
    return response


def _checkouts() -> Checkouts:
    found: Checkouts = current_app.extensions["checkouts"]
    return found
