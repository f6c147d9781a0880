"""Guests buy on the storefront (GH-1, GH-2): the services' own use cases in a row, as the member that the guest is.

Nothing is kept here. All keys of the calls are made from the checkout, so a repeated request goes on where an earlier
one stopped, and the state is read from what the services keep under the checkout's id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import ConflictError, DomainError, FieldError, InvalidError
from common.ids import decode_id, encode_id
from gateway.checkout_seal import Checkout, CheckoutSeal
from gateway.checkout_state import AWAITING_PAYMENT, EXPIRED, Contents
from gateway.guest_calls import Guest, GuestCalls
from gateway.simulation import Clocks

PAY_NOW, APPROVAL = "pay_now", "approval"
Shop = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What a guest asks for: ``items`` and ``customer`` as in the request."""

    items: Sequence[Mapping[str, Any]]
    customer: Mapping[str, Any]
    promo_code: str | None
    key: str

    @property
    def bookings(self) -> list[Mapping[str, Any]]:
        """The times to be booked."""
        return [item for item in self.items if item["kind"] == "booking"]

    @property
    def plans(self) -> list[Mapping[str, Any]]:
        """The plans and passes to be bought."""
        return [item for item in self.items if item["kind"] == "plan"]


class Checkouts:
    """The use cases of checkouts; each answers with the checkout's present state as JSON."""

    def __init__(self, guests: GuestCalls, seal: CheckoutSeal, clocks: Clocks) -> None:
        self._guests, self._seal, self._clocks = guests, seal, clocks

    def begin(self, slug: str, shop: Shop, order: Order) -> dict[str, Any]:
        """Hold what is booked, invoice what is bought; ``shop`` is the public catalogue.

        Raises InvalidError for what is not on sale, and whatever the services refuse (``slot_taken``, say).
        """
        _check_on_sale(shop, order)
        organization_id = decode_id("org", shop["organization"]["id"])
        guest = self._guests.receive(organization_id, _person(shop, order))
        checkout_id = self._seal.checkout_id(organization_id, order.customer["email"], order.key)
        checkout = Checkout(organization_id, guest.member_id, checkout_id, shop["organization"]["currency"])
        flow = shop["storefront"]["purchase_flow"]["guest"]
        _require_same_kinds(_contents(guest, checkout), order)
        for number, item in enumerate(order.bookings):
            guest.post("booking", "/v1/bookings", _booking(item, flow, checkout), _key(checkout, f"booking:{number}"))
        if order.plans:
            _purchase(guest, shop, order, flow, checkout)
        return self._show(slug, checkout, guest)

    def read(self, slug: str, public_id: str) -> dict[str, Any]:
        """Where a checkout stands. Raises NotFoundError."""
        checkout = self._seal.open(slug, public_id)
        return self._show(slug, checkout, self._guests.again(checkout.organization_id, checkout.member_id))

    def pay(self, slug: str, public_id: str, token: str | None, key: str) -> dict[str, Any]:
        """Pay all that is to be paid, with a token or with what the provider's element or page has saved.

        A declined card is no error: the checkout still awaits payment and has a ``failure_code``. Raises NotFoundError,
        ConflictError ``checkout_expired``, InvalidError ``payment_token_missing`` and ``payment_method_incomplete``.
        """
        checkout = self._seal.open(slug, public_id)
        guest = self._guests.again(checkout.organization_id, checkout.member_id)
        contents = _contents(guest, checkout)
        state = contents.state(self._now(checkout))
        if state == EXPIRED:
            raise ConflictError("checkout_expired", "the time to pay is over; please choose anew")
        if state == AWAITING_PAYMENT:
            method_id = _method(guest, checkout, contents, token, key)
            _pay_invoices(guest, checkout, contents, method_id, key)
        return self._show(slug, checkout, guest)

    def _show(self, slug: str, checkout: Checkout, guest: Guest) -> dict[str, Any]:
        contents = _contents(guest, checkout)
        state = contents.state(self._now(checkout))
        waits = state == AWAITING_PAYMENT
        expires_at = contents.expires_at() if waits else None
        return {
            "id": self._seal.seal(slug, checkout),
            "state": state,
            "amount": {"amount_minor": contents.amount_minor(), "currency": checkout.currency},
            "payment": _payment(guest, checkout, contents) if waits else None,
            "expires_at": expires_at.isoformat().replace("+00:00", "Z") if expires_at else None,
            "failure_code": contents.failure_code() if state in {AWAITING_PAYMENT, EXPIRED} else None,
        }

    def _now(self, checkout: Checkout) -> datetime:
        return self._clocks.read(str(checkout.organization_id)).now


def _check_on_sale(shop: Shop, order: Order) -> None:
    """Only what the public catalogue shows can be bought here."""
    shown = {"resource_id": {row["id"] for row in shop["resources"]}, "plan_id": {row["id"] for row in shop["plans"]}}
    for number, item in enumerate(order.items):
        name = "resource_id" if item["kind"] == "booking" else "plan_id"
        if encode_id("res" if name == "resource_id" else "pln", item[name]) not in shown[name]:
            what = name.removesuffix("_id")
            detail = f"there is no such {what} on this storefront"
            raise InvalidError(f"unknown_{what}", detail, errors=[FieldError(f"/items/{number}/{name}", detail)])
    if order.promo_code is not None and not order.plans:
        detail = "promo codes are for plans and passes"
        raise InvalidError("promo_code_not_applicable", detail, errors=[FieldError("/promo_code", detail)])
    if order.plans and shop["storefront"]["purchase_flow"]["guest"] == APPROVAL:
        detail = "plans are sold on request here; please write to us"
        raise InvalidError("approval_needed", detail, errors=[FieldError("/items", detail)])


