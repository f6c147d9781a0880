"""Organisations: sign-up and changes. This service owns the table ``organization``; all others have copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from common import audit
from common.db import TenantSession
from common.db.database import Organization
from common.db.plumbing import organization_table
from common.errors import ConflictError, InvalidError, NotFoundError
from common.ids import encode_id, new_id
from common.messaging import outbox
from common.telemetry import act_as
from members.config import MembersSettings
from members.messages.publishes import organization_changed
from members.models import SignUp, StaffUser
from members.services.logos import check_logo
from members.services.passwords import hash_password
from members.services.secrecy import keyed_digest
from members.services.subjects import find_person
from members.services.tokens import Tokens, start_sign_in
from members.services.vat_numbers import normal_vat_number

FIXED = ("currency", "mode")
# As long as any idempotency key is kept (API.md, conventions): a sign-up is no second password for ever.
REPLAYED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new organisation and its owner's tokens; ``replayed`` when the same request was answered before."""

    organization: Organization
    tokens: Tokens
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """An idempotency key with what it was sent from, and the body: kept as keyed digests only."""

    key: bytes
    body: bytes


def sign_up(
    session: TenantSession,
    settings: MembersSettings,
    *,
    owner: dict[str, Any],
    identity: RequestIdentity | None = None,
    **values: Any,
) -> SignedUp:
    """Create an organisation with its owner. ``values`` are its fields; ``clock`` is for rehearsals.

    The session must be of all organisations; it is bound to the new one. Raises ConflictError("slug_taken"), and
    InvalidError for a clock on a live organisation or a reused idempotency key.
    """
    if values.get("mode") != "rehearsal" and values.get("clock") is not None:
        raise InvalidError("clock_is_real", "a live organisation has the real time; only a rehearsal takes a clock")
    password_hash = hash_password(owner["password"])
    organization_id, user_id = new_id(), new_id()
    if identity is not None and not _claim(session, settings, identity, organization_id, user_id):
        return _replay(session, settings, identity)
    _insert(session, organization_id, values)
    session.bind_organization(organization_id)
    user = StaffUser(
        id=user_id,
        name=owner["name"],
        email=owner["email"],
        role="owner",
        status="active",
        password_hash=password_hash,
        created_at=session.now(),
    )
    session.add(user)
    session.flush()
    act_as(user.subject, user.role)
    announce(session, session.organization)
    audit.record(session, "organization.created", encode_id("org", organization_id), {"slug": values["slug"]})
    return SignedUp(session.organization, start_sign_in(session, settings, user))


def _insert(session: TenantSession, organization_id: UUID, values: dict[str, Any]) -> None:
    rehearsal = values["mode"] == "rehearsal"
    row = {
        **{name: values[name] for name in ("slug", "name", "country", "currency", "timezone", "language", "mode")},
        "id": organization_id,
        "profile": _checked(values.get("profile") or {}, values["country"]),
        "clock_now": (values.get("clock") or session.clock.now()) if rehearsal else None,
        "clock_version": 1 if rehearsal else 0,
        "version": 1,
    }
    taken = insert(organization_table).values(row).on_conflict_do_nothing(index_elements=["slug"])
    if session.execute(taken.returning(organization_table.c.id)).first() is None:
        raise ConflictError("slug_taken", f"the slug {values['slug']!r} is taken; choose another one")


def _claim(
    session: TenantSession, settings: MembersSettings, identity: RequestIdentity, organization_id: UUID, user_id: UUID
) -> bool:
    """Whether nobody has sent this key before; keys past their time are forgotten first."""
    session.execute(delete(SignUp).where(SignUp.created_at <= session.clock.now() - REPLAYED_FOR))
    key, body = _digests(settings, identity)
    row = {
        "key_digest": key,
        "body_digest": body,
        "organization_id": organization_id,
        "user_id": user_id,
        "created_at": session.clock.now(),
    }
    claimed = insert(SignUp).values(row).on_conflict_do_nothing().returning(SignUp.key_digest)
    return session.execute(claimed).first() is not None


