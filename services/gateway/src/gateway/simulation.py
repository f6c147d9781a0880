"""Advancing a rehearsal organisation's clock: a discrete-event simulation over all services (ARCHITECTURE section 5).

Settle, find the next instant at which any service has work to do, move the clock there, settle again, until the target
is reached. Cause and effect keep the order of time across services, because the clock stands still until everything
that an instant caused has been handled. Nothing is kept here: the target is stored by members, and any gateway process
can go on where another one stopped; two at once are kept apart by members' compare-and-set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from common.auth import Principal
from common.errors import ConflictError, DomainError, NotFoundError, UnavailableError
from contracts.subscriptions import subscribers
from gateway.settlement import InternalCalls, SettlementReports
from gateway.upstreams import Answer
from gateway.upstreams.pool import GatewayTimeoutError

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.002, 0.05, 1.5
# How far back an advance looks for messages that a driver before it left on their way.
_LOOK_BACK = 1000
_NOTHING_AFTER = 2**62
_PAGE = 5000
_MESSAGES = "messages_on_their_way"
_MEMBERS_PAUSE = 0.25
_REMEMBERED = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ClockState:
    """members' answer: ``mode`` live or rehearsal, the clock, and the target of an advance that is not finished."""

    mode: str
    now: datetime
    target: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an advance came; ``waiting_for`` names what has not settled: {service, reason}."""

    now: datetime
    target: datetime
    settled: bool
    waiting_for: Sequence[Mapping[str, str]] = ()


class Clocks:
    """The organisations' clocks, which members keeps."""

    def __init__(self, calls: InternalCalls) -> None:
        self._calls = calls

    def read(self, organization_id: str) -> ClockState:
        """The clock as it stands. Raises NotFoundError for an organisation that members does not know."""
        answer = self._calls.call("members", "GET", f"/internal/clock?organization_id={organization_id}")
        if answer.status == 404:
            raise NotFoundError("not_found", "there is no such organisation")
        found = _expect_success(answer)
        return ClockState(found["mode"], parse_instant(found["now"]), parse_optional(found.get("target")))

    def move(self, organization_id: str, expected_now: datetime, to: datetime) -> None:
        """Move the clock; when another driver moved it meanwhile, nothing happens."""
        body = {"organization_id": organization_id, "expected_now": _text(expected_now), "to": _text(to)}
        answer = self._calls.call("members", "POST", "/internal/clock", body)
        if answer.status != 409 or answer.json().get("code") != "clock_moved":
            _expect_success(answer)

    def set_target(self, organization_id: str, to: datetime, by: Principal) -> None:
        """Remember how far the clock is to go, so that any process can finish what this one begins."""
        who = {"actor": by.subject, "actor_role": by.role.value}
        body = {"organization_id": organization_id, "to": _text(to), **who}
        answer = self._calls.call("members", "POST", "/internal/clock/target", body)
        _expect_success(answer)


class Simulation:
    """Drives one organisation's clock to a target."""

    def __init__(
        self,
        clocks: Clocks,
        reports: SettlementReports,
        *,
        listeners: Callable[[str], Sequence[str]] = subscribers,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clocks, self._reports, self._listeners = clocks, reports, listeners
        self._monotonic, self._sleep = monotonic, sleep
        self._settled: dict[str, datetime] = {}

    def has_settled(self, organization_id: str, now: datetime) -> bool:
        """Whether this process saw everything settle at this time of the clock: asking all services again is dear."""
        return self._settled.get(organization_id) == now

    def drive(self, organization_id: str, to: datetime, seconds: float) -> Progress:
        """Move the clock to ``to`` through every due instant; stops after ``seconds`` and may be called again."""
        until = self._monotonic() + seconds
        survey = Survey(self._reports, self._listeners, organization_id)
        while True:
            now = self._patiently(lambda: self._clocks.read(organization_id).now, until)
            is_settled = self._settle(survey, now, until)
            if not is_settled and survey.is_overtaken and self._monotonic() < until:
                continue  # another driver moved the clock
            if not is_settled:
                return Progress(now, to, settled=False, waiting_for=survey.outstanding)
            if now >= to:
                self._remember(organization_id, now)
                return Progress(now, to, settled=True)
            step = min(survey.next_due or to, to)
            self._patiently(partial(self._clocks.move, organization_id, now, step), until)

    def _remember(self, organization_id: str, now: datetime) -> None:
        if len(self._settled) >= _REMEMBERED:
            self._settled.clear()
        self._settled[organization_id] = now

    def _patiently(self, call: Callable[[], Value], until: float) -> Value:
        """Ask members; one of its processes may just be starting anew. Repeating is harmless: moves are compared."""
        while True:
            try:
                return call()
            except (UnavailableError, GatewayTimeoutError):
                if self._monotonic() >= until:
                    raise
                self._sleep(_MEMBERS_PAUSE)

    def _settle(self, survey: Survey, now: datetime, until: float) -> bool:
        """Wait until two surveys in a row find nothing outstanding and nothing new."""
        pause, before = _FIRST_PAUSE, None
        while True:
            is_last = self._monotonic() >= until
            survey.take(now, thoroughly=is_last)
            if not survey.outstanding:
                if before == survey.positions:
                    survey.start_over()
                    return True
                before = dict(survey.positions)
            else:
                before = None
            if survey.is_overtaken or is_last:
                return False
            self._sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)