def _person(shop: Shop, order: Order) -> dict[str, Any]:
    places = {row["id"]: row["location_id"] for row in shop["resources"]}
    booked = [places[encode_id("res", item["resource_id"])] for item in order.bookings]
    only = [row["id"] for row in shop["locations"]] if len(shop["locations"]) == 1 else []
    home = (booked or only or [None])[0]
    told = {name: value for name, value in order.customer.items() if value is not None}
    return told | ({"location_id": home} if home else {})


def _require_same_kinds(contents: Contents, order: Order) -> None:
    """A repeated key must come with the same request; the services compare each part, this the whole."""
    if len(contents.bookings) > len(order.bookings):
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    if contents.invoices and not contents.bookings and not order.plans:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")


def _booking(item: Mapping[str, Any], flow: str, checkout: Checkout) -> dict[str, Any]:
    return {
        "resource_id": encode_id("res", item["resource_id"]),
        "start": item["start"].isoformat(),
        "end": item["end"].isoformat(),
        "payment": "now" if flow == PAY_NOW else "on_invoice",
        "asks_approval": flow == APPROVAL,
        "checkout_id": encode_id("chk", checkout.checkout_id),
    }


def _purchase(guest: Guest, shop: Shop, order: Order, flow: str, checkout: Checkout) -> None:
    locations = [row["id"] for row in shop["locations"]]
    body = {
        "items": [_plan(item) for item in order.plans],
        "promo_code": order.promo_code,
        "location_id": locations[0] if len(locations) == 1 else None,
        "checkout_id": encode_id("chk", checkout.checkout_id),
    }
    if flow == PAY_NOW:
        try:
            guest.post("invoicing", "/v1/purchases", {**body, "pay": "now"}, _key(checkout, "purchase"))
            return
        except InvalidError as refusal:
            # A trial: nothing is to be paid yet, so it is bought on invoice.
            if refusal.code != "nothing_to_invoice":
                raise
    guest.post("invoicing", "/v1/purchases", {**body, "pay": "on_invoice"}, _key(checkout, "purchase:later"))


def _plan(item: Mapping[str, Any]) -> dict[str, Any]:
    start = item.get("start_date")
    return {
        "plan_id": encode_id("pln", item["plan_id"]),
        "quantity": format(item["quantity"], "f"),
        "start_date": start.isoformat() if start else None,
    }


def _contents(guest: Guest, checkout: Checkout) -> Contents:
    mine = f"checkout_id={encode_id('chk', checkout.checkout_id)}&limit=50"
    return Contents(
        guest.get("booking", f"/v1/bookings?{mine}")["items"],
        guest.get("invoicing", f"/v1/invoices?{mine}")["items"],
        guest.get("payments", f"/v1/payments?{mine}")["items"],
    )


def _payment(guest: Guest, checkout: Checkout, contents: Contents) -> dict[str, Any]:
    """What the guest's page needs to take the payment: a provider's element or page, or the sandbox's tokens."""
    action = contents.action()
    if action is not None:
        provider = contents.payments[0]["provider"]
        return {"provider": provider, "publishable_key": None, **action}
    setup = _element(guest, checkout)
    if setup is None:
        return {"provider": "sandbox", "client_secret": None, "publishable_key": None, "url": None}
    return setup["setup"] or {
        "provider": setup["provider"],
        "client_secret": None,
        "publishable_key": None,
        "url": None,
    }


def _element(guest: Guest, checkout: Checkout) -> Any:
    """The method that is entered in the provider's element or on its page; None for the sandbox, which takes tokens."""
    try:
        return guest.post("payments", "/v1/payment-methods/setup", {"make_default": False}, _key(checkout, "method"))
    except DomainError as refusal:
        if refusal.code != "token_required":
            raise
        return None


def _method(guest: Guest, checkout: Checkout, contents: Contents, token: str | None, key: str) -> str:
    """The saved method to pay with. One for a single use unless a membership goes on being paid with it."""
    if token is not None:
        goes_on = any(line.get("kind") == "membership" for row in contents.invoices for line in row.get("lines", ()))
        body = {"token": token, "make_default": False, "single_use": not goes_on}
        made = guest.post("payments", "/v1/payment-methods/setup", body, _key(checkout, f"method:{key}"))
        return str(made["id"])
    method = _element(guest, checkout)
    if method is None:
        detail = "the sandbox pays with a token such as sandbox_ok"
        raise InvalidError("payment_token_missing", detail, errors=[FieldError("/token", detail)])
    path = f"/v1/payment-methods/{method['id']}/confirmation"
    confirmed = guest.post("payments", path, {}, _key(checkout, f"confirmation:{key}"))
    if confirmed["state"] != "active":
        raise InvalidError("payment_method_incomplete", "finish entering the payment method first")
    return str(confirmed["id"])


def _pay_invoices(guest: Guest, checkout: Checkout, contents: Contents, method_id: str, key: str) -> None:
    if not contents.open_invoices:
        raise ConflictError("not_ready", "the invoice is still being made; try again in a moment")
    for invoice in contents.open_invoices:
        path = f"/v1/invoices/{invoice['id']}/payments"
        made = guest.post("payments", path, {"payment_method_id": method_id}, _key(checkout, f"pay:{key}"))
        if made["state"] == "failed":
            return


def _key(checkout: Checkout, part: str) -> str:
    return hashlib.sha256(f"{checkout.checkout_id.hex}:{part}".encode()).hexdigest()
