"""``/v1/availability`` and its public view."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.money import Money
from contracts.parts import Extra, RatePrice

DAY = {"date": "2027-02-15"}


def spans(intervals: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Times of day in UTC."""
    return [(i["start"][11:16], i["end"][11:16]) for i in intervals]


def look(room: Any, **query: Any) -> Any:
    answer = room.client.get("/v1/availability", query_string={"resource_id": f"res_{room.resource_id.hex}", **query})
    assert answer.status_code == 200, answer.json
    return answer.json


def test_free_and_busy_times_of_a_day_within_opening_hours(room: Any) -> None:
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z")
    shown = look(room, **DAY)
    assert spans(shown["free"]) == [("07:00", "09:00"), ("10:00", "17:00")]
    assert spans(shown["busy"]) == [("09:00", "10:00")]
    assert shown["prices"][0] == {"unit": "hour", "price": {"amount_minor": 1500, "currency": "EUR"}, "when": "any"}
    assert shown["items"][0]["name"] == "Blue Room"


def test_bok_3_buffers_and_closures_are_not_free(room: Any) -> None:
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"buffer_after_minutes": 30}
    )
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z")
    assert spans(look(room, **DAY)["free"]) == [("07:00", "08:30"), ("10:30", "17:00")]
    closures = [{"start": "2027-02-15", "end": "2027-02-15", "from_time": "12:00", "to_time": "24:00"}]
    room.house.location(location_id=room.location_id, version=2, closures=closures)
    assert spans(look(room, **DAY)["free"]) == [("07:00", "08:30"), ("10:30", "11:00")]


def test_a_hall_is_busy_while_a_half_is_booked_and_the_other_half_is_free(room: Any) -> None:
    hall = room.house.resource(room.location_id, display_name="Hall")
    left, right = (room.house.resource(room.location_id, parent_ids=[hall]) for _ in range(2))
    room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{left.hex}")
    assert spans(look(room, resource_id=f"res_{hall.hex}", **DAY)["busy"]) == [("09:00", "10:00")]
    assert look(room, resource_id=f"res_{right.hex}", **DAY)["busy"] == []
    room.book("2027-02-15T11:00:00Z", "2027-02-15T12:00:00Z", resource_id=f"res_{hall.hex}")
    assert spans(look(room, resource_id=f"res_{right.hex}", **DAY)["busy"]) == [("11:00", "12:00")]


def test_a_capacity_of_two_is_busy_only_when_both_are_taken(room: Any) -> None:
    area = room.house.resource(room.location_id, capacity=2)
    for _ in range(2):
        room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{area.hex}")
    room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z", resource_id=f"res_{area.hex}")
    assert spans(look(room, resource_id=f"res_{area.hex}", **DAY)["busy"]) == [("09:00", "10:00")]


def at(hour: float) -> datetime:
    """An hour of 15 February, UTC."""
    return datetime(2027, 2, 15, tzinfo=UTC) + timedelta(hours=hour)


def test_bok_1_what_is_free_can_be_booked_and_what_is_not_cannot(room: Any) -> None:
    """Availability, quotes, bookings and moves agree on an area of three desks with buffers, over random histories."""
    policy = {"buffer_before_minutes": 15, "buffer_after_minutes": 30}
    for seed in range(4):
        draw = random.Random(seed)
        area = f"res_{room.house.resource(room.location_id, capacity=3, booking_policy=policy).hex}"

        def span(draw: random.Random = draw) -> tuple[str, str]:
            start = draw.randrange(14, 34) / 2
            return at(start).isoformat(), at(start + draw.randrange(1, 6) / 2).isoformat()

        made = []
        for _ in range(10):
            start, end = span()
            free = look(room, resource_id=area, **DAY)["free"]
            fits = any(at_or_before(one["start"], start) and at_or_before(end, one["end"]) for one in free)
            inside = start[11:16] >= "07:00" and end[11:16] <= "17:00"
            body = room.body(start, end, resource_id=area, override=False)
            quoted = room.client.post("/v1/bookings/quote", body).json
            assert (quoted["available"] and inside) is fits, (seed, start, end, free)
            if made and draw.random() < 0.3:
                room.client.post(f"/v1/bookings/{made.pop()}/cancellation", {})
            elif made and draw.random() < 0.4 and fits:
                moved = room.client.patch(f"/v1/bookings/{made[0]}", {"start": start, "end": end, "override": False})
                assert moved.status_code == 200, moved.json
            else:
                answer = room.client.post("/v1/bookings", body)
                assert (answer.status_code == 201) is fits, answer.json
                if fits:
                    made.append(answer.json["id"])


def at_or_before(one: str, two: str) -> bool:
    """By the clock, whatever the form."""
    return datetime.fromisoformat(one) <= datetime.fromisoformat(two)


