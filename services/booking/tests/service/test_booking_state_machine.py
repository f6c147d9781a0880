"""Random bookings, moves, cancellations and passing time never overlap, and credits never go below zero (BOK-1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from booking.domain.statuses import OCCUPYING
from booking.models import Booking, CreditGrant, Occupancy
from common.db import Database
from common.testing.plugin import ApiClient, add_organization

DAY = datetime.fromisoformat("2027-02-15T07:00:00+00:00")
RESOURCES = ("room", "area", "hall", "half")


class Bookings(RuleBasedStateMachine):
    """One house with a room, an area of three desks, and a hall with a half that can be booked alone."""

    make_house: Callable[[], Any]

    def __init__(self) -> None:
        super().__init__()
        self.house = self.make_house()
        location = self.house.location()
        self.house.rate()
        hall = self.house.resource(location, display_name="Hall")
        self.resources: dict[str, UUID] = {
            "room": self.house.resource(location),
            "area": self.house.resource(location, capacity=3),
            "hall": hall,
            "half": self.house.resource(location, parent_ids=[hall]),
        }
        self.capacity = {"room": 1, "area": 3, "hall": 1, "half": 1}
        self.member = self.house.member()
        self.house.credits(self.member, "5")
        self.client: ApiClient = self.house.user()
        self.known: list[str] = []
        self.now = datetime.fromisoformat("2027-02-01T08:00:00+00:00")

    @rule(
        name=st.sampled_from(RESOURCES),
        start=st.integers(0, 8),
        length=st.integers(1, 4),
        payment=st.sampled_from(["on_invoice", "now"]),
    )
    def book(self, name: str, start: int, length: int, payment: str) -> None:
        """Book when there is a free unit throughout, and only then."""
        begin = DAY + timedelta(hours=start)
        end = begin + timedelta(hours=length)
        possible = self.has_room(name, begin, end)
        answer = self.client.post(
            "/v1/bookings",
            {
                "resource_id": f"res_{self.resources[name].hex}",
                "member_id": f"mem_{self.member.hex}",
                "start": begin.isoformat(),
                "end": end.isoformat(),
                "payment": payment,
            },
        )
        assert answer.status_code == (201 if possible else 409), answer.json
        if possible:
            self.known.append(answer.json["id"])

    @precondition(lambda self: self.known)
    @rule(data=st.data(), start=st.integers(0, 8))
    def move(self, data: Any, start: int) -> None:
        """Move any booking anywhere; a refusal leaves it where it was."""
        booking = data.draw(st.sampled_from(self.known))
        begin = (DAY + timedelta(hours=start)).isoformat()
        assert self.client.patch(f"/v1/bookings/{booking}", {"start": begin}).status_code in {200, 409}

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        """Cancel any booking."""
        booking = data.draw(st.sampled_from(self.known))
        assert self.client.post(f"/v1/bookings/{booking}/cancellation").status_code in {200, 409}

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        """Time passes, so that holds run out."""
        self.now += timedelta(minutes=minutes)
        self.house.advance(self.now)

    def rows(self) -> list[Booking]:
        """All bookings that keep others out."""
        with self.house.database.session(self.house.organization_id) as session:
            now = session.now()
            return [row for row in session.scalars(select(Booking)) if row.lifecycle.at(now) in OCCUPYING]

    def has_room(self, name: str, begin: datetime, end: datetime) -> bool:
        """The oracle: by the bookings alone, without the table of occupancy."""
        wanted = {self.resources[name]}
        if name == "hall":
            wanted.add(self.resources["half"])
        if name == "half":
            wanted.add(self.resources["hall"])
        clashing = [r for r in self.rows() if r.resource_id in wanted and r.starts_at < end and begin < r.ends_at]
        return len({row.unit_no for row in clashing}) < self.capacity[name]

    @invariant()
    def nothing_overlaps(self) -> None:
        """No unit is booked twice, and the hall never together with its half."""
        rows = self.rows()
        hall = {self.resources["hall"], self.resources["half"]}
        for first in rows:
            for second in rows:
                if first.id >= second.id or not first.interval.overlaps(second.interval):
                    continue
                assert (first.resource_id, first.unit_no) != (second.resource_id, second.unit_no)
                assert {first.resource_id, second.resource_id} != hall

    @invariant()
    def credits_add_up(self) -> None:
        """Reserved is what the open bookings use; nothing is below zero."""
        with self.house.database.session(self.house.organization_id) as session:
            reserved = session.scalar(select(func.coalesce(func.sum(CreditGrant.reserved), 0)))
            assert min((grant.available for grant in session.scalars(select(CreditGrant))), default=0) >= 0
            used = session.scalar(
                select(func.coalesce(func.sum(Booking.credits_used), 0)).where(
                    Booking.status.in_(["held", "tentative", "confirmed"])
                )
            )
            assert reserved == used
            ended = select(Booking.id).where(Booking.status.not_in([status.value for status in OCCUPYING]))
            left = session.scalar(select(func.count()).select_from(Occupancy).where(Occupancy.booking_id.in_(ended)))
            assert left == 0


def test_bok_1_random_histories_never_overlap(booking_app: Any, sign_in: Any, house_type: Any) -> None:
    def make_house() -> Any:
        database: Database = booking_app.extensions["database"]
        start = datetime.fromisoformat("2027-02-01T08:00:00+00:00")
        return house_type(booking_app, add_organization(database, mode="rehearsal", clock_now=start), sign_in)

    machine = type("Machine", (Bookings,), {"make_house": staticmethod(make_house)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=5, stateful_step_count=14, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
