"""Strangers on the storefront over HTTP: rooms and passes, paid, declined, abandoned (GH-1, GH-2, GH-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from client import Answer, GatewayClient
from footings import Footing
from story import House, euro, furnish

pytestmark = pytest.mark.timeout(240)
START, END = "2027-02-15T09:00:00+01:00", "2027-02-15T12:00:00+01:00"


@dataclass
class Shop:
    """An open storefront, its owner's client, and a stranger's."""

    house: House
    stranger: GatewayClient
    path: str
    day_pass: str

    def begin(
        self, items: list[dict[str, Any]], key: str = "", email: str = "guest@example.com", **more: Any
    ) -> Answer:
        """POST /checkouts."""
        body = {"items": items, "customer": {"name": "Example Guest", "email": email}, **more}
        return self.stranger.send("POST", f"{self.path}/checkouts", body, {"Idempotency-Key": key} if key else None)

    def checkout(self, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """A checkout that must be made."""
        answer = self.begin(items, **more)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def pay(self, checkout: dict[str, Any], token: str) -> dict[str, Any]:
        """POST /payment that must be answered."""
        path = f"{self.path}/checkouts/{checkout['id']}"
        return dict(self.stranger.post(f"{path}/payment", {"token": token}, status=200))

    def read(self, checkout: dict[str, Any]) -> dict[str, Any]:
        """GET the checkout."""
        return dict(self.stranger.get(f"{self.path}/checkouts/{checkout['id']}"))

    def room(self, start: str = START, end: str = END, **more: Any) -> dict[str, Any]:
        """The Blue Room as an item."""
        return {"kind": "booking", "resource_id": self.house.resource, "start": start, "end": end, **more}

    def sell_coffee(self) -> None:
        """The Blue Room's rate has an extra."""
        (rate,) = self.house.api.get("/v1/resource-rates")["items"]
        coffee = {"code": "coffee", "name": "Coffee", "price": euro(450)}
        self.house.api.patch(f"/v1/resource-rates/{rate['id']}", {"extras": [coffee]})

    def member(self, email: str) -> dict[str, Any]:
        """The only member with an address."""
        (found,) = [m for m in self.house.api.get("/v1/members?limit=200")["items"] if m["email"] == email]
        return dict(found)

    def is_free(self) -> bool:
        """Whether a stranger would get the room."""
        body = {"resource_id": self.house.resource, "start": START, "end": END}
        return bool(self.stranger.post(f"{self.path}/quote", body, status=200)["available"])


@pytest.fixture
def shop(alone: Footing) -> Shop:
    """A furnished house whose storefront is open, with a day pass on sale."""
    house = furnish(GatewayClient(alone.origin))
    house.api.patch(f"/v1/resources/{house.resource}", {"visibility": "public"})
    house.api.patch("/v1/storefront-settings", {"published": True})
    terms = {"name": "Day pass", "kind": "one_off", "price": euro(2500), "passes": 1}
    day_pass = house.api.post("/v1/plans", terms)["id"]
    path = f"/v1/storefront/{house.organization['slug']}"
    return Shop(house, GatewayClient(alone.origin), path, day_pass)


def test_a_stranger_buys_a_room_and_gets_a_paid_invoice_and_a_receipt(shop: Shop) -> None:
    """GH-1, GH-2."""
    made = shop.checkout([shop.room()], key="one")
    assert (made["state"], made["amount"]) == ("awaiting_payment", euro(4500))
    assert made["payment"]["provider"] == "sandbox"
    assert made["expires_at"] == "2027-02-01T08:10:00Z"
    assert not shop.is_free()
    assert shop.checkout([shop.room()], key="one") == made, "the same key goes on where it stopped"
    paid = shop.pay(made, "sandbox_ok")
    assert (paid["state"], paid["payment"], paid["failure_code"]) == ("confirmed", None, None), paid
    assert shop.read(made) == paid
    guest = shop.member("guest@example.com")["id"]
    (booking,) = shop.house.api.get(f"/v1/bookings?member_id={guest}")["items"]
    (invoice,) = shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]
    (payment,) = shop.house.api.get(f"/v1/payments?member_id={guest}")["items"]
    assert (booking["status"], invoice["state"], invoice["total"]) == ("confirmed", "paid", euro(4500))
    assert (payment["state"], payment["source"], payment["amount"]) == ("succeeded", "checkout", euro(4500))
    told = shop.house.api.get(f"/v1/notifications?member_id={guest}&limit=200")["items"]
    assert "receipt" in {notification["template"] for notification in told}
    assert shop.house.api.get(f"/v1/payment-methods?member_id={guest}")["items"] == []


