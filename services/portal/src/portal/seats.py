"""Who is signed in: one seat for staff and one for a member, so that both portals can be used side by side."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

from flask import current_app, g, session

STAFF, MEMBER = "staff", "member"
_EARLY_SECONDS = 30
_REMEMBERED_SECONDS = 60


@dataclass(slots=True)
class Seat:
    """A sign-in with what every page needs to know, so that no page has to ask for it."""

    access_token: str
    refresh_token: str | None
    expires_at: int
    organization: dict[str, Any]
    me: dict[str, Any]

    @property
    def is_staff(self) -> bool:
        """Anybody but a member."""
        return bool(self.me.get("role") != "member")

    @property
    def is_rehearsal(self) -> bool:
        """Whether the organisation has a clock of its own."""
        return self.organization.get("mode") == "rehearsal"

    def may(self, *roles: str) -> bool:
        """Whether the role is one of these."""
        return self.me.get("role") in roles

    def renew(self, tokens: dict[str, Any]) -> None:
        """Take new tokens."""
        self.access_token = tokens["access_token"]
        self.refresh_token = tokens.get("refresh_token") or self.refresh_token
        self.expires_at = int(_seconds()) + int(tokens.get("expires_in") or 0)

    def is_stale(self) -> bool:
        """Whether the access token ends now or in a moment."""
        return self.expires_at - _EARLY_SECONDS <= _seconds()


_ORGANIZATION = ("id", "name", "slug", "country", "currency", "timezone", "mode", "language", "brand_colour")
# What pages keep in the session that says nothing about another organisation.
_OF_ONE_ORGANIZATION = ("since", "clock", "all_set_up")
_ME = ("subject", "role", "name", "email", "language", "member_id", "company_id")
# Kept only when true: cookies are small.
_POWERS = ("is_billing_person", "is_contact_person")


def make_seat(tokens: dict[str, Any], organization: dict[str, Any], me: dict[str, Any]) -> Seat:
    """A seat from the API's answers."""
    powers = {name: True for name in _POWERS if me.get(name)}
    seat = Seat("", None, 0, _part(organization, _ORGANIZATION), _part(me, _ME) | powers)
    seat.renew(tokens)
    return seat


def take_seat(seat: Seat) -> None:
    """Sign in: remember the seat in the visitor's cookie."""
    if session.get("slug") != seat.organization["slug"]:
        for name in _OF_ONE_ORGANIZATION:
            session.pop(name, None)
    session[_kind(seat)] = asdict(seat)
    session["slug"] = seat.organization["slug"]
    if seat.me.get("language"):
        session["language"] = str(seat.me["language"])[:2]


def seat_of(kind: str) -> Seat | None:
    """The visitor's seat of a kind."""
    kept = session.get(kind)
    return Seat(**kept) if kept else None


def use_seat(seat: Seat | None) -> None:
    """Let this request's calls be made on this seat."""
    g.seat = seat
    if seat is not None:
        g.country = seat.organization.get("country")


def current_seat() -> Seat:
    """The seat of the running request; views behind a portal's door always have one."""
    seat: Seat = g.seat
    return seat


def leave_seat(seat: Seat) -> None:
    """Sign out here; the last organisation's name stays for the next time."""
    session.pop(_kind(seat), None)


def keep_organization(organization: dict[str, Any]) -> None:
    """Remember a changed organisation on the current seat."""
    seat = current_seat()
    seat.organization = _part(organization, _ORGANIZATION)
    take_seat(seat)


def _kind(seat: Seat) -> str:
    return STAFF if seat.is_staff else MEMBER


def _part(whole: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: whole[name] for name in names if whole.get(name) is not None}


def _seconds() -> float:
    return float(current_app.extensions["clock"].now().timestamp())


class Renewals:
    """Exchanges refresh tokens, each once: pages that are loaded at the same time share the answer.

    A refresh token that comes back a second time counts as stolen and ends the sign-in.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: OrderedDict[str, tuple[float, dict[str, Any] | None]] = OrderedDict()

    def exchange(self, refresh_token: str, ask: Any) -> dict[str, Any] | None:
        """New tokens, or None when the sign-in has ended; ``ask(refresh_token)`` asks the gateway."""
        with self._lock:
            self._forget()
            if refresh_token not in self._done:
                self._done[refresh_token] = (time.monotonic(), ask(refresh_token))
            return self._done[refresh_token][1]

    def _forget(self) -> None:
        oldest = time.monotonic() - _REMEMBERED_SECONDS
        while self._done and next(iter(self._done.values()))[0] < oldest:
            self._done.popitem(last=False)
