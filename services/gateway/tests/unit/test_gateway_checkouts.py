"""Ids of checkouts that nobody can make, and the state that follows from what the services keep (GH-1, GH-2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from common.errors import NotFoundError
from gateway.checkout_seal import Checkout, CheckoutSeal
from gateway.checkout_state import Contents

NOW = datetime(2027, 2, 1, 8, 5, tzinfo=UTC)
LATER = datetime(2027, 2, 1, 8, 10, tzinfo=UTC)


def euro(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "EUR"}


def booking(status: str, **more: Any) -> dict[str, Any]:
    known = {"status": status, "payment": "now", "price": euro(4500), "cancel_reason": None}
    return {**known, "hold_expires_at": "2027-02-01T08:10:00Z", **more}


def invoice(state: str, payable: int = 4500) -> dict[str, Any]:
    amounts = {"total": euro(4500), "payable": euro(payable)}
    return {"id": "inv_1", "state": state, "issued_at": "2027-02-01T08:00:00Z", **amounts}


def payment(state: str, failure_code: str | None = None) -> dict[str, Any]:
    action = {"url": "https://bank.example", "client_secret": None} if state == "action_required" else None
    return {"state": state, "failure_code": failure_code, "action": action}


def test_a_sealed_id_opens_under_its_own_storefront_only() -> None:
    seal, checkout = CheckoutSeal("secret"), Checkout(uuid4(), uuid4(), uuid4(), "EUR")
    sealed = seal.seal("harbour", checkout)
    assert seal.open("harbour", sealed) == checkout
    assert seal.seal("harbour", checkout) == sealed
    assert checkout.member_id.hex not in sealed, "whether an address is known must not show"
    for slug, text, other in (
        ("elsewhere", sealed, seal),
        ("harbour", sealed, CheckoutSeal("another secret")),
        ("harbour", sealed[:-2] + ("00" if sealed[-2:] != "00" else "11"), seal),
        ("harbour", f"chk_{checkout.checkout_id.hex}", seal),
        ("harbour", "chk_", seal),
        ("harbour", "chk_é", seal),
    ):
        with pytest.raises(NotFoundError):
            other.open(slug, text)


def test_a_checkouts_own_id_follows_from_key_address_and_secret() -> None:
    organization_id, seal = uuid4(), CheckoutSeal("secret")
    first = seal.checkout_id(organization_id, "Guest@Example.com", "key")
    assert seal.checkout_id(organization_id, "guest@example.com", "key") == first
    others = {
        seal.checkout_id(organization_id, "guest@example.com", "other key"),
        seal.checkout_id(organization_id, "other@example.com", "key"),
        seal.checkout_id(uuid4(), "guest@example.com", "key"),
        CheckoutSeal("another secret").checkout_id(organization_id, "guest@example.com", "key"),
    }
    assert first not in others
    assert len(others) == 4


@pytest.mark.parametrize(
    ("contents", "now", "state"),
    [
        (Contents([booking("held")], [], []), NOW, "awaiting_payment"),
        (Contents([booking("held")], [invoice("open")], []), NOW, "awaiting_payment"),
        (Contents([booking("held")], [invoice("open")], [payment("failed", "lost_card")]), NOW, "awaiting_payment"),
        (Contents([booking("held")], [invoice("open")], [payment("pending")]), NOW, "processing"),
        (Contents([booking("held")], [invoice("paid", 0)], [payment("succeeded")]), NOW, "processing"),
        (Contents([booking("confirmed")], [invoice("paid", 0)], [payment("succeeded")]), NOW, "confirmed"),
        (Contents([booking("tentative")], [invoice("paid", 0)], [payment("succeeded")]), NOW, "awaiting_approval"),
        (Contents([booking("expired")], [invoice("void")], []), LATER, "expired"),
        (Contents([booking("expired", cancel_reason="paid_too_late")], [invoice("paid", 0)], []), LATER, "failed"),
        (Contents([booking("rejected")], [], []), NOW, "failed"),
        (Contents([], [invoice("open")], []), NOW, "awaiting_payment"),
        (Contents([], [invoice("open")], []), LATER, "expired"),
        (Contents([], [invoice("void")], []), LATER, "expired"),
        (Contents([], [invoice("paid", 0)], []), LATER, "confirmed"),
        (Contents([], [], []), NOW, "confirmed"),
    ],
)
def test_the_state_follows_from_bookings_invoices_and_payments(contents: Contents, now: datetime, state: str) -> None:
    """GH-2."""
    assert contents.state(now) == state


def test_amount_expiry_failure_and_action_are_those_of_the_parts() -> None:
    waiting = Contents([booking("held")], [], [payment("action_required"), payment("failed", "lost_card")])
    assert (waiting.amount_minor(), waiting.expires_at(), waiting.failure_code()) == (4500, LATER, None)
    assert waiting.action() == {"url": "https://bank.example", "client_secret": None}
    bought = Contents([], [invoice("open")], [payment("failed", "lost_card")])
    assert (bought.amount_minor(), bought.expires_at(), bought.failure_code()) == (4500, LATER, "lost_card")
    assert Contents([booking("confirmed", payment="on_invoice")], [], []).amount_minor() == 4500