def test_a_stranger_books_a_room_with_two_coffees_and_pays_what_was_shown(shop: Shop) -> None:
    """GH-1, PRI-5: shown, held, charged and invoiced are one amount."""
    shop.sell_coffee()
    (shown,) = shop.stranger.get(shop.path)["resources"]
    assert [extra["code"] for rate in shown["rates"] for extra in rate["extras"]] == ["coffee"]
    extras = [{"code": "coffee", "quantity": "2"}]
    asked = {"resource_id": shop.house.resource, "start": START, "end": END, "extras": extras}
    quoted = shop.stranger.post(f"{shop.path}/quote", asked, status=200)
    assert quoted["total"] == euro(4500 + 900)
    made = shop.checkout([shop.room(extras=extras)], key="coffee")
    assert (made["state"], made["amount"]) == ("awaiting_payment", quoted["total"])
    assert shop.checkout([shop.room(extras=extras)], key="coffee") == made
    for other in ([], [{"code": "coffee", "quantity": "3"}]):
        reused = shop.begin([shop.room(extras=other)], key="coffee")
        assert (reused.status, reused.json["code"]) == (422, "idempotency_key_reused")
    assert shop.pay(made, "sandbox_ok")["state"] == "confirmed"
    guest = shop.member("guest@example.com")["id"]
    (booking,) = shop.house.api.get(f"/v1/bookings?member_id={guest}")["items"]
    assert (booking["price"], booking["extras"]) == (quoted["total"], extras)
    (listed,) = shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]
    invoice = shop.house.api.get(f"/v1/invoices/{listed['id']}")
    assert (invoice["state"], invoice["total"]) == ("paid", quoted["total"])
    assert "Coffee" in str(invoice["lines"])
    (payment,) = shop.house.api.get(f"/v1/payments?member_id={guest}")["items"]
    assert payment["amount"] == quoted["total"]


def test_an_extra_that_is_not_to_be_had_holds_nothing(shop: Shop) -> None:
    """GH-1: neither its own room nor the one before it in the order."""
    shop.sell_coffee()
    tomorrow = shop.room("2027-02-16T09:00:00+01:00", "2027-02-16T12:00:00+01:00", extras=[{"code": "coffee"}])
    for items, place in (
        ([shop.room(extras=[{"code": "tea"}])], 0),
        ([tomorrow, shop.room(extras=[{"code": "tea"}])], 1),
    ):
        refused = shop.begin(items)
        assert (refused.status, refused.json["code"]) == (422, "unknown_extra")
        assert refused.json["errors"][0]["pointer"] == f"/items/{place}/extras"
    assert shop.house.api.get("/v1/bookings")["items"] == []
    assert shop.checkout([tomorrow])["amount"] == euro(4500 + 450)


def test_a_declined_card_leaves_the_checkout_to_be_paid_with_another(shop: Shop) -> None:
    """GH-2."""
    made = shop.checkout([shop.room()])
    declined = shop.pay(made, "sandbox_declined")
    assert (declined["state"], declined["failure_code"]) == ("awaiting_payment", "generic_decline")
    assert not shop.is_free()
    assert shop.pay(made, "sandbox_ok")["state"] == "confirmed"


