"""Policies, moving, cancelling, approving and checking in (BOK-2, BOK-3, BOK-5)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from common.money import Money
from contracts.parts import Extra, RatePrice

START, END = "2027-02-15T09:00:00Z", "2027-02-15T11:00:00Z"
STEPS = {"steps": [{"hours_before": 24, "percent": "50"}, {"hours_before": 2, "percent": "100"}]}


def with_policy(room: Any, version: int = 2, **policies: Any) -> None:
    room.house.resource(room.location_id, resource_id=room.resource_id, version=version, **policies)


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"min_minutes": 180}, "too_short"),
        ({"max_minutes": 60}, "too_long"),
        ({"min_notice_minutes": 60 * 24 * 20}, "too_short_notice"),
        ({"furthest_days_ahead": 7}, "too_far_ahead"),
        ({"quotas": [{"per": "week", "unit": "hours", "limit": "1"}]}, "quota_exceeded"),
    ],
)
def test_bok_3_a_policy_holds_for_members_and_staff_may_override_it(room: Any, policy: Any, code: str) -> None:
    with_policy(room, booking_policy=policy)
    member = room.house.member_user(room.member_id)
    refused = member.post("/v1/bookings", room.body(START, END))
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert refused.json["violations"] == [code]
    quoted = member.post("/v1/bookings/quote", room.body(START, END)).json
    assert [violation["code"] for violation in quoted["violations"]] == [code]
    assert room.book(START, END, override=False).json["code"] == code
    assert room.book(START, END).json["overridden"] == [code]


def test_bok_3_outside_opening_hours_and_in_the_past_members_are_refused(room: Any) -> None:
    member = room.house.member_user(room.member_id)
    sunday = member.post("/v1/bookings", room.body("2027-02-14T09:00:00Z", "2027-02-14T10:00:00Z"))
    assert sunday.json["code"] == "outside_opening_hours"
    past = member.post("/v1/bookings", room.body("2027-01-29T09:00:00Z", "2027-01-29T10:00:00Z"))
    assert past.json["code"] == "in_the_past"


def test_bok_3_a_quota_counts_what_is_booked_and_forgets_what_is_cancelled(room: Any) -> None:
    with_policy(room, booking_policy={"quotas": [{"per": "week", "unit": "bookings", "limit": "1"}]})
    member = room.house.member_user(room.member_id)
    first = member.post("/v1/bookings", room.body(START, END))
    second = room.body("2027-02-16T09:00:00Z", "2027-02-16T10:00:00Z")
    assert member.post("/v1/bookings", second).json["code"] == "quota_exceeded"
    member.post(f"/v1/bookings/{first.json['id']}/cancellation")
    assert member.post("/v1/bookings", second).status_code == 201


def test_plans_only_resources_are_for_those_who_hold_the_plan(room: Any) -> None:
    membership = room.house.membership(member_id=room.member_id)
    with room.house.database.session(room.house.organization_id) as session:
        from booking.models import Membership

        plan_id = session.get(Membership, membership).plan_id
    with_policy(room, visibility="plans", plan_ids=[plan_id])
    other = room.house.member()
    refused = room.house.member_user(other).post("/v1/bookings", room.body(START, END, member_id=f"mem_{other.hex}"))
    assert refused.json["code"] == "plan_required"
    assert room.house.member_user(room.member_id).post("/v1/bookings", room.body(START, END)).status_code == 201


def test_pri_1_a_moved_booking_is_priced_anew_and_a_noted_one_is_not(room: Any) -> None:
    made = room.book(START, END).json
    path = f"/v1/bookings/{made['id']}"
    dearer = [RatePrice(unit="hour", price=Money(2000, "EUR"))]
    extras = [Extra(code="projector", name="Projector", price=Money(1000, "EUR"))]
    room.house.rate(resource_ids=[room.resource_id], prices=dearer, extras=extras)
    noted = room.client.patch(path, {"note": "Board meeting"})
    assert (noted.json["note"], noted.json["price"]) == ("Board meeting", made["price"])
    longer = room.client.patch(path, {"end": "2027-02-15T12:00:00Z", "extras": [{"code": "projector"}]})
    assert longer.json["price"]["amount_minor"] == 7000
    assert longer.json["lines"][-1]["description"] == "Projector"
    assert room.book("2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z").json["code"] == "slot_taken"


def test_a_booking_is_moved_to_another_room_and_frees_its_own(room: Any) -> None:
    other = room.house.resource(room.location_id, display_name="Red Room")
    made = room.book(START, END).json
    moved = room.client.patch(f"/v1/bookings/{made['id']}", {"resource_id": f"res_{other.hex}"})
    assert moved.json["resource_name"] == "Red Room"
    assert room.book(START, END).status_code == 201
    taken = room.client.patch(f"/v1/bookings/{made['id']}", {"resource_id": f"res_{room.resource_id.hex}"})
    assert taken.json["code"] == "slot_taken"


def test_a_stale_etag_is_refused(room: Any) -> None:
    made = room.book(START, END)
    path = f"/v1/bookings/{made.json['id']}"
    assert room.client.patch(path, {"note": "a"}, headers={"If-Match": made.headers["ETag"]}).status_code == 200
    assert room.client.patch(path, {"note": "b"}, headers={"If-Match": made.headers["ETag"]}).status_code == 412


@pytest.mark.parametrize(
    ("now", "percent", "fee"),
    [
        ("2027-02-14T09:00:00+00:00", "0", 0),
        ("2027-02-14T09:00:01+00:00", "50", 1500),
        ("2027-02-15T07:00:00+00:00", "50", 1500),
        ("2027-02-15T07:00:01+00:00", "100", 3000),
    ],
)
def test_bok_5_the_fee_is_shown_and_then_charged_exactly(room: Any, now: str, percent: str, fee: int) -> None:
    with_policy(room, cancellation_policy=STEPS)
    made = room.book(START, END).json
    room.house.advance(datetime.fromisoformat(now))
    path = f"/v1/bookings/{made['id']}/cancellation"
    shown = room.client.get(path).json
    preview = room.client.post(path, {"preview": True}).json
    assert (shown["fee"]["amount_minor"], shown["percent"], shown["status"]) == (fee, percent, "confirmed")
    assert preview["fee"] == shown["fee"]
    assert shown["free_until"] == "2027-02-14T09:00:00Z"
    done = room.client.post(path, {"reason": "ill"})
    assert (done.status_code, done.json["status"]) == (200, "cancelled")
    assert done.json["fee"] == done.json["cancellation_fee"] == shown["fee"]
    again = room.client.post(path)
    assert (again.status_code, again.json["code"]) == (409, "status_transition")
    assert room.book(START, END).status_code == 201


def test_bok_5_moving_is_no_way_around_the_fee_and_staff_may_waive_it(room: Any) -> None:
    with_policy(room, cancellation_policy=STEPS)
    made = room.book(START, END).json
    room.house.advance(datetime(2027, 2, 15, 6, tzinfo=UTC))
    member = room.house.member_user(room.member_id)
    path = f"/v1/bookings/{made['id']}"
    assert member.patch(path, {"start": "2027-02-17T09:00:00Z"}).json["code"] == "too_late_to_change"
    assert member.post(f"{path}/cancellation", {"waive_fee": True, "preview": True}).json["fee"]["amount_minor"] == 1500
    assert room.client.post(f"{path}/cancellation", {"waive_fee": True}).json["fee"]["amount_minor"] == 0


def test_bok_5_the_policy_is_that_of_the_day_of_booking_until_time_or_resource_change(room: Any) -> None:
    with_policy(room, cancellation_policy=STEPS)
    made = room.book(START, END).json
    strict = {"steps": [{"hours_before": 240, "percent": "100"}], "no_show_percent": "100"}
    with_policy(room, version=3, cancellation_policy=strict)
    path = f"/v1/bookings/{made['id']}"
    room.house.advance(datetime(2027, 2, 14, 9, tzinfo=UTC))
    assert room.client.get(f"{path}/cancellation").json["fee"]["amount_minor"] == 0
    assert room.client.get(f"{path}/cancellation").json["free_until"] == "2027-02-14T09:00:00Z"
    with_extras = room.client.patch(path, {"note": "Board", "extras": [{"code": "projector"}]})
    assert with_extras.status_code == 200
    assert room.client.get(f"{path}/cancellation").json["fee"]["amount_minor"] == 0
    assert room.house.member_user(room.member_id).patch(path, {"start": "2027-02-16T09:00:00Z"}).status_code == 200
    assert room.client.get(f"{path}/cancellation").json["percent"] == "100"


def test_bok_5_missing_a_booking_costs_what_was_agreed(room: Any) -> None:
    check_in = {"check_in_minutes": 15}
    with_policy(room, booking_policy=check_in, cancellation_policy={"no_show_percent": "80"})
    made = room.book(START, END).json
    with_policy(room, version=3, booking_policy=check_in, cancellation_policy={"no_show_percent": "0"})
    room.house.advance(datetime(2027, 2, 15, 9, 15, tzinfo=UTC))
    shown = room.client.get(f"/v1/bookings/{made['id']}").json
    assert (shown["status"], shown["cancellation_fee"]["amount_minor"]) == ("no_show", 2400)


def test_bok_3_an_approval_is_waited_for_with_the_slot_held(room: Any) -> None:
    with_policy(room, booking_policy={"approval": True})
    member = room.house.member_user(room.member_id)
    asked = member.post("/v1/bookings", room.body(START, END)).json
    assert asked["status"] == "tentative"
    assert room.book(START, END).json["code"] == "slot_taken"
    path = f"/v1/bookings/{asked['id']}/approval"
    assert member.post(path, {"approved": True}).status_code == 403
    assert room.client.post(path, {"approved": True}).json["status"] == "confirmed"
    assert room.client.post(path, {"approved": False}).json["code"] == "status_transition"
    rejected = member.post("/v1/bookings", room.body("2027-02-16T09:00:00Z", "2027-02-16T10:00:00Z")).json
    done = room.client.post(f"/v1/bookings/{rejected['id']}/approval", {"approved": False, "reason": "private"})
    assert (done.json["status"], done.json["cancel_reason"]) == ("rejected", "private")


def test_bok_3_a_member_who_moves_an_approved_booking_asks_again(room: Any) -> None:
    with_policy(room, booking_policy={"approval": True})
    member = room.house.member_user(room.member_id)
    path = f"/v1/bookings/{member.post('/v1/bookings', room.body(START, END)).json['id']}"
    room.client.post(f"{path}/approval", {"approved": True})
    assert member.patch(path, {"note": "Board"}).json["status"] == "confirmed"
    moved = member.patch(path, {"start": "2027-02-16T09:00:00Z"}).json
    assert (moved["status"], moved["start"]) == ("tentative", "2027-02-16T09:00:00Z")
    assert room.book("2027-02-16T09:00:00Z", "2027-02-16T10:00:00Z").json["code"] == "slot_taken"
    assert room.client.post(f"{path}/approval", {"approved": True}).json["status"] == "confirmed"
    assert room.client.patch(path, {"start": START}).json["status"] == "confirmed", "staff need nobody's approval"


def test_pri_1_other_extras_leave_the_price_of_the_time_as_it_was_agreed(room: Any) -> None:
    room.house.credits(room.member_id, "1", resource_discount_percent=Decimal(10))
    made = room.book(START, END).json
    room.house.rate(resource_ids=[room.resource_id], prices=[RatePrice(unit="hour", price=Money(9900, "EUR"))])
    path = f"/v1/bookings/{made['id']}"
    changed = room.client.patch(path, {"extras": [{"code": "projector", "quantity": "2"}]}).json
    assert changed["lines"][:-1] == made["lines"]
    assert changed["price"]["amount_minor"] == made["price"]["amount_minor"] + 2000
    assert changed["explain"] == [*made["explain"][:-1], "Projector: 20.00 EUR.", "Total: 33.50 EUR."]
    assert (changed["credits_used"], made["credits_used"]) == ("1", "1")
    without = room.client.patch(path, {"extras": []}).json
    assert (without["lines"], without["explain"], without["price"]) == (made["lines"], made["explain"], made["price"])
    moved = room.client.patch(path, {"start": "2027-02-16T09:00:00Z"}).json
    assert moved["price"]["amount_minor"] == 8910, "one hour by credit, one at the rate of today, less 10 %"


def test_notes_of_staff_are_seen_by_nobody_else(room: Any) -> None:
    made = room.book(START, END, note="Board", private_note="Always late").json
    path = f"/v1/bookings/{made['id']}"
    member = room.house.member_user(room.member_id)
    assert (made["note"], made["private_note"]) == ("Board", "Always late")
    assert (member.get(path).json["note"], member.get(path).json["private_note"]) == ("Board", None)
    assert member.get("/v1/bookings").json["items"][0]["private_note"] is None
    for text in ("Mine", None):
        refused = member.patch(path, {"private_note": text})
        assert (refused.status_code, refused.json["code"]) == (403, "staff_only")
    refused = member.post("/v1/bookings", room.body(START, END, private_note="Mine"))
    assert (refused.status_code, refused.json["code"]) == (403, "staff_only")
    changed = room.client.patch(path, {"private_note": "On time today"}).json
    assert (changed["note"], changed["private_note"]) == ("Board", "On time today")
    assert "private" not in str(room.house.published())
    assert b"late" not in room.client.get(f"{path}/ics").data


def test_a_request_nobody_answers_expires_at_its_start(room: Any) -> None:
    with_policy(room, booking_policy={"approval": True})
    asked = room.house.member_user(room.member_id).post("/v1/bookings", room.body(START, END)).json
    room.house.advance(datetime(2027, 2, 15, 9, tzinfo=UTC))
    shown = room.client.get(f"/v1/bookings/{asked['id']}").json
    assert (shown["status"], shown["cancel_reason"]) == ("expired", "expired")


def test_check_in_and_completion(room: Any) -> None:
    made = room.book(START, END).json
    member = room.house.member_user(room.member_id)
    path = f"/v1/bookings/{made['id']}/check-in"
    assert member.post(path).json["code"] == "too_early"
    room.house.advance(datetime(2027, 2, 15, 8, 50, tzinfo=UTC))
    assert member.post(path).json["status"] == "checked_in"
    room.house.advance(datetime(2027, 2, 15, 11, tzinfo=UTC))
    assert room.client.get(f"/v1/bookings/{made['id']}").json["status"] == "completed"
    assert member.post(path).status_code == 409


def test_bok_3_who_does_not_check_in_in_time_loses_the_slot_and_pays(room: Any) -> None:
    with_policy(room, booking_policy={"check_in_minutes": 15}, cancellation_policy={"no_show_percent": "80"})
    made = room.book(START, END).json
    room.house.advance(datetime(2027, 2, 15, 9, 15, tzinfo=UTC))
    shown = room.client.get(f"/v1/bookings/{made['id']}").json
    assert (shown["status"], shown["cancellation_fee"]["amount_minor"]) == ("no_show", 2400)
    assert room.book("2027-02-15T09:30:00Z", END).status_code == 201


def test_pay_8_blocked_customers_cannot_book_but_staff_can_for_them(room: Any) -> None:
    from contracts.invoicing import CustomerStandingChanged
    from contracts.parts import Customer

    customer = Customer(member_id=room.member_id)
    room.house.tell(CustomerStandingChanged(customer=customer, bookings_blocked=True, version=1))
    member = room.house.member_user(room.member_id)
    assert member.post("/v1/bookings", room.body(START, END)).json["code"] == "bookings_blocked"
    assert room.book(START, END).json["overridden"] == ["bookings_blocked"]


def test_staff_of_another_location_do_not_see_or_book_here(room: Any) -> None:
    from common.ids import new_id

    made = room.book(START, END).json
    elsewhere = room.house.user("front_desk", locations=[str(new_id())])
    assert elsewhere.get(f"/v1/bookings/{made['id']}").status_code == 404
    assert elsewhere.get("/v1/bookings").json["items"] == []
    assert elsewhere.post("/v1/bookings", room.body(END, "2027-02-15T12:00:00Z")).json["code"] == "unknown_resource"


def test_accountants_read_and_do_not_book(room: Any) -> None:
    accountant = room.house.user("accountant")
    assert accountant.get("/v1/bookings").status_code == 200
    assert accountant.post("/v1/bookings", room.body(START, END)).status_code == 403


def test_bok_3_a_walk_in_whose_time_to_check_in_is_over_is_no_no_show(room: Any) -> None:
    """The front desk writes down who sits there already."""
    with_policy(room, booking_policy={"check_in_minutes": 15})
    room.house.advance(datetime(2027, 2, 15, 9, 15, tzinfo=UTC))
    made = room.book(START, END).json
    assert (made["status"], made["overridden"]) == ("confirmed", ["in_the_past"])
    room.house.run_jobs()
    assert room.client.get(f"/v1/bookings/{made['id']}").json["status"] == "confirmed"
    assert room.book("2027-02-15T09:30:00Z", END).json["code"] == "slot_taken"
    soon = room.book("2027-02-15T12:00:00Z", "2027-02-15T13:00:00Z").json
    room.client.patch(f"/v1/bookings/{made['id']}", {"end": "2027-02-15T10:30:00Z"})
    room.house.advance(datetime(2027, 2, 15, 12, 15, tzinfo=UTC))
    seen = [room.client.get(f"/v1/bookings/{b['id']}").json["status"] for b in (made, soon)]
    assert seen == ["completed", "no_show"]


def test_gh_2_who_pays_in_time_but_after_the_time_to_check_in_is_no_no_show(room: Any) -> None:
    with_policy(room, booking_policy={"check_in_minutes": 5})
    room.house.advance(datetime(2027, 2, 15, 8, 58, tzinfo=UTC))
    held = room.book(START, END, payment="now").json
    room.house.set_clock(datetime(2027, 2, 15, 9, 6, tzinfo=UTC))
    room.house.pay(held)
    room.house.run_jobs()
    assert room.client.get(f"/v1/bookings/{held['id']}").json["status"] == "confirmed"


def test_a_price_beyond_all_bounds_is_refused(room: Any) -> None:
    extra = Extra(code="gold", name="Gold", price=Money(10**14, "EUR"))
    room.house.rate(resource_ids=[room.resource_id], extras=[extra])
    asked = room.body(START, END, extras=[{"code": "gold", "quantity": "10000"}] * 20)
    for path in ("/v1/bookings/quote", "/v1/bookings"):
        refused = room.client.post(path, asked)
        assert (refused.status_code, refused.json["code"]) == (422, "price_too_large")


def test_pri_1_a_member_who_says_that_a_booking_is_not_free_leaves_its_price_as_it_was(room: Any) -> None:
    made = room.book(START, END).json
    room.house.rate(resource_ids=[room.resource_id], prices=[RatePrice(unit="hour", price=Money(100, "EUR"))])
    path = f"/v1/bookings/{made['id']}"
    same = room.house.member_user(room.member_id).patch(path, {"is_free": False})
    assert (same.status_code, same.json["price"]) == (200, made["price"])
    assert room.client.patch(path, {"is_free": False}).json["price"]["amount_minor"] == 200
