"""Signing in: by password, by a mailed link, by an invitation, with an API key."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from common import audit
from common.db import TenantSession
from common.errors import UnauthenticatedError
from common.ids import encode_id
from common.telemetry import current_trace
from members.config import MembersSettings
from members.models import ApiKey
from members.services.attempts import count_attempt, forget_attempts, forgive_attempt
from members.services.entry_tokens import send_link, set_password, use_token
from members.services.organizations import organization_by_slug
from members.services.passwords import hash_password, needs_new_hash, password_fits
from members.services.secrecy import keyed_digest, token_hash
from members.services.subjects import Person, Side, find_person, location_claim, people_with_email
from members.services.tokens import Tokens, issue_access_token, start_sign_in


def with_password(
    session: TenantSession, settings: MembersSettings, *, slug: str, email: str, password: str, side: Side = None
) -> Tokens:
    """Sign in with e-mail and password; commits in between, so that no transaction waits for the password's hash.

    The session must be of all organisations. Raises UnauthenticatedError alike for an unknown organisation, an unknown
    address and a wrong password, and TooManyRequestsError.
    """
    account, address = _scopes(settings, slug, email)
    count_attempt(session, _limits(settings, account, address), timedelta(seconds=settings.sign_in_window_seconds))
    people = _candidates(session, slug, email, side)
    subjects = [(person.subject, person.password_hash) for person in people]
    session.commit()
    subject = _who_fits(subjects, password)
    person = find_person(session, subject, lock=True) if subject else None
    # Between the look and the lock the password may have been changed.
    if person is None or (person.subject, person.password_hash) not in subjects:
        raise UnauthenticatedError(
            "sign_in_refused",
            "organisation, e-mail address or password is wrong",
            headers={"WWW-Authenticate": 'Bearer realm="deskledger"'},
        )
    forgive_attempt(session, account, address)
    if person.password_hash and needs_new_hash(person.password_hash):
        person.password_hash = hash_password(password)
    return start_sign_in(session, settings, person)


def _candidates(session: TenantSession, slug: str, email: str, side: Side) -> list[Person]:
    organization_id = organization_by_slug(session, slug)
    if organization_id is None:
        return []
    session.bind_organization(organization_id)
    return people_with_email(session, email, side)


def _who_fits(subjects: list[tuple[str, str | None]], password: str) -> str | None:
    """At least one hash is computed, whoever is or is not known."""
    found = [subject for subject, password_hash in subjects or [("", None)] if password_fits(password_hash, password)]
    return found[0] if found else None


def _scopes(settings: MembersSettings, slug: str, email: str) -> tuple[str, str]:
    account = keyed_digest(settings.secret, "attempts", slug.encode(), email.lower().encode()).hex()
    return f"account:{account}", f"address:{current_trace().address or 'unknown'}"


def _limits(settings: MembersSettings, account: str, address: str) -> dict[str, int]:
    return {account: settings.sign_in_attempts, address: settings.sign_in_address_attempts}


def request_link(
    session: TenantSession, settings: MembersSettings, *, slug: str, email: str, side: Side = None
) -> None:
    """Mail a sign-in link if anybody has the address; says nothing about whether somebody has (GH-1).

    The session must be of all organisations. Raises TooManyRequestsError for too many requests.
    """
    account, address = _scopes(settings, slug, email)
    limits = {f"link-{account}": settings.sign_in_attempts, f"link-{address}": settings.sign_in_address_attempts}
    count_attempt(session, limits, timedelta(seconds=settings.sign_in_window_seconds))
    people = _candidates(session, slug, email, side)
    if people:
        send_link(session, settings, people[0])


def with_link(session: TenantSession, settings: MembersSettings, token: str) -> Tokens:
    """Sign in with the token of a mailed link or invitation; it works once. Raises UnauthenticatedError."""
    return start_sign_in(session, settings, use_token(session, token))


def accept_invitation(session: TenantSession, settings: MembersSettings, token: str, password: str) -> Tokens:
    """Choose a password with the token of an invitation (or link), and be signed in. Raises UnauthenticatedError."""
    person = use_token(session, token)
    set_password(session, person, password)
    return start_sign_in(session, settings, person)


def with_api_key(session: TenantSession, settings: MembersSettings, key: str) -> Tokens:
    """Exchange an API key for an access token of its role. Raises UnauthenticatedError.

    The session must be of all organisations; it is bound to the key's.
    """
    now = session.clock.now()
    row = session.scalars(select(ApiKey).where(ApiKey.key_hash == token_hash(key))).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise UnauthenticatedError(
            "api_key_invalid",
            "this API key is not known, has expired or was revoked",
            headers={"WWW-Authenticate": 'Bearer realm="deskledger"'},
        )
    organization_id, key_id, expires_at = row.organization_id, row.id, row.expires_at
    claims = {
        "sub": encode_id("key", key_id),
        "role": row.role,
        "locations": location_claim(row.location_ids),
    }
    session.bind_organization(organization_id)
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))
    return issue_access_token(session, settings, claims, until=expires_at)


def change_password(
    session: TenantSession, settings: MembersSettings, subject: str, *, current: str | None, new: str
) -> Tokens:
    """Change one's own password; who has none yet needs no current one. All other sign-ins end.

    Attempts are counted as for a sign-in: a token that fell into wrong hands is no leave to guess. Raises
    UnauthenticatedError when the current one is wrong, and TooManyRequestsError.
    """
    attempts = f"password:{subject}"
    count_attempt(session, {attempts: settings.sign_in_attempts}, timedelta(seconds=settings.sign_in_window_seconds))
    person = find_person(session, subject, lock=True)
    if person is None or (person.password_hash and not password_fits(person.password_hash, current or "")):
        raise UnauthenticatedError("password_wrong", "the current password is wrong")
    forget_attempts(session, attempts)
    set_password(session, person, new)
    audit.record(session, "password.changed_by_owner", subject)
    return start_sign_in(session, settings, person)