def test_a_hold_that_runs_out_frees_the_slot(shop: Shop) -> None:
    """GH-2."""
    made = shop.checkout([shop.room()])
    assert shop.pay(made, "sandbox_declined")["state"] == "awaiting_payment"
    shop.house.api.advance("2027-02-01T08:10:00Z")
    assert shop.read(made)["state"] == "expired"
    assert shop.is_free()
    late = shop.stranger.send("POST", f"{shop.path}/checkouts/{made['id']}/payment", {"token": "sandbox_ok"})
    assert (late.status, late.json["code"]) == (409, "checkout_expired")
    guest = shop.member("guest@example.com")["id"]
    assert [i["state"] for i in shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]] == ["void"]
    assert shop.checkout([shop.room()], email="other@example.com")["state"] == "awaiting_payment"


def test_a_day_pass_is_bought_and_an_abandoned_membership_is_taken_back(shop: Shop) -> None:
    """GH-1, GH-2."""
    day_pass = shop.checkout([{"kind": "plan", "plan_id": shop.day_pass, "quantity": "2"}])
    assert day_pass["amount"] == euro(5000)
    assert shop.pay(day_pass, "sandbox_ok")["state"] == "confirmed"
    left = shop.checkout([{"kind": "plan", "plan_id": shop.house.plan, "start_date": "2027-02-01"}])
    assert left["state"] == "awaiting_payment"
    shop.house.api.advance("2027-03-02T08:00:00Z")
    assert shop.read(left)["state"] == "expired"
    guest = shop.member("guest@example.com")["id"]
    (membership,) = shop.house.api.get(f"/v1/memberships?member_id={guest}")["items"]
    assert membership["status"] == "cancelled"
    states = [i["state"] for i in shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]]
    assert sorted(states) == ["paid", "void"]


def test_a_membership_goes_on_being_paid_with_the_card_it_was_bought_with(shop: Shop) -> None:
    """GH-1."""
    made = shop.checkout([{"kind": "plan", "plan_id": shop.house.plan, "start_date": "2027-02-01"}])
    assert shop.pay(made, "sandbox_ok")["state"] == "confirmed"
    shop.house.api.advance("2027-03-10T12:00:00Z")
    guest = shop.member("guest@example.com")["id"]
    found = shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]
    assert [invoice["state"] for invoice in found] == ["paid", "paid"]


def test_a_known_address_reveals_nothing_and_costs_its_owner_nothing(shop: Shop) -> None:
    """GH-1: same answers as for a stranger, and the card on file is left alone."""
    known = shop.checkout([shop.room()], email="Member@Example.com")
    another = shop.room("2027-02-16T09:00:00+01:00", "2027-02-16T12:00:00+01:00")
    unknown = shop.checkout([another], email="nobody@example.com")
    assert {k: v for k, v in known.items() if k != "id"} == {k: v for k, v in unknown.items() if k != "id"}
    assert len(known["id"]) == len(unknown["id"])
    assert "Example Member" not in str(known)
    shop.house.api.advance("2027-02-01T08:05:00Z")
    assert shop.read(known)["state"] == "awaiting_payment"
    assert shop.house.api.get(f"/v1/payments?member_id={shop.house.member}")["items"] == []
    assert shop.pay(known, "sandbox_mastercard")["state"] == "confirmed"
    methods = shop.house.api.get(f"/v1/payment-methods?member_id={shop.house.member}")["items"]
    assert [method["id"] for method in methods] == [shop.house.method]
    assert shop.house.api.get(f"/v1/members/{shop.house.member}")["name"] == "Example Member"