def test_a_booking_that_begins_where_the_window_ends_needs_its_buffer(room: Any) -> None:
    policy = {"buffer_after_minutes": 30}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, booking_policy=policy)
    room.book("2027-02-15T10:00:00Z", "2027-02-15T11:00:00Z")
    shown = look(room, **{"from": "2027-02-15T08:00:00Z", "to": "2027-02-15T10:00:00Z"})
    assert spans(shown["free"]) == [("08:00", "09:30")]


def test_members_are_offered_nothing_that_begins_too_far_ahead(room: Any) -> None:
    policy = {"furthest_days_ahead": 14}
    room.house.resource(room.location_id, resource_id=room.resource_id, version=2, booking_policy=policy)
    member = room.house.member_user(room.member_id)
    query = {"resource_id": f"res_{room.resource_id.hex}", "from": "2027-02-15T00:00:00Z", "to": "2027-02-17T00:00:00Z"}
    assert spans(member.get("/v1/availability", query_string=query).json["free"]) == [("07:00", "17:00")]
    start, end = "2027-02-15T16:00:00Z", "2027-02-15T17:00:00Z"
    assert member.post("/v1/bookings", room.body(start, end)).status_code == 201
    late = room.body("2027-02-16T07:00:00Z", "2027-02-16T08:00:00Z")
    assert member.post("/v1/bookings", late).json["code"] == "too_far_ahead"


def test_a_location_is_answered_with_as_many_statements_as_one_room(room: Any) -> None:
    def month() -> None:
        query = {"location_id": f"loc_{room.location_id.hex}", "from": "2027-02-01T00:00:00Z"}
        answer = room.client.get("/v1/availability", query_string={**query, "to": "2027-03-04T00:00:00Z"})
        assert answer.status_code == 200

    before = room.house.statements_of(month)
    for number in range(20):
        resource_id = room.house.resource(room.location_id, display_name=f"Room {number}")
        room.book("2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", resource_id=f"res_{resource_id.hex}")
    assert room.house.statements_of(month) == before


def test_members_see_free_times_only_from_now_and_the_notice_on(room: Any) -> None:
    room.house.resource(
        room.location_id, resource_id=room.resource_id, version=2, booking_policy={"min_notice_minutes": 60}
    )
    member = room.house.member_user(room.member_id)
    query = {"resource_id": f"res_{room.resource_id.hex}", "date": "2027-02-01"}
    assert spans(member.get("/v1/availability", query_string=query).json["free"]) == [("09:00", "17:00")]
    assert spans(look(room, date="2027-02-01")["free"]) == [("07:00", "17:00")]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2027-02-15T09:00:00Z"},
        {"from": "2027-02-15T09:00:00", "to": "2027-02-16T09:00:00"},
        {"from": "2027-02-16T09:00:00Z", "to": "2027-02-15T09:00:00Z"},
        {"from": "2027-02-16T09:00:00Z", "to": "2029-02-15T09:00:00Z"},
        {"date": "tomorrow"},
        {"date": "2027-02-15", "resource_id": "nonsense"},
    ],
)
def test_bad_windows_are_refused(room: Any, query: dict[str, str]) -> None:
    assert room.client.get("/v1/availability", query_string=query).status_code == 422


def test_gh_1_strangers_see_only_public_resources_and_their_prices(room: Any) -> None:
    with room.house.database.session(room.house.organization_id) as session:
        slug = session.organization.slug
    stranger = room.house.sign_in(room.house.app, None)
    open_room = room.house.resource(room.location_id, display_name="Open Room", visibility="public")
    shown = stranger.get(f"/v1/storefront/{slug}/availability", query_string=DAY)
    assert [item["name"] for item in shown.json["items"]] == ["Open Room"]
    assert stranger.get("/v1/storefront/nobody/availability", query_string=DAY).status_code == 404
    wanted = {"resource_id": f"res_{open_room.hex}", "start": "2027-02-15T09:00:00Z", "end": "2027-02-15T12:00:00Z"}
    quoted = stranger.post(f"/v1/storefront/{slug}/quote", wanted)
    assert (quoted.status_code, quoted.json["total"]["amount_minor"]) == (200, 4500)
    hidden = stranger.post(f"/v1/storefront/{slug}/quote", {**wanted, "resource_id": f"res_{room.resource_id.hex}"})
    assert (hidden.status_code, hidden.json["code"]) == (422, "unknown_resource")
    too_long = stranger.post(f"/v1/storefront/{slug}/quote", {**wanted, "end": "2027-03-29T12:00:00Z"})
    assert too_long.json["code"] == "too_long"
    window = {"from": "2027-02-15T09:00:00Z", "to": "2027-04-15T09:00:00Z"}
    assert stranger.get(f"/v1/storefront/{slug}/availability", query_string=window).json["code"] == "window_too_long"


