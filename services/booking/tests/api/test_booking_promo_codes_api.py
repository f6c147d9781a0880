"""Promo codes on bookings through the API (GH-3): quoted, redeemed, kept, given back."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from booking.models import PromoRedemption
from common.ids import decode_id, new_id
from common.money import Money
from contracts.catalog import PromoCodeChanged

SLOT = ("2027-02-15T09:00:00Z", "2027-02-15T12:00:00Z")
NEXT = ("2027-02-16T09:00:00Z", "2027-02-16T12:00:00Z")


def euro(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


def code(room: Any, **values: Any) -> UUID:
    code_id = values.pop("promo_code_id", None) or new_id()
    room.house.tell(PromoCodeChanged(promo_code_id=code_id, **{"code": "SPRING", "version": 1, **values}))
    return code_id


@pytest.fixture
def fifth(room: Any) -> Any:
    """A room, and a code SPRING for a fifth off that can be used once."""
    code(room, percent=Decimal(20), scope={"kinds": ["booking"]}, max_uses=1)
    return room


def test_quote_booking_and_message_agree_and_any_case_will_do(room: Any) -> None:
    code(room, percent=Decimal(20))
    quoted = room.client.post("/v1/bookings/quote", room.body(*SLOT, promo_code=" spring "))
    made = room.book(*SLOT, promo_code="sPring")
    assert (quoted.json["total"], quoted.json["promo_code"]) == (euro(3600), "SPRING")
    assert (made.json["price"], made.json["promo_code"]) == (euro(3600), "SPRING")
    assert made.json["lines"][-1] == {
        "kind": "promotion",
        "description": "Promo code SPRING, 20 %",
        "quantity": "1",
        "unit_price": euro(-900),
        "net": euro(-900),
    }
    assert made.json["explain"][-2:] == ["Promo code SPRING, 20 %: -9.00 EUR.", "Total: 36.00 EUR."]
    [told] = room.house.published()
    assert (told["promo_code"], told["price"]) == ("SPRING", euro(3600))
    assert told["lines"][-1]["net"] == euro(-900)


def test_members_and_the_public_are_quoted_the_same_code(room: Any) -> None:
    public = room.house.resource(room.location_id, display_name="Public room", visibility="public")
    code(room, amount=Money(1000, "EUR"))
    member = room.house.member_user(room.member_id)
    body = {"resource_id": f"res_{public.hex}", "start": SLOT[0], "end": SLOT[1], "promo_code": "SPRING"}
    assert member.post("/v1/bookings/quote", body).json["total"] == euro(3500)
    assert member.post("/v1/bookings", body).json["price"] == euro(3500)
    slug = f"org-{room.house.organization_id.hex[-12:]}"
    answer = room.house.user().post(f"/v1/storefront/{slug}/quote", body | {"start": NEXT[0], "end": NEXT[1]})
    assert (answer.status_code, answer.json["total"]) == (200, euro(3500))


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"archived": True}, "promo_code_unknown"),
        ({"scope": {"kinds": ["pass"]}}, "promo_code_not_applicable"),
        ({"scope": {"resource_types": ["event_space"]}}, "promo_code_not_applicable"),
        ({"valid_from": date(2027, 2, 2)}, "promo_code_not_yet_valid"),
        ({"valid_until": date(2027, 1, 31)}, "promo_code_expired"),
    ],
)
def test_a_code_that_does_not_fit_is_refused_and_books_nothing(room: Any, values: dict[str, Any], refusal: str) -> None:
    code(room, percent=Decimal(20), **values)
    for path in ("/v1/bookings", "/v1/bookings/quote"):
        answer = room.client.post(path, room.body(*SLOT, promo_code="SPRING"))
        assert (answer.status_code, answer.json["code"]) == (422, refusal)
        assert answer.json["errors"][0]["pointer"] == "/promo_code"
    assert room.client.get("/v1/bookings").json["items"] == []


def test_gh_3_the_last_use_goes_to_one_of_ten_at_once(fifth: Any) -> None:
    rooms = [fifth.house.resource(fifth.location_id, display_name=f"Room {n}") for n in range(10)]
    members = [fifth.house.member() for _ in rooms]

    def one(place: Any, member: Any) -> Any:
        body = fifth.body(*SLOT, promo_code="SPRING", resource_id=f"res_{place.hex}", member_id=f"mem_{member.hex}")
        return fifth.house.user().post("/v1/bookings", body)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, rooms, members))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert {a.json["code"] for a in answers if a.status_code == 409} == {"promo_code_used_up"}
    assert len(fifth.client.get("/v1/bookings").json["items"]) == 1


def test_gh_3_a_customer_at_once_uses_a_code_no_more_than_allowed(room: Any) -> None:
    code(room, percent=Decimal(20), scope={"kinds": ["booking"]}, max_uses_per_customer=2)
    rooms = [room.house.resource(room.location_id, display_name=f"Room {n}") for n in range(8)]

    def one(place: Any) -> int:
        body = room.body(*SLOT, promo_code="SPRING", resource_id=f"res_{place.hex}")
        return room.house.user().post("/v1/bookings", body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(one, rooms)) == {201: 2, 409: 6}
    other = room.house.member()
    assert room.book(*NEXT, promo_code="SPRING", member_id=f"mem_{other.hex}").status_code == 201


def test_the_company_that_pays_is_the_customer(room: Any) -> None:
    code(room, percent=Decimal(20), scope={"kinds": ["booking"]}, max_uses_per_customer=1)
    company = room.house.company()
    first, second = (f"mem_{room.house.member(company_id=company).hex}" for _ in range(2))
    assert room.book(*SLOT, promo_code="SPRING", member_id=first).status_code == 201
    refused = room.book(*NEXT, promo_code="SPRING", member_id=second)
    assert (refused.status_code, refused.json["code"]) == (409, "promo_code_used_up")
    assert room.book(*NEXT, promo_code="SPRING", member_id=second, is_personal=True).status_code == 201


def test_a_use_comes_back_after_a_cancellation_in_time_and_a_rejection(fifth: Any) -> None:
    made = fifth.book(*SLOT, promo_code="SPRING").json
    assert fifth.book(*NEXT, promo_code="SPRING").json["code"] == "promo_code_used_up"
    assert fifth.client.post(f"/v1/bookings/{made['id']}/cancellation", {}).status_code == 200
    asked = fifth.book(*NEXT, promo_code="SPRING", asks_approval=True)
    assert asked.status_code == 201
    fifth.client.post(f"/v1/bookings/{asked.json['id']}/approval", {"approved": False})
    assert fifth.book(*SLOT, promo_code="SPRING").status_code == 201


def test_a_use_stays_used_after_a_cancellation_that_costs(fifth: Any) -> None:
    policy = {"steps": [{"hours_before": 24, "percent": "50"}]}
    strict = fifth.house.resource(fifth.location_id, display_name="Strict", cancellation_policy=policy)
    today = ("2027-02-01T12:00:00Z", "2027-02-01T14:00:00Z")
    made = fifth.book(*today, promo_code="SPRING", resource_id=f"res_{strict.hex}")
    cancelled = fifth.client.post(f"/v1/bookings/{made.json['id']}/cancellation", {})
    assert cancelled.json["fee"] == euro(1200)
    assert fifth.book(*SLOT, promo_code="SPRING").status_code == 409


def test_a_use_comes_back_when_its_hold_has_run_out_before_any_job(fifth: Any) -> None:
    held = fifth.book(*SLOT, promo_code="SPRING", payment="now")
    assert held.json["status"] == "held"
    assert fifth.book(*NEXT, promo_code="SPRING").status_code == 409
    fifth.house.set_clock(datetime(2027, 2, 1, 8, 10, tzinfo=UTC))
    assert fifth.client.post("/v1/bookings/quote", fifth.body(*NEXT, promo_code="SPRING")).status_code == 200
    assert fifth.book(*NEXT, promo_code="SPRING").status_code == 201
    fifth.house.run_jobs()
    assert fifth.book(*SLOT, promo_code="SPRING").status_code == 409


@pytest.mark.parametrize(("is_confirmed", "status"), [(True, 409), (False, 201)])
def test_gh_3_a_use_whose_payment_is_just_arriving_is_taken_only_if_it_does_not(
    fifth: Any, is_confirmed: bool, status: int
) -> None:
    """Two connections: one confirms a hold at its very end, the other wants its use of the code."""
    held = fifth.book(*SLOT, promo_code="SPRING", payment="now").json
    fifth.house.set_clock(datetime(2027, 2, 1, 8, 10, tzinfo=UTC))
    redemption = update(PromoRedemption).where(PromoRedemption.booking_id == decode_id("bkg", held["id"]))
    with fifth.house.database.session(fifth.house.organization_id) as confirming:
        confirming.execute(redemption.values(lapses_at=None))
        meanwhile = fifth.book(*NEXT, promo_code="SPRING")
        assert (meanwhile.status_code, meanwhile.json["code"]) == (409, "promo_code_used_up")
        if is_confirmed:
            confirming.commit()
    assert fifth.book(*NEXT, promo_code="SPRING").status_code == status


def test_a_payment_in_time_keeps_the_use(fifth: Any) -> None:
    held = fifth.book(*SLOT, promo_code="SPRING", payment="now").json
    fifth.house.pay(held)
    fifth.house.advance(datetime(2027, 2, 2, tzinfo=UTC))
    assert fifth.client.get(f"/v1/bookings/{held['id']}").json["status"] == "confirmed"
    assert fifth.book(*NEXT, promo_code="SPRING").status_code == 409


def test_a_late_payment_takes_the_use_again_or_is_too_late(fifth: Any) -> None:
    held = fifth.book(*SLOT, promo_code="SPRING", payment="now").json
    fifth.house.advance(datetime(2027, 2, 1, 9, tzinfo=UTC))
    other = fifth.book(*NEXT, promo_code="SPRING").json
    fifth.house.pay(held)
    late = fifth.client.get(f"/v1/bookings/{held['id']}").json
    assert (late["status"], late["cancel_reason"]) == ("expired", "paid_too_late")
    fifth.client.post(f"/v1/bookings/{other['id']}/cancellation", {})
    again = fifth.book(*SLOT, promo_code="SPRING", payment="now").json
    fifth.house.advance(datetime(2027, 2, 1, 10, tzinfo=UTC))
    fifth.house.pay(again)
    assert fifth.client.get(f"/v1/bookings/{again['id']}").json["status"] == "confirmed"
    assert fifth.book(*NEXT, promo_code="SPRING").status_code == 409


def test_a_moved_booking_keeps_its_discount_after_the_code_has_ended(room: Any) -> None:
    code_id = code(room, percent=Decimal(20))
    made = room.book(*SLOT, promo_code="SPRING").json
    code(room, promo_code_id=code_id, percent=Decimal(50), archived=True, version=2)
    shorter = room.client.patch(f"/v1/bookings/{made['id']}", {"end": "2027-02-15T11:00:00Z"})
    assert (shorter.json["price"], shorter.json["promo_code"]) == (euro(2400), "SPRING")
    assert room.book(*NEXT, promo_code="SPRING").json["code"] == "promo_code_unknown"


def test_a_booking_moved_out_of_the_codes_scope_loses_it_and_gives_it_back(room: Any) -> None:
    scope = {"kinds": ["booking"], "resource_ids": [str(room.resource_id)]}
    code(room, percent=Decimal(20), scope=scope, max_uses=1)
    other = room.house.resource(room.location_id, display_name="Other")
    made = room.book(*SLOT, promo_code="SPRING").json
    moved = room.client.patch(f"/v1/bookings/{made['id']}", {"resource_id": f"res_{other.hex}"})
    assert (moved.json["price"], moved.json["promo_code"]) == (euro(4500), None)
    assert room.book(*SLOT, promo_code="SPRING").status_code == 201


def test_a_series_is_one_use_and_an_amount_is_taken_off_once(room: Any) -> None:
    code(room, amount=Money(6000, "EUR"), scope={"kinds": ["booking"]}, max_uses=1)
    series = {"recurrence": {"rrule": "FREQ=DAILY;COUNT=3"}, "promo_code": "SPRING"}
    quoted = room.client.post("/v1/bookings/quote", room.body(*SLOT, **series)).json
    made = room.book(*SLOT, **series).json
    assert [o["price"] for o in made["occurrences"]] == [euro(0), euro(3000), euro(4500)]
    assert [o["price"] for o in quoted["occurrences"]] == [euro(0), euro(3000), euro(4500)]
    first, second, third = (o["id"] for o in made["occurrences"])
    for booking_id in (first, third):
        room.client.post(f"/v1/bookings/{booking_id}/cancellation", {})
    later = ("2027-02-22T09:00:00Z", "2027-02-22T12:00:00Z")
    assert room.book(*later, promo_code="SPRING").status_code == 409
    room.client.post(f"/v1/bookings/{second}/cancellation", {})
    assert room.book(*later, promo_code="SPRING").status_code == 201


def test_what_is_free_anyhow_uses_no_code(fifth: Any) -> None:
    free = fifth.house.resource(fifth.location_id, display_name="Free", is_free=True)
    made = fifth.book(*SLOT, promo_code="SPRING", resource_id=f"res_{free.hex}")
    assert (made.status_code, made.json["promo_code"]) == (201, None)
    assert fifth.book(*SLOT, promo_code="SPRING").status_code == 201
    assert made.json["lines"] == []


def test_uses_are_listed_beside_the_limit_and_a_lapsed_one_counts_no_more(fifth: Any) -> None:
    """All dates of a series are one use."""
    other = code(fifth, code="AUTUMN", percent=Decimal(10))
    path = "/v1/promo-code-uses/bookings"

    def uses(query: str = "") -> list[tuple[str, int, int | None]]:
        items = fifth.client.get(path + query).json["items"]
        return [(each["code"], each["uses"], each["max_uses"]) for each in items]

    assert uses() == [("AUTUMN", 0, None), ("SPRING", 0, 1)]
    fifth.book(*SLOT, promo_code="SPRING", payment="now")
    weekly = {"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3"}, "promo_code": "AUTUMN"}
    assert fifth.book(*NEXT, **weekly).status_code == 201
    assert uses() == [("AUTUMN", 1, None), ("SPRING", 1, 1)]
    assert uses(f"?promo_code_id=prm_{other.hex}&promo_code_id=prm_{'0' * 32}") == [("AUTUMN", 1, None)]
    fifth.house.advance(datetime(2027, 2, 1, 9, tzinfo=UTC))
    assert uses() == [("AUTUMN", 1, None), ("SPRING", 0, 1)]
    assert fifth.client.get(path + "?promo_code_id=x").status_code == 422