def test_a_member_who_has_signed_in_buys_as_one_in_the_members_way(shop: Shop) -> None:
    """GH-1, GH-2: no guest, no other price; the method on file may pay."""
    shop.house.api.patch("/v1/storefront-settings", {"purchase_flow": {"member": "pay_now"}})
    password = {"password": "correct horse battery staple"}
    shop.house.api.post(f"/v1/members/{shop.house.member}/password", password, status=204)
    door = {"email": "member@example.com", "organization": shop.house.organization["slug"], "side": "member"}
    tokens = shop.stranger.post("/v1/tokens", door | password, status=200)
    member = shop.stranger.signed_in(tokens["access_token"])
    items = [shop.room(), {"kind": "plan", "plan_id": shop.day_pass}]
    made = member.post(f"{shop.path}/checkouts", {"items": items})
    assert (made["state"], made["amount"]) == ("awaiting_payment", euro(4500 + 2500))
    path, saved = f"{shop.path}/checkouts/{made['id']}/payment", {"payment_method_id": shop.house.method}
    stranger = shop.stranger.send("POST", path, saved)
    assert (stranger.status, stranger.json["code"]) == (404, "payment_method_not_found")
    assert member.post(path, saved, status=200)["state"] == "confirmed"
    booked = shop.house.api.get(f"/v1/bookings?member_id={shop.house.member}")["items"]
    assert [booking["status"] for booking in booked] == ["confirmed"]
    nobody = shop.stranger.send("POST", f"{shop.path}/checkouts", {"items": items})
    assert (nobody.status, nobody.json["code"]) == (422, "customer_missing")


def test_a_promo_code_makes_a_pass_cheaper_and_a_free_one_is_confirmed_at_once(shop: Shop) -> None:
    """GH-3."""
    for code, percent in (("HALF", "50"), ("GIFT", "100")):
        shop.house.api.post("/v1/promo-codes", {"code": code, "percent": percent})
    item = {"kind": "plan", "plan_id": shop.day_pass}
    assert shop.checkout([item], promo_code="half")["amount"] == euro(1250)
    free = shop.checkout([item], promo_code="gift")
    assert (free["state"], free["amount"]) == ("confirmed", euro(0))


def test_a_promo_code_goes_to_the_first_item_that_it_fits(shop: Shop) -> None:
    """GH-3: one code, one use, whoever counts it."""
    for code, kind in (("ROOMS", "booking"), ("PASSES", "pass")):
        shop.house.api.post(
            "/v1/promo-codes", {"code": code, "percent": "50", "max_uses": 1, "scope": {"kinds": [kind]}}
        )
    day_pass = {"kind": "plan", "plan_id": shop.day_pass}
    refused = shop.begin([shop.room()], promo_code="passes")
    assert (refused.status, refused.json["code"]) == (422, "promo_code_not_applicable")
    assert shop.is_free()
    made = shop.checkout([shop.room(), day_pass], key="cart", promo_code="passes")
    assert made["amount"] == euro(4500 + 1250)
    assert shop.checkout([shop.room(), day_pass], key="cart", promo_code="passes") == made
    assert shop.pay(made, "sandbox_ok")["state"] == "confirmed"
    tomorrow = shop.room("2027-02-16T09:00:00+01:00", "2027-02-16T12:00:00+01:00")
    made = shop.checkout([tomorrow, day_pass], promo_code="rooms")
    assert made["amount"] == euro(2250 + 2500)
    assert shop.pay(made, "sandbox_ok")["state"] == "confirmed"
    later = shop.room("2027-02-17T09:00:00+01:00", "2027-02-17T12:00:00+01:00")
    used_up = shop.begin([later], promo_code="rooms")
    assert (used_up.status, used_up.json["code"]) == (409, "promo_code_used_up")


@pytest.mark.parametrize(("flow", "state", "status"), [
    ("pay_later", "confirmed", "confirmed"),
    ("approval", "awaiting_approval", "tentative"),
])  # fmt: skip
def test_the_owner_decides_how_guests_buy(shop: Shop, flow: str, state: str, status: str) -> None:
    """GH-2."""
    shop.house.api.patch("/v1/storefront-settings", {"purchase_flow": {"guest": flow}})
    made = shop.checkout([shop.room()])
    assert (made["state"], made["payment"]) == (state, None)
    guest = shop.member("guest@example.com")["id"]
    (booking,) = shop.house.api.get(f"/v1/bookings?member_id={guest}")["items"]
    assert booking["status"] == status


