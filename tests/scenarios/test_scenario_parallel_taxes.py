"""A room under two parallel taxes: what is quoted is charged and invoiced, each tax rounded alone (TAX-2, PRI-1)."""

from __future__ import annotations

import pytest
from client import GatewayClient
from story import booking_body, euro, furnish, invoices, payments

pytestmark = pytest.mark.timeout(240)

GST = {"name": "GST", "percent": "5", "category": "S"}
QST = {"name": "QST", "percent": "9.975", "category": "S"}


@pytest.mark.parametrize(
    ("included", "total", "rows"),
    [(True, 4500, [("GST", 3914, 196), ("QST", 3914, 390)]), (False, 5174, [("GST", 4500, 225), ("QST", 4500, 449)])],
)
def test_what_is_quoted_with_two_taxes_is_charged_and_invoiced(
    client: GatewayClient, included: bool, total: int, rows: list[tuple[str, int, int]]
) -> None:
    house = furnish(client)
    (rate,) = house.api.get("/v1/resource-rates")["items"]
    taxed = {"taxes": [GST, QST], "prices_include_tax": included}
    assert house.api.patch(f"/v1/resource-rates/{rate['id']}", taxed)["tax_percent"] == "14.975"
    house.api.advance("2027-02-01T09:00:00Z")
    quote = house.api.post("/v1/bookings/quote", booking_body(house), status=200)
    assert (quote["total"], quote["taxes"], quote["prices_include_tax"]) == (euro(4500), [GST, QST], included)
    booking = house.api.post("/v1/bookings", {**booking_body(house), "payment": "now"})
    assert (booking["price"], booking["taxes"]) == (quote["total"], quote["taxes"])
    house.api.advance("2027-02-02T09:00:00Z")
    (invoice,) = invoices(house)
    table = invoice["tax_breakdown"]
    assert [(row["name"], row["taxable"]["amount_minor"], row["tax"]["amount_minor"]) for row in table] == rows
    assert (invoice["total"], invoice["payment_state"]) == (euro(total), "paid")
    assert invoice["total" if included else "subtotal"] == quote["total"]
    assert [payment["amount"] for payment in payments(house, invoice)] == [euro(total)]
    assert house.api.get(f"/v1/bookings/{booking['id']}")["status"] == "confirmed"
