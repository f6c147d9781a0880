"""Money that came for a void invoice goes back once, however often and in whatever order it is asked (GH-2, PAY-5)."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from payments_house import House, euro

from common.ids import decode_id, new_id
from common.money import Money
from contracts.invoicing import RefundRequested


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_is_asked_back_goes_back_once(house: House, order: tuple[int, ...]) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    first = RefundRequested(
        request_id=new_id(), invoice_id=decode_id("inv", invoice), amount=Money(400, "EUR"), reason="late", version=2
    )
    asked = [first, msgspec.structs.replace(first, amount=Money(1000, "EUR"), version=3), first]
    for place in order:
        house.tell(asked[place])
    house.run()
    (payment,) = house.payments(invoice)
    assert (payment["state"], payment["refunded"]) == ("refunded", euro(1000))


def test_no_more_goes_back_than_came(house: House) -> None:
    method = house.save_method("sandbox_ok")
    invoice = house.issue(1000, due="2027-02-19")
    house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
    request = RefundRequested(
        request_id=new_id(), invoice_id=decode_id("inv", invoice), amount=Money(5000, "EUR"), reason="late", version=2
    )
    house.tell(request)
    house.run()
    (payment,) = house.payments(invoice)
    assert payment["refunded"] == euro(1000)