@pytest.mark.parametrize("flow", ["pay_now", "pay_later", "approval"])
def test_an_order_is_had_whole_or_not_at_all(shop: Shop, flow: str) -> None:
    """GH-1: the second room is taken by the first, or by somebody else, or the code fits none of them."""
    shop.house.api.patch("/v1/storefront-settings", {"purchase_flow": {"guest": flow}})
    tomorrow = shop.room("2027-02-16T09:00:00+01:00", "2027-02-16T12:00:00+01:00")
    twice = shop.begin([shop.room(), shop.room()], key="twice")
    assert (twice.status, twice.json["code"]) == (409, "slot_taken")
    assert shop.is_free()
    again = shop.begin([shop.room(), shop.room()], key="twice")
    assert (again.status, again.json["code"]) == (409, "checkout_refused")
    made = shop.house.api.get("/v1/bookings")["items"]
    assert [(b["status"], b["cancel_reason"]) for b in made] == [("cancelled", "checkout_refused")]
    shop.house.api.post("/v1/promo-codes", {"code": "PASSES", "percent": "50", "scope": {"kinds": ["pass"]}})
    unfit = shop.begin([tomorrow, shop.room()], promo_code="passes")
    assert (unfit.status, unfit.json["code"]) == (422, "promo_code_not_applicable")
    assert shop.is_free()
    shop.checkout([shop.room()], email="second@example.com")
    before = len(shop.house.api.get("/v1/bookings?limit=200")["items"])
    late = shop.begin([tomorrow, shop.room()])
    assert (late.status, late.json["errors"][0]["pointer"]) == (409, "/items/1/start")
    assert len(shop.house.api.get("/v1/bookings?limit=200")["items"]) == before, "looked at before booking anything"
    guest = shop.member("guest@example.com")["id"]
    fees = shop.house.api.get(f"/v1/fees?member_id={guest}")["items"]
    assert {fee["status"] for fee in fees} <= {"amended", "removed"}, fees
    assert {i["state"] for i in shop.house.api.get(f"/v1/invoices?member_id={guest}")["items"]} <= {"void"}
    assert shop.begin([tomorrow]).status == 201


def test_bad_input_is_refused_and_changes_nothing(shop: Shop) -> None:
    room = shop.room()
    hidden = shop.house.api.post(
        "/v1/plans", {"name": "Inside", "kind": "one_off", "price": euro(1), "visibility": "private"}
    )["id"]
    refused = [
        shop.begin([]),
        shop.begin([{**room, "end": room["start"]}]),
        shop.begin([{**room, "plan_id": shop.day_pass}]),
        shop.begin([{**room, "resource_id": f"res_{'0' * 32}"}]),
        shop.begin([{"kind": "plan", "plan_id": hidden}]),
        shop.begin([{"kind": "plan", "plan_id": shop.day_pass, "quantity": "0"}]),
        shop.begin([{"kind": "plan", "plan_id": shop.day_pass, "extras": [{"code": "coffee"}]}]),
        shop.begin([room], email="nobody"),
        shop.begin([room], surprise=True),
        shop.begin([{"kind": "plan", "plan_id": shop.day_pass}], promo_code="NOPE"),
    ]
    assert [answer.status for answer in refused] == [422] * len(refused), [answer.body for answer in refused]
    body = {"items": [room], "customer": {"name": "Guest", "email": "g@example.com"}}
    keyless = shop.stranger.send("POST", f"{shop.path}/checkouts", body, {"Idempotency-Key": ""})
    assert (keyless.status, keyless.json["code"]) == (400, "idempotency_key_missing")
    assert shop.stranger.send("GET", f"{shop.path}/checkouts/chk_{'0' * 32}").status == 404
    assert shop.house.api.get("/v1/bookings")["items"] == []
    taken = shop.checkout([room])
    again = shop.begin([room], email="second@example.com")
    assert (again.status, again.json["code"]) == (409, "slot_taken")
    wrong = shop.stranger.send("POST", f"{shop.path}/checkouts/{taken['id']}/payment", {"token": "sandbox_nonsense"})
    assert wrong.status == 422, wrong.body
    assert shop.read(taken)["state"] == "awaiting_payment"


def test_the_page_of_a_rehearsal_tells_its_clock(shop: Shop) -> None:
    assert shop.stranger.get(shop.path)["now"] == "2027-02-01T08:00:00Z"