def test_extras_are_told_at_the_price_at_which_they_are_booked(room: Any) -> None:
    """PRI-5: strangers hear of public rates, members of those that hold for them; a quote says the same."""
    open_room = room.house.resource(room.location_id, display_name="Open Room", visibility="public")
    wanted = {"resource_id": f"res_{open_room.hex}"}

    def sell(audience: str, *extras: tuple[str, int], **more: Any) -> None:
        told = [Extra(code=code, name=code.title(), price=Money(minor, "EUR")) for code, minor in extras]
        room.house.rate(conditions={"audience": audience}, extras=told, **more)

    sell("any", ("coffee", 450), ("tea", 300))
    sell("members", ("coffee", 400), resource_ids=[open_room])
    sell("public", ("beamer", 1500))
    slug = f"org-{room.house.organization_id.hex[-12:]}"
    stranger, member = room.house.sign_in(room.house.app, None), room.house.member_user(room.member_id)
    ways = [
        (stranger, f"/v1/storefront/{slug}/availability", f"/v1/storefront/{slug}/quote"),
        (member, "/v1/availability", "/v1/bookings/quote"),
    ]
    times = {"start": "2027-02-15T09:00:00Z", "end": "2027-02-15T10:00:00Z"}
    found = []
    for client, path, quote in ways:
        shown = client.get(path, query_string={**wanted, **DAY}).json
        assert shown["extras"] == shown["items"][0]["extras"]
        prices = {extra["code"]: extra["price"]["amount_minor"] for extra in shown["extras"]}
        orders = [{"code": code} for code in prices]
        lines = client.post(quote, {**wanted, **times, "extras": orders}).json["lines"]
        assert [line["net"]["amount_minor"] for line in lines if line["kind"] == "extra"] == list(prices.values())
        found.append(prices)
    for_all = {"tea": 300, "projector": 1000}
    assert found == [for_all | {"beamer": 1500, "coffee": 450}, for_all | {"coffee": 400}]
    assert shown["extras"][0] == {"code": "coffee", "name": "Coffee", "price": {"amount_minor": 400, "currency": "EUR"}}


def test_free_rooms_and_rooms_for_members_alone_have_extras_too(room: Any) -> None:
    extras = [Extra(code="coffee", name="Coffee", price=Money(450, "EUR"))]
    free = room.house.resource(room.location_id, display_name="Free", is_free=True, type="event_space")
    room.house.rate(resource_ids=[free], resource_types=[], extras=extras)
    shown = look(room, resource_id=f"res_{free.hex}", **DAY)
    assert (shown["prices"], [extra["code"] for extra in shown["extras"]]) == ([], ["coffee"])
    assert [extra["code"] for extra in look(room, **DAY)["extras"]] == ["projector"]
    member = room.house.member_user(room.member_id)
    inner = {"resource_id": f"res_{room.resource_id.hex}", **DAY}
    assert [extra["code"] for extra in member.get("/v1/availability", query_string=inner).json["extras"]] == [
        "projector"
    ]


def test_the_price_hint_is_that_of_the_day_and_not_of_a_season_that_is_over(room: Any) -> None:
    summer = {"valid_from": "2026-06-01", "valid_until": "2026-08-31"}
    dear = [RatePrice(unit="hour", price=Money(99900, "EUR"))]
    room.house.rate(resource_ids=[room.resource_id], resource_types=[], prices=dear, conditions=summer)
    assert look(room, **DAY)["prices"][0]["price"]["amount_minor"] == 1500


def test_what_nobody_has_set_a_price_for_is_offered_to_nobody_but_staff(room: Any) -> None:
    """DOMAIN section 0: the storefront shows it not at all."""
    there = {"visibility": "public", "type": "event_space"}
    room.house.resource(room.location_id, display_name="No Rate", **there)
    room.house.resource(room.location_id, display_name="Free", is_free=True, **there)
    inner = room.house.resource(room.location_id, display_name="Members", **there)
    for_members = {"conditions": {"audience": "members"}, "resource_types": []}
    room.house.rate(resource_ids=[inner], **for_members)
    slug = f"org-{room.house.organization_id.hex[-12:]}"
    stranger = room.house.sign_in(room.house.app, None)

    def names(client: Any, path: str = "/v1/availability") -> list[str]:
        return [item["name"] for item in client.get(path, query_string=DAY).json["items"]]

    assert names(stranger, f"/v1/storefront/{slug}/availability") == ["Free"]
    assert names(room.house.member_user(room.member_id)) == ["Blue Room", "Free", "Members"]
    assert names(room.client) == ["Blue Room", "Free", "Members", "No Rate"]
