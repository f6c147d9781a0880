"""How a checkout is paid: what the page needs for it, the method, and the invoices one after the other."""

from __future__ import annotations

from typing import Any

from common.errors import ConflictError, DomainError, FieldError, InvalidError
from gateway.checkout_seal import Checkout
from gateway.checkout_state import Contents
from gateway.guest_calls import Guest


def payment_shown(guest: Guest, checkout: Checkout, contents: Contents) -> dict[str, Any]:
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
        return guest.post("payments", "/v1/payment-methods/setup", {"make_default": False}, checkout.key("method"))
    except DomainError as refusal:
        if refusal.code != "token_required":
            raise
        return None


def method_to_pay_with(guest: Guest, checkout: Checkout, contents: Contents, token: str | None, key: str) -> str:
    """The saved method to pay with. One for a single use unless a membership goes on being paid with it.

    Raises InvalidError ``payment_token_missing`` and ``payment_method_incomplete``.
    """
    if token is not None:
        goes_on = any(line.get("kind") == "membership" for row in contents.invoices for line in row.get("lines", ()))
        body = {"token": token, "make_default": False, "single_use": not goes_on}
        made = guest.post("payments", "/v1/payment-methods/setup", body, checkout.key(f"method:{key}"))
        return str(made["id"])
    method = _element(guest, checkout)
    if method is None:
        detail = "the sandbox pays with a token such as sandbox_ok"
        raise InvalidError("payment_token_missing", detail, errors=[FieldError("/token", detail)])
    path = f"/v1/payment-methods/{method['id']}/confirmation"
    confirmed = guest.post("payments", path, {}, checkout.key(f"confirmation:{key}"))
    if confirmed["state"] != "active":
        raise InvalidError("payment_method_incomplete", "finish entering the payment method first")
    return str(confirmed["id"])


def pay_invoices(guest: Guest, checkout: Checkout, contents: Contents, method_id: str, key: str) -> None:
    """Pay what is open, until a payment fails. Raises ConflictError while there is no invoice yet."""
    if not contents.open_invoices:
        raise ConflictError("not_ready", "the invoice is still being made; try again in a moment")
    for invoice in contents.open_invoices:
        path = f"/v1/invoices/{invoice['id']}/payments"
        made = guest.post("payments", path, {"payment_method_id": method_id}, checkout.key(f"pay:{key}"))
        if made["state"] == "failed":
            return
