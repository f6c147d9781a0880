"""An order that was refused gives back what had been booked of it (GH-1); only the gateway may ask for that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from common.ids import decode_id, encode_id, new_id
from common.testing.plugin import INTERNAL_TOKEN

START, END = "2027-02-15T09:00:00+01:00", "2027-02-15T12:00:00+01:00"
PATH = "/internal/checkouts/withdrawal"


def test_what_a_checkout_booked_is_taken_back_with_its_credits_and_nothing_else(room: Any) -> None:
    room.house.credits(room.member_id, "3")
    client, checkout = room.house.member_user(room.member_id), new_id()
    body = room.body(START, END, checkout_id=encode_id("chk", checkout), as_member=True)
    booked = client.post("/v1/bookings", body).json
    other = client.post("/v1/bookings", room.body("2027-02-16T09:00:00+01:00", "2027-02-16T10:00:00+01:00")).json
    assert (booked["status"], booked["credits_used"]) == ("confirmed", "3")
    asked = {"member_id": str(room.member_id), "checkout_id": str(checkout)}
    asked["organization_id"] = str(room.house.organization_id)
    assert client.post(PATH, asked).status_code == 404, "nobody else sees that there is such a path"
    answer = client.post(PATH, asked, headers={"Deskledger-Internal-Token": INTERNAL_TOKEN})
    assert answer.status_code == 200, answer.json
    shown = client.get(f"/v1/bookings/{booked['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("cancelled", "checkout_refused")
    assert client.get(f"/v1/bookings/{other['id']}").json["status"] == "confirmed"
    (grant,) = client.get(f"/v1/credits?member_id={encode_id('mem', room.member_id)}").json["items"]
    assert Decimal(grant["available"]) == 3
    (told,) = [row for row in room.house.published() if row.get("status") == "cancelled"]
    assert told["booking_id"] == str(decode_id("bkg", booked["id"]))
