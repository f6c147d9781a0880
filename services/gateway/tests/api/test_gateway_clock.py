"""Advancing the clock: a discrete-event simulation over all services (ARCHITECTURE section 5)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

TARGET = "2027-03-10T12:00:00Z"


def day(month: int, number: int, hour: int = 9) -> datetime:
    return datetime(2027, month, number, hour, tzinfo=UTC)


def tell_the_story(world: Any) -> None:
    """An invoice on 12 Feb and 1 Mar, each charged a week later, each payment booked by invoicing."""
    invoicing, payments = world.services["invoicing"], world.services["payments"]

    def issue(name: str) -> Any:
        def work() -> None:
            world.note(f"{name} issued")
            invoicing.publish("invoicing.invoice-issued.v1", body=name)

        return work

    def schedule(message: Any) -> None:
        def charge() -> None:
            world.note(f"{message.body} charged")
            payments.publish("payments.payment-succeeded.v1", causation=message.id, body=message.body)

        payments.due.append((payments.clock + timedelta(days=7), charge))

    payments.on_message["invoicing.invoice-issued.v1"] = schedule
    invoicing.on_message["payments.payment-succeeded.v1"] = lambda message: world.note(f"{message.body} paid")
    invoicing.due += [(day(3, 1), issue("second")), (day(2, 12), issue("first"))]


def test_an_advance_runs_all_due_work_in_the_order_of_time_across_services(world: Any, gateway: Any) -> None:
    tell_the_story(world)
    answer = gateway().post("/v1/organization/clock/advance", {"to": TARGET})
    assert (answer.status_code, answer.get_json()) == (200, {"now": TARGET, "settled": True})
    assert world.diary == [
        ("02-12 09", "first issued"),
        ("02-19 09", "first charged"),
        ("02-19 09", "first paid"),
        ("03-01 09", "second issued"),
        ("03-08 09", "second charged"),
        ("03-08 09", "second paid"),
    ]


def test_an_advance_that_is_repeated_changes_nothing(world: Any, gateway: Any) -> None:
    tell_the_story(world)
    client = gateway()
    client.post("/v1/organization/clock/advance", {"to": TARGET})
    before = list(world.diary)
    answer = client.post("/v1/organization/clock/advance", {"to": TARGET})
    assert (answer.status_code, answer.get_json()["settled"]) == (200, True)
    assert world.diary == before


def test_two_advances_at_once_do_the_work_once(world: Any, gateway: Any) -> None:
    tell_the_story(world)
    clients, answers = [gateway(), gateway()], []

    def advance(client: Any) -> None:
        answers.append(client.post("/v1/organization/clock/advance", {"to": TARGET}).status_code)

    threads = [threading.Thread(target=advance, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert [what for _, what in world.diary].count("first charged") == 1
    assert len(world.diary) == 6


def test_an_advance_that_cannot_finish_in_time_is_202_and_the_status_drives_it_on(world: Any, gateway: Any) -> None:
    tell_the_story(world)
    world.services["payments"].is_deaf = True
    client = gateway(clock_advance_seconds=0.3, clock_status_seconds=5.0)
    answer = client.post("/v1/organization/clock/advance", {"to": TARGET})
    body = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == body["status_url"] == "/v1/organization/clock"
    assert (body["settled"], body["target"]) == (False, TARGET)
    assert {"service": "payments", "reason": "messages_on_their_way"} in body["waiting_for"]
    world.services["payments"].is_deaf = False
    status = client.get("/v1/organization/clock").get_json()
    assert (status["now"], status["settled"], status["mode"]) == (TARGET, True, "rehearsal")
    assert len(world.diary) == 6


def test_the_clock_of_a_settled_organisation_is_read_without_asking_every_service(world: Any, gateway: Any) -> None:
    client = gateway()
    assert client.post("/v1/organization/clock/advance", {"to": TARGET}).get_json()["settled"]
    world.broken.add("notifications")
    assert client.get("/v1/organization/clock").get_json() == {
        "mode": "rehearsal",
        "now": TARGET,
        "target": None,
        "settled": True,
    }


def test_the_time_is_told_at_once_to_who_does_not_wait(world: Any, gateway: Any) -> None:
    world.services["payments"].is_deaf = True
    tell_the_story(world)
    client = gateway(clock_advance_seconds=0.2, clock_status_seconds=60.0)
    client.post("/v1/organization/clock/advance", {"to": TARGET})
    found = client.get("/v1/organization/clock?wait=false").get_json()
    assert (found["settled"], found["target"]) == (False, TARGET)


def test_work_that_stays_due_for_ever_does_not_hang_an_advance(world: Any, gateway: Any) -> None:
    booking = world.services["booking"]

    def stay_due() -> None:
        booking.due.append((day(2, 3), stay_due))

    booking.due.append((day(2, 3), stay_due))
    answer = gateway(clock_advance_seconds=0.3).post("/v1/organization/clock/advance", {"to": TARGET})
    assert answer.status_code == 202
    assert answer.get_json()["now"] == "2027-02-03T09:00:00Z"
    assert {"service": "booking", "reason": "due_work"} in answer.get_json()["waiting_for"]


def test_a_service_that_is_down_stops_the_clock_and_is_named(world: Any, gateway: Any) -> None:
    world.broken.add("notifications")
    answer = gateway(clock_advance_seconds=0.2).post("/v1/organization/clock/advance", {"to": TARGET})
    assert answer.status_code == 202
    assert {"service": "notifications", "reason": "unreachable"} in answer.get_json()["waiting_for"]
    assert answer.get_json()["now"] == "2027-02-01T08:00:00Z"


def test_the_clock_is_unavailable_while_members_is_down(world: Any, gateway: Any) -> None:
    client = gateway()
    client.get("/v1/bookings")  # the keys are known by now
    world.broken.add("members")
    assert client.get("/v1/organization/clock").status_code == 503
    assert client.post("/v1/organization/clock/advance", {"to": TARGET}).status_code == 503


def test_an_advance_waits_for_members_to_come_back(world: Any, gateway: Any) -> None:
    tell_the_story(world)
    world.services["booking"].due.append((day(2, 3), lambda: world.broken.add("members")))
    timer = threading.Timer(0.8, world.broken.clear)
    timer.start()
    answer = gateway().post("/v1/organization/clock/advance", {"to": TARGET})
    timer.join()
    assert (answer.status_code, len(world.diary)) == (200, 6)


def test_an_advance_in_a_crashed_drivers_stead_waits_for_what_that_one_left_on_its_way(
    world: Any, gateway: Any
) -> None:
    payments = world.services["payments"]
    payments.is_deaf = True
    world.services["invoicing"].publish("invoicing.invoice-issued.v1", body="left").is_published = True
    client = gateway(clock_advance_seconds=0.2)
    answer = client.post("/v1/organization/clock/advance", {"to": "2027-02-01T08:00:00Z"})
    assert answer.status_code == 202
    assert {"service": "payments", "reason": "messages_on_their_way"} in answer.get_json()["waiting_for"]
    standing = client.get("/v1/organization/clock?wait=false").get_json()
    assert (standing["target"], standing["settled"]) == (None, False), "at its goal, with messages on their way"


def test_a_live_organisation_has_the_real_time(world: Any, gateway: Any) -> None:
    world.mode = "live"
    client = gateway()
    answer = client.post("/v1/organization/clock/advance", {"to": TARGET})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "clock_is_real")
    assert client.get("/v1/organization/clock").get_json()["mode"] == "live"


@pytest.mark.parametrize(
    "body",
    [
        {"to": "2027-03-10T12:00:00"},  # naive
        {"to": "2027-01-31T12:00:00Z"},  # past
        {"to": "2067-01-31T12:00:00Z"},  # too far
        {"to": 5},
        {},
        {"to": TARGET, "speed": 2},
    ],
)
def test_a_time_that_cannot_be_advanced_to_is_422_and_moves_nothing(world: Any, gateway: Any, body: Any) -> None:
    answer = gateway().post("/v1/organization/clock/advance", body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert (world.clock, world.target) == (day(2, 1, 8), None)


@pytest.mark.parametrize("role", ["admin", "front_desk", "accountant", "member"])
def test_only_the_owner_advances_the_clock(world: Any, gateway: Any, role: str) -> None:
    assert gateway(role).post("/v1/organization/clock/advance", {"to": TARGET}).status_code == 403


def test_nobody_advances_the_clock_without_signing_in(world: Any, gateway: Any) -> None:
    assert gateway(None).post("/v1/organization/clock/advance", {"to": TARGET}).status_code == 401


def test_a_key_that_came_with_another_target_is_refused_and_a_repetition_is_told(world: Any, gateway: Any) -> None:
    client, path, key = gateway(), "/v1/organization/clock/advance", {"Idempotency-Key": "once"}
    assert "Idempotent-Replayed" not in client.post(path, {"to": "2027-02-02T08:00:00Z"}, headers=key).headers
    again = client.post(path, {"to": "2027-02-02T08:00:00Z"}, headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    other = client.post(path, {"to": TARGET}, headers=key)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert world.clock == day(2, 2, 8)


def test_a_refused_advance_leaves_its_key_free(world: Any, gateway: Any) -> None:
    client, path, key = gateway(), "/v1/organization/clock/advance", {"Idempotency-Key": "once"}
    assert client.post(path, {"to": "2027-01-01T08:00:00Z"}, headers=key).status_code == 422
    assert client.post(path, {"to": TARGET}, headers=key).status_code == 200
    assert len(world.keys) == 1
