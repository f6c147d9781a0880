"""From rows to the messages that tell the other services about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from common.db.database import Organization
from contracts.members import (
    ClockAdvanced,
    CompanyChanged,
    MemberChanged,
    OrganizationChanged,
    SigningKeysChanged,
    SignInLinkRequested,
    UserInvited,
)
from contracts.parts import BillingProfile, SigningKey
from members.models import Company, Customer, Member, StaffUser, TokenKey


def organization_changed(organization: Organization) -> OrganizationChanged:
    """The whole public state of an organisation."""
    return OrganizationChanged(
        organization_id=organization.id,
        slug=organization.slug,
        display_name=organization.name,
        country=organization.country,
        currency=organization.currency,
        timezone=organization.timezone,
        language=organization.language,
        mode=organization.mode,
        profile=organization.profile,
        clock_now=organization.clock_now,
        version=organization.version,
        clock_version=organization.clock_version,
    )


def clock_advanced(organization: Organization, now: datetime) -> ClockAdvanced:
    """Where a rehearsal organisation's clock stands now."""
    return ClockAdvanced(organization_id=organization.id, now=now, clock_version=organization.clock_version)


def signing_keys_changed(keys: Sequence[TokenKey]) -> SigningKeysChanged:
    """All public keys that are, or will be, of use."""
    return SigningKeysChanged(
        keys=[SigningKey(kid=key.kid, public_key=key.public_key, not_after=key.not_after) for key in keys]
    )


def member_changed(member: Member) -> MemberChanged:
    """The whole public state of a member."""
    return MemberChanged(
        member_id=member.id,
        company_id=member.company_id,
        is_billing_person=member.is_billing_person,
        is_contact_person=member.is_contact_person,
        **_customer(member),
    )


def company_changed(company: Company) -> CompanyChanged:
    """The whole public state of a company."""
    return CompanyChanged(company_id=company.id, **_customer(company))


def _customer(row: Customer) -> dict[str, Any]:
    return {
        "display_name": row.name,
        "email": row.email,
        "location_id": row.location_id,
        "billing": msgspec.convert(row.billing, BillingProfile, strict=False),
        "billing_day": row.billing_day,
        "auto_collect": row.auto_collect,
        "reminders": row.reminders,
        "language": row.language,
        "status": row.status,
        "version": row.version,
    }


def user_invited(person: StaffUser | Member, role: str, token: str, expires_at: datetime) -> UserInvited:
    """An invitation with its token, for the mail."""
    return UserInvited(
        email=person.email or "",
        display_name=person.name,
        role=role,
        token=token,
        expires_at=expires_at,
        member_id=person.id if isinstance(person, Member) else None,
    )


def sign_in_link_requested(person: StaffUser | Member, token: str, expires_at: datetime) -> SignInLinkRequested:
    """A sign-in link's token, for the mail."""
    return SignInLinkRequested(
        email=person.email or "",
        display_name=person.name,
        token=token,
        expires_at=expires_at,
        member_id=person.id if isinstance(person, Member) else None,
    )
