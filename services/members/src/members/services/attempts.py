"""Throttling of sign-ins: attempts are counted in the database, for all web processes together.

An attempt counts before the password is looked at, so that many at once cannot slip through; a good one is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from common.db import TenantSession
from common.errors import TooManyRequestsError
from members.models import SignInAttempts


def count_attempt(session: TenantSession, limits: Mapping[str, int], window: timedelta) -> None:
    """Count one attempt in each scope and commit.

    ``limits`` maps scopes (``account:…``, ``address:…``, ``password:…``) to how many attempts they have in a window.
    Raises TooManyRequestsError with Retry-After when one has none left.
    """
    now = session.clock.now()
    waits = []
    # Sorted, so that two attempts on overlapping scopes wait for each other instead of deadlocking.
    for scope in sorted(limits):
        attempts, ends = _count(session, scope, window)
        if attempts > limits[scope]:
            waits.append((ends - now).total_seconds())
    forget_old_attempts(session, at_most=20)
    session.commit()
    if waits:
        seconds = max(1, ceil(max(waits)))
        raise TooManyRequestsError(
            "too_many_attempts",
            f"too many attempts; try again in {seconds} seconds",
            headers={"Retry-After": str(seconds)},
        )


def _count(session: TenantSession, scope: str, window: timedelta) -> tuple[int, datetime]:
    now, table = session.clock.now(), SignInAttempts
    statement = insert(table).values(scope=scope, attempts=1, window_ends_at=now + window)
    running = table.window_ends_at > now
    row = session.execute(
        statement.on_conflict_do_update(
            index_elements=["scope"],
            set_={
                "attempts": case((running, table.attempts + 1), else_=1),
                "window_ends_at": case((running, table.window_ends_at), else_=now + window),
            },
        ).returning(table.attempts, table.window_ends_at)
    ).one()
    return row.attempts, row.window_ends_at


def forgive_attempt(session: TenantSession, account: str, address: str) -> None:
    """The password was right: the account starts anew, the address gets its attempt back."""
    forget_attempts(session, account)
    session.execute(
        update(SignInAttempts)
        .where(SignInAttempts.scope == address, SignInAttempts.attempts > 0)
        .values(attempts=SignInAttempts.attempts - 1)
    )


def forget_attempts(session: TenantSession, scope: str) -> None:
    """Let a scope start anew."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.scope == scope))


def forget_old_attempts(session: TenantSession, *, at_most: int) -> int:
    """Delete some windows that have ended, so that the table stays small; returns how many."""
    ended = select(SignInAttempts.scope).where(SignInAttempts.window_ends_at <= session.clock.now()).limit(at_most)
    gone = delete(SignInAttempts).where(SignInAttempts.scope.in_(ended.with_for_update(skip_locked=True)))
    return len(session.scalars(gone.returning(SignInAttempts.scope)).all())