def _replay(session: TenantSession, settings: MembersSettings, identity: RequestIdentity) -> SignedUp:
    """The same sign-up again: the same organisation, and new tokens, since none are stored to be repeated."""
    key, body = _digests(settings, identity)
    earlier = session.scalars(select(SignUp).where(SignUp.key_digest == key)).one()
    if earlier.body_digest != body:
        raise InvalidError("idempotency_key_reused", "this key was used with another request body")
    session.bind_organization(earlier.organization_id)
    owner = find_person(session, encode_id("usr", earlier.user_id))
    if owner is None:
        raise ConflictError("slug_taken", "this organisation exists already, and its first owner has left")
    return SignedUp(session.organization, start_sign_in(session, settings, owner), replayed=True)


def _digests(settings: MembersSettings, identity: RequestIdentity) -> tuple[bytes, bytes]:
    return (
        keyed_digest(settings.secret, "sign-up", b"key", identity.key),
        keyed_digest(settings.secret, "sign-up", b"body", identity.body),
    )


def organization_by_slug(session: TenantSession, slug: str) -> UUID | None:
    """The id of the organisation with a slug; the session must be of all organisations."""
    return session.scalar(select(organization_table.c.id).where(organization_table.c.slug == slug))


def lock_organization(session: TenantSession, organization_id: UUID) -> Organization:
    """An organisation's present state, locked until the transaction ends. Raises NotFoundError."""
    table = organization_table
    row = session.execute(select(table).where(table.c.id == organization_id).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFoundError("organization_not_found", "there is no such organisation")
    return Organization(**row)


def update_organization(session: TenantSession, organization: Organization, **values: Any) -> Organization:
    """Write a locked organisation's columns; returns its new state."""
    table = organization_table
    changed = table.update().where(table.c.id == organization.id).values(**values).returning(*table.c)
    state = Organization(**session.execute(changed).mappings().one())
    session.bind_organization(session.organization_id)
    return state


def change_organization(
    session: TenantSession, organization: Organization, values: dict[str, Any], profile: dict[str, Any]
) -> Organization:
    """Change a locked organisation; ``profile`` entries replace those of the same name, None removes one.

    Currency and mode are fixed: what was booked and billed depends on them. Raises ConflictError for those, and
    InvalidError for a malformed VAT number (TAX-3).
    """
    for name in FIXED:
        if values.get(name, getattr(organization, name)) != getattr(organization, name):
            raise ConflictError(f"{name}_is_fixed", f"the {name} of an organisation cannot be changed; make a new one")
    profile = _checked(profile, values.get("country", organization.country))
    merged = {name: value for name, value in {**organization.profile, **profile}.items() if value is not None}
    changed = update_organization(session, organization, **values, profile=merged, version=organization.version + 1)
    announce(session, changed)
    noted = {name: "…" if name == "logo" else value for name, value in {**values, **profile}.items()}
    audit.record(session, "organization.changed", encode_id("org", changed.id), noted)
    return changed


def _checked(profile: dict[str, Any], country: str) -> dict[str, Any]:
    """A change of the profile with its VAT number in compact form (TAX-3). Raises InvalidError, also for a bad logo."""
    if profile.get("logo"):
        check_logo(profile["logo"])
    if not profile.get("vat_number"):
        return profile
    return {**profile, "vat_number": normal_vat_number(profile["vat_number"], country, "/vat_number")}


def announce(session: TenantSession, organization: Organization) -> None:
    """Tell everybody an organisation's state."""
    outbox.add(
        session,
        organization_changed(organization),
        aggregate_id=organization.id,
        aggregate_version=organization.version,
    )


def business_now(session: TenantSession, organization: Organization) -> datetime:
    """What time it is for an organisation: its own clock's, or the real one."""
    return organization.clock_now or session.clock.now()
