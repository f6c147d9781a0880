"""Buying on the storefront (GH-1, GH-2): the services' own use cases in a row, as the member that the guest is.

Who has signed in as a member buys as themselves: what members may, at their price, in the way that is set for members.

Nothing is kept here. All keys of the calls are made from the checkout, so a repeated request goes on where an earlier
one stopped, and the state is read from what the services keep under the checkout's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.errors import ConflictError, DomainError, FieldError, InvalidError, NotFoundError, UnavailableError
from common.ids import decode_id, encode_id
from gateway.checkout_payment import method_to_pay_with, pay_invoices, payment_shown
from gateway.checkout_seal import Checkout, CheckoutSeal
from gateway.checkout_state import AWAITING_PAYMENT, EXPIRED, Contents
from gateway.guest_calls import Guest, GuestCalls
from gateway.simulation import Clocks

# Refusals that say nothing about what is in the order.
_OF_ANOTHER_REQUEST = frozenset({"idempotency_key_reused", "idempotency_key_in_use"})
_ABOUT_EXTRAS = frozenset({"unknown_extra", "extra_quantity"})
PAY_NOW, APPROVAL = "pay_now", "approval"
Shop = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Buyer:
    """A member who has signed in, with their token."""

    member_id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: ``items`` and ``customer`` as in the request; no customer for who has signed in."""

    items: Sequence[Mapping[str, Any]]
    customer: Mapping[str, Any] | None
    promo_code: str | None
    key: str
    buyer: Buyer | None = None

    @property
    def audience(self) -> str:
        """Whose purchase flow holds."""
        return "member" if self.buyer else "guest"

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

        Raises InvalidError for what is not on sale, and whatever the services refuse (``slot_taken``, say): then
        nothing of the order stays booked.
        """
        _check_on_sale(shop, order)
        organization_id = decode_id("org", shop["organization"]["id"])
        guest, person = self._customer(organization_id, shop, order)
        checkout_id = self._seal.checkout_id(organization_id, person, order.key)
        checkout = Checkout(organization_id, guest.member_id, checkout_id, shop["organization"]["currency"])
        flow = shop["storefront"]["purchase_flow"][order.audience]
        contents = _contents(guest, checkout)
        _require_same_kinds(contents, order)
        if contents.is_withdrawn:
            raise ConflictError("checkout_refused", "this order was refused; please order anew")
        try:
            _place(guest, shop, order, flow, checkout, is_begun=bool(contents.bookings))
        except DomainError as refusal:
            if refusal.code not in _OF_ANOTHER_REQUEST and not isinstance(refusal, UnavailableError):
                guest.withdraw(organization_id, checkout_id)
            raise
        return self._show(slug, checkout, guest)

    def read(self, slug: str, public_id: str) -> dict[str, Any]:
        """Where a checkout stands. Raises NotFoundError."""
        checkout = self._seal.open(slug, public_id)
        return self._show(slug, checkout, self._guests.again(checkout.organization_id, checkout.member_id))

    def pay(
        self,
        slug: str,
        public_id: str,
        key: str,
        *,
        token: str | None = None,
        method_id: UUID | None = None,
        buyer: Buyer | None = None,
    ) -> dict[str, Any]:
        """Pay all that is to be paid: with a token, with what the provider's element or page has saved, or with a
        method that the member who bought has saved before (``method_id``, for that ``buyer`` alone).

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
            saved = _saved_method(checkout, method_id, buyer) if method_id else None
            method = saved or method_to_pay_with(guest, checkout, contents, token, key)
            pay_invoices(guest, checkout, contents, method, key)
        return self._show(slug, checkout, guest)

    def _customer(self, organization_id: UUID, shop: Shop, order: Order) -> tuple[Guest, str]:
        """Who buys, and what tells them from others. Raises InvalidError when nobody has said who they are."""
        if order.buyer is not None:
            return self._guests.signed_in(order.buyer.member_id, order.buyer.token), str(order.buyer.member_id)
        if order.customer is None:
            detail = "say who buys, or sign in"
            raise InvalidError("customer_missing", detail, errors=[FieldError("/customer", detail)])
        person = _person(shop, order, order.customer)
        return self._guests.receive(organization_id, person), str(person["email"])

    def _show(self, slug: str, checkout: Checkout, guest: Guest) -> dict[str, Any]:
        contents = _contents(guest, checkout)
        state = contents.state(self._now(checkout))
        waits = state == AWAITING_PAYMENT
        expires_at = contents.expires_at() if waits else None
        return {
            "id": self._seal.seal(slug, checkout),
            "state": state,
            "amount": {"amount_minor": contents.amount_minor(), "currency": checkout.currency},
            "payment": payment_shown(guest, checkout, contents) if waits else None,
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
    if order.plans and shop["storefront"]["purchase_flow"][order.audience] == APPROVAL:
        detail = "plans are sold on request here; please write to us"
        raise InvalidError("approval_needed", detail, errors=[FieldError("/items", detail)])


def _saved_method(checkout: Checkout, method_id: UUID, buyer: Buyer | None) -> str:
    if buyer is None or buyer.member_id != checkout.member_id:
        raise NotFoundError("payment_method_not_found", "there is no such payment method")
    return encode_id("pmt", method_id)


def _person(shop: Shop, order: Order, customer: Mapping[str, Any]) -> dict[str, Any]:
    places = {row["id"]: row["location_id"] for row in shop["resources"]}
    booked = [places[encode_id("res", item["resource_id"])] for item in order.bookings]
    only = [row["id"] for row in shop["locations"]] if len(shop["locations"]) == 1 else []
    home = (booked or only or [None])[0]
    told = {name: value for name, value in customer.items() if value is not None}
    return told | ({"location_id": home} if home else {})


def _require_same_kinds(contents: Contents, order: Order) -> None:
    """A repeated key must come with the same request; the services compare each part, this the whole."""
    if len(contents.bookings) > len(order.bookings):
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    if contents.invoices and not contents.bookings and not order.plans:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")


def _place(guest: Guest, shop: Shop, order: Order, flow: str, checkout: Checkout, *, is_begun: bool) -> None:
    """Book and buy item after item. Raises what the services refuse; what came before it is booked by then."""
    wishes = [{**_booking(item, flow, checkout), "as_member": order.buyer is not None} for item in order.bookings]
    # An extra that is not to be had is refused before anything is held.
    is_looked_at = len(order.items) > 1 or any("extras" in wish for wish in wishes)
    if is_looked_at and not is_begun:
        _require_bookable(guest, shop, order, checkout, wishes)
    promo_code = order.promo_code
    for number, wish in enumerate(wishes):
        is_last = number + 1 == len(wishes) and not order.plans
        if _book(guest, checkout, number, wish, promo_code, must_fit=is_last):
            promo_code = None
    if order.plans:
        _purchase(guest, shop, order, flow, checkout, promo_code)


def _require_bookable(guest: Guest, shop: Shop, order: Order, checkout: Checkout, wishes: Sequence[Row]) -> None:
    """Look at all before booking the first, so that hardly ever a booking is told of and then taken back."""
    path = "/v1/bookings/quote" if order.buyer else f"/v1/storefront/{shop['organization']['slug']}/quote"
    for number, wish in enumerate(wishes):
        asked = {name: wish[name] for name in ("resource_id", "start", "end", "extras") if name in wish}
        found = _quoted(guest, path, asked, number, checkout)
        for violation in found["violations"]:
            errors = [FieldError(f"/items/{number}{violation['pointer']}", violation["detail"])]
            raise InvalidError(violation["code"], violation["detail"], errors=errors)
        if found["conflicts"]:
            detail = "this time has been taken"
            raise ConflictError("slot_taken", detail, errors=[FieldError(f"/items/{number}/start", detail)])


def _quoted(guest: Guest, path: str, asked: Row, number: int, checkout: Checkout) -> Any:
    """The quote of an item; what booking says against its extras is told with a pointer to them."""
    try:
        return guest.post("booking", path, asked, checkout.key(f"quote:{number}"))
    except InvalidError as refusal:
        if refusal.code not in _ABOUT_EXTRAS:
            raise
        errors = [FieldError(f"/items/{number}/extras", refusal.detail)]
        raise InvalidError(refusal.code, refusal.detail, errors=errors) from refusal


def _booking(item: Mapping[str, Any], flow: str, checkout: Checkout) -> dict[str, Any]:
    extras = [{"code": extra["code"], "quantity": format(extra["quantity"], "f")} for extra in item.get("extras", ())]
    wish = {
        "resource_id": encode_id("res", item["resource_id"]),
        "start": item["start"].isoformat(),
        "end": item["end"].isoformat(),
        "payment": "now" if flow == PAY_NOW else "on_invoice",
        "asks_approval": flow == APPROVAL,
        "checkout_id": encode_id("chk", checkout.checkout_id),
    }
    return {**wish, "extras": extras} if extras else wish


def _book(
    guest: Guest, checkout: Checkout, number: int, wish: dict[str, Any], promo_code: str | None, *, must_fit: bool
) -> bool:
    """Book an item; whether the promo code went into its price. A code is used once, by the first item it fits."""
    key = checkout.key(f"booking:{number}")
    if promo_code is None:
        guest.post("booking", "/v1/bookings", wish, key)
        return False
    try:
        made = guest.post("booking", "/v1/bookings", {**wish, "promo_code": promo_code}, key)
        return made["promo_code"] is not None
    except InvalidError as refusal:
        if must_fit or refusal.code != "promo_code_not_applicable":
            raise
    guest.post("booking", "/v1/bookings", wish, checkout.key(f"booking:{number}:without"))
    return False


def _purchase(guest: Guest, shop: Shop, order: Order, flow: str, checkout: Checkout, promo_code: str | None) -> None:
    locations = [row["id"] for row in shop["locations"]]
    body = {
        "items": [_plan(item) for item in order.plans],
        "promo_code": promo_code,
        "location_id": locations[0] if len(locations) == 1 else None,
        "checkout_id": encode_id("chk", checkout.checkout_id),
    }
    if flow == PAY_NOW:
        try:
            guest.post("invoicing", "/v1/purchases", {**body, "pay": "now"}, checkout.key("purchase"))
            return
        except InvalidError as refusal:
            # A trial: nothing is to be paid yet, so it is bought on invoice.
            if refusal.code != "nothing_to_invoice":
                raise
    guest.post("invoicing", "/v1/purchases", {**body, "pay": "on_invoice"}, checkout.key("purchase:later"))


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