@dataclass
class Survey:
    """What all services say about one organisation, and what is missing until it has settled."""

    reports: SettlementReports
    listeners: Callable[[str], Sequence[str]]
    organization_id: str
    outstanding: list[dict[str, str]] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    next_due: datetime | None = None
    is_overtaken: bool = False
    _after: dict[str, int] = field(default_factory=dict)
    _awaited: dict[str, set[str]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def take(self, now: datetime, *, thoroughly: bool = False) -> None:
        """Ask every service once, those first that something was missing at; stop at the first that has not settled.

        ``thoroughly`` asks all of them, to tell people everything that is missing.
        """
        busy = {reason["service"] for reason in self.outstanding}
        self.outstanding, self.next_due, self.is_overtaken = [], None, False
        for name in sorted(self.reports.services(), key=lambda name: name not in busy):
            try:
                self._visit(name, now)
            except DomainError:
                self._report(name, "unreachable")
            if self.outstanding and not thoroughly:
                return
        # Messages that turned up after their subscriber had been asked.
        for name, ids in self._awaited.items():
            if ids:
                self._report(name, _MESSAGES)

    def start_over(self) -> None:
        """Everything so far has arrived: count from here."""
        self._after = dict(self.positions)
        self._awaited.clear()
        self._seen.clear()

    def _visit(self, name: str, now: datetime) -> None:
        if name not in self._after:
            self._after[name] = self._first_position(name)
        awaited = self._awaited.setdefault(name, set())
        asked = sorted(awaited)[:_PAGE]
        report = self.reports.ask(name, self._question(self._after[name], asked))
        awaited.difference_update(set(asked) - set(report["missing"]))
        self.positions[name] = report["last_seq"]
        self._note_messages(name, report["published"])
        self._note_standing(name, report, now)

    def _question(self, after_seq: int, expect: Sequence[str] = ()) -> dict[str, Any]:
        return {"organization_id": self.organization_id, "after_seq": after_seq, "expect": list(expect)}

    def _first_position(self, name: str) -> int:
        last: int = self.reports.ask(name, self._question(_NOTHING_AFTER))["last_seq"]
        return max(0, last - _LOOK_BACK)

    def _note_messages(self, name: str, published: Sequence[Mapping[str, Any]]) -> None:
        for message in published:
            if message["id"] not in self._seen:
                self._seen.add(message["id"])
                self._await(message["id"], message["routing_key"])
        if len(published) >= _PAGE:
            self._after[name] = published[-1]["seq"]
            self._report(name, "more_messages")

    def _await(self, message_id: str, routing_key: str) -> None:
        for name in self.listeners(routing_key):
            if self.reports.knows(name):
                self._awaited.setdefault(name, set()).add(message_id)

    def _note_standing(self, name: str, report: Mapping[str, Any], now: datetime) -> None:
        due, clock = parse_optional(report["next_due"]), parse_optional(report["now"])
        if report["unpublished"]:
            self._report(name, "unpublished_messages")
        if self._awaited[name]:
            self._report(name, _MESSAGES)
        if clock != now:
            self._report(name, "clock")
            self.is_overtaken |= clock is not None and clock > now
        if due is not None and due <= now:
            self._report(name, "due_work")
        elif due is not None:
            self.next_due = min(self.next_due or due, due)

    def _report(self, name: str, reason: str) -> None:
        found = {"service": name, "reason": reason}
        if found not in self.outstanding:
            self.outstanding.append(found)


def parse_instant(text: str) -> datetime:
    """An aware instant from ISO text."""
    return datetime.fromisoformat(text)


def parse_optional(text: str | None) -> datetime | None:
    """An aware instant, or None."""
    return parse_instant(text) if text else None


def _text(instant: datetime) -> str:
    return instant.isoformat()


def _expect_success(answer: Answer) -> Mapping[str, Any]:
    """members' answer; its refusals are passed on."""
    if answer.status < 300:
        found: Mapping[str, Any] = answer.json()
        return found
    if answer.status in {409, 422}:
        refusal = answer.json()
        raise ConflictError(str(refusal.get("code", "conflict")), str(refusal.get("detail", "")))
    raise UnavailableError("service_unavailable", "the clock cannot be moved just now", extra={"service": "members"})


def first_reasons(waiting_for: Iterable[Mapping[str, str]], count: int = 10) -> list[dict[str, str]]:
    """A few of the reasons, for people."""
    return [dict(reason) for reason in list(waiting_for)[:count]]
