"""Secrets sent by mail that open the door once: sign-in links and invitations."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from common import audit
from common.db import TenantSession
from common.errors import UnauthenticatedError
from common.messaging import outbox
from members.config import MembersSettings
from members.messages.publishes import sign_in_link_requested, user_invited
from members.models import EntryToken, StaffUser
from members.services.passwords import hash_password
from members.services.secrecy import new_token, token_hash
from members.services.subjects import Person, find_person
from members.services.tokens import revoke_all


def send_link(session: TenantSession, settings: MembersSettings, person: Person) -> None:
    """Have a sign-in link mailed."""
    token, expires_at = _make(session, person, "link", settings.sign_in_link_seconds)
    message = sign_in_link_requested(person, token, expires_at)
    outbox.add(session, message, aggregate_id=person.id, aggregate_version=person.version)


def invite(session: TenantSession, settings: MembersSettings, person: Person) -> None:
    """Have an invitation mailed; an earlier one stops working."""
    session.execute(
        delete(EntryToken).where(EntryToken.subject == person.subject, EntryToken.kind == "invitation"),
        execution_options={"synchronize_session": False},
    )
    token, expires_at = _make(session, person, "invitation", settings.invitation_seconds)
    role = person.role if isinstance(person, StaffUser) else "member"
    message = user_invited(person, role, token, expires_at)
    outbox.add(session, message, aggregate_id=person.id, aggregate_version=person.version)
    audit.record(session, "invitation.sent", person.subject)


def _make(session: TenantSession, person: Person, kind: str, seconds: int) -> tuple[str, datetime]:
    now = session.clock.now()
    session.execute(
        delete(EntryToken).where(EntryToken.subject == person.subject, EntryToken.expires_at <= now),
        execution_options={"synchronize_session": False},
    )
    token, expires_at = new_token("et_"), now + timedelta(seconds=seconds)
    entry = EntryToken(kind=kind, subject=person.subject, token_hash=token_hash(token), expires_at=expires_at)
    session.add(entry)
    session.flush()
    return token, expires_at


def use_token(session: TenantSession, token: str) -> Person:
    """Whom a link or an invitation lets in; uses it up and makes an invited user active.

    The session must be of all organisations; it is bound to the token's. Raises UnauthenticatedError for an unknown,
    used or expired token.
    """
    now = session.clock.now()
    spent = (
        update(EntryToken)
        .where(EntryToken.token_hash == token_hash(token), EntryToken.used_at.is_(None), EntryToken.expires_at > now)
        .values(used_at=now)
        .returning(EntryToken.organization_id, EntryToken.subject)
    )
    row = session.execute(spent, execution_options={"synchronize_session": False}).one_or_none()
    if row is None:
        raise _refused()
    session.bind_organization(row.organization_id)
    person = find_person(session, row.subject, lock=True)
    if person is None:
        raise _refused()
    if person.status == "invited":
        person.status = "active"
        person.touch()
    return person


def set_password(session: TenantSession, person: Person, password: str) -> None:
    """Give somebody a new password; all earlier sign-ins and open links end."""
    person.password_hash = hash_password(password)
    person.touch()
    revoke_all(session, person.subject, "password_changed")
    forget_tokens(session, person.subject)
    audit.record(session, "password.changed", person.subject)


def forget_tokens(session: TenantSession, subject: str) -> None:
    """Make a person's open links and invitations useless."""
    open_ones = select(EntryToken.id).where(EntryToken.subject == subject, EntryToken.used_at.is_(None))
    session.execute(
        delete(EntryToken).where(EntryToken.id.in_(open_ones)), execution_options={"synchronize_session": False}
    )


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "link_invalid",
        "this link was used before or has expired; ask for another one",
        headers={"WWW-Authenticate": 'Bearer realm="deskledger"'},
    )
