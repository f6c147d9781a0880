"""Pay Now that failed, seen by whoever paid, uses up no step of automatic collection (PAY-1, PAY-2)."""

from __future__ import annotations

from payments_house import House


def pay_now(house: House, invoice: str, method: str, times: int = 1) -> None:
    """Somebody tries to pay by themselves, in vain."""
    for _ in range(times):
        made = house.owner.post(f"/v1/invoices/{invoice}/payments", {"payment_method_id": method})
        assert (made.status_code, made.json["state"]) == (201, "failed"), made.json


def automatic(house: House, invoice: str) -> list[str]:
    """The days of the automatic attempts."""
    return [made["created_at"][:10] for made in house.payments(invoice) if made["source"] == "automatic"]


LADDER = ["2027-02-19", "2027-02-20", "2027-02-23", "2027-02-28", "2027-03-07"]


def test_pay_2_failed_pay_now_before_the_due_date_leaves_the_whole_ladder(house: House) -> None:
    method = house.save_method("sandbox_insufficient_funds")
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    pay_now(house, invoice, method, times=6)
    house.advance("2027-04-01T12:00:00Z")
    assert automatic(house, invoice) == LADDER


def test_pay_2_failed_pay_now_in_between_leaves_the_ladder_and_the_giving_up_is_told(house: House) -> None:
    method = house.save_method("sandbox_insufficient_funds")
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    for day in ("2027-02-19", "2027-02-21", "2027-03-01"):
        house.advance(f"{day}T12:00:00Z")
        pay_now(house, invoice, method, times=2)
    house.advance("2027-04-01T12:00:00Z")
    assert automatic(house, invoice) == LADDER
    last = house.messages("payment-failed")[-1]
    assert (last["source"], last["next_attempt_at"]) == ("automatic", None)


def test_pay_2_a_lost_card_tried_by_pay_now_does_not_stop_the_one_that_collects(house: House) -> None:
    house.save_method("sandbox_insufficient_funds")
    lost = house.save_method("sandbox_lost_card", make_default=False)
    house.switch_on()
    invoice = house.issue(4500, due="2027-02-19")
    house.advance("2027-02-19T12:00:00Z")
    pay_now(house, invoice, lost)
    house.advance("2027-04-01T12:00:00Z")
    assert automatic(house, invoice) == LADDER
