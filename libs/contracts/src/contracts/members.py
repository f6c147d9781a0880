"""What `members` tells the others: who is who."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from common.messaging.message import Message
from contracts.parts import BillingProfile, Json, SigningKey


class MembersMessage(Message, frozen=True, kw_only=True):
    """Any message of the members service."""

    service: ClassVar[str] = "members"


class OrganizationChanged(MembersMessage, frozen=True, kw_only=True):
    """The whole public state of an organisation."""

    name: ClassVar[str] = "organization-changed"
    organization_id: UUID
    slug: str
    display_name: str
    country: str
    currency: str
    timezone: str
    language: str = "en"
    mode: str = "live"
    profile: Json = {}
    clock_now: datetime | None = None
    version: int
    clock_version: int = 0


class ClockAdvanced(MembersMessage, frozen=True, kw_only=True):
    """A rehearsal organisation's clock moved forward."""

    name: ClassVar[str] = "clock-advanced"
    organization_id: UUID
    now: datetime
    clock_version: int


class SigningKeysChanged(MembersMessage, frozen=True, kw_only=True):
    """The public keys that sign access tokens now or will soon; not of any organisation."""

    name: ClassVar[str] = "signing-keys-changed"
    keys: list[SigningKey]


class MemberChanged(MembersMessage, frozen=True, kw_only=True):
    """The whole public state of a member."""

    name: ClassVar[str] = "member-changed"
    member_id: UUID
    display_name: str
    email: str | None = None
    company_id: UUID | None = None
    location_id: UUID | None = None
    billing: BillingProfile = BillingProfile()
    billing_day: int | None = None
    auto_collect: bool = True
    reminders: bool = True
    is_billing_person: bool = False
    is_contact_person: bool = False
    language: str | None = None
    status: str = "active"
    version: int


class CompanyChanged(MembersMessage, frozen=True, kw_only=True):
    """The whole public state of a company."""

    name: ClassVar[str] = "company-changed"
    company_id: UUID
    display_name: str
    email: str | None = None
    location_id: UUID | None = None
    billing: BillingProfile = BillingProfile()
    billing_day: int | None = None
    auto_collect: bool = True
    reminders: bool = True
    language: str | None = None
    status: str = "active"
    version: int


class UserInvited(MembersMessage, frozen=True, kw_only=True):
    """A staff user or member was invited; ``token`` opens the door once, until ``expires_at``."""

    name: ClassVar[str] = "user-invited"
    email: str
    display_name: str
    role: str
    token: str
    expires_at: datetime
    member_id: UUID | None = None


class SignInLinkRequested(MembersMessage, frozen=True, kw_only=True):
    """Somebody asked for a link to sign in with; ``token`` works once, until ``expires_at``."""

    name: ClassVar[str] = "sign-in-link-requested"
    email: str
    display_name: str
    token: str
    expires_at: datetime
    member_id: UUID | None = None
