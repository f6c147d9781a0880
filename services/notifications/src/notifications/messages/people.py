"""Who is who, and who gets in."""

from __future__ import annotations

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from contracts.catalog import LocationChanged
from contracts.members import CompanyChanged, MemberChanged, SignInLinkRequested, UserInvited
from notifications.mail.links import LINKS
from notifications.models import CompanyCopy, LocationCopy, MemberCopy
from notifications.services.copies import keep_copy
from notifications.services.erasing import ERASED, erase
from notifications.services.notifying import Notice, notify
from notifications.services.recipients import Recipient, person_language


def register(registry: Handlers) -> None:
    """Listen to people, places and doors."""
    registry.on(MemberChanged)(_member)
    registry.on(CompanyChanged)(_company)
    registry.on(LocationChanged)(_location)
    registry.on(UserInvited)(_invited)
    registry.on(SignInLinkRequested)(_sign_in_link)


def _member(session: TenantSession, message: MemberChanged, _envelope: Envelope) -> None:
    keep_copy(
        session,
        MemberCopy,
        id=message.member_id,
        name=message.display_name,
        email=message.email,
        company_id=message.company_id,
        location_id=message.location_id,
        status=message.status,
        language=message.language,
        billing_email=message.billing.email,
        billing_language=message.billing.language,
        version=message.version,
    )
    if message.status == ERASED:
        erase(session, message.member_id)


def _company(session: TenantSession, message: CompanyChanged, _envelope: Envelope) -> None:
    keep_copy(
        session,
        CompanyCopy,
        id=message.company_id,
        name=message.display_name,
        email=message.email,
        location_id=message.location_id,
        language=message.language,
        billing_email=message.billing.email,
        billing_language=message.billing.language,
        version=message.version,
    )


def _location(session: TenantSession, message: LocationChanged, _envelope: Envelope) -> None:
    keep_copy(
        session,
        LocationCopy,
        id=message.location_id,
        name=message.display_name,
        timezone=message.timezone,
        address=message.address,
        version=message.version,
    )


def _invited(session: TenantSession, message: UserInvited, envelope: Envelope) -> None:
    organization = session.organization
    notify(
        session,
        Notice(
            template="welcome" if message.role == "member" else "invitation",
            source=f"invitation:{envelope.message_id}",
            recipient=_somebody(session, message),
            data={
                "link": LINKS.invitation(organization, message.token),
                "expires_at": message.expires_at,
                "timezone": organization.timezone,
            },
        ),
    )


def _sign_in_link(session: TenantSession, message: SignInLinkRequested, envelope: Envelope) -> None:
    organization = session.organization
    notify(
        session,
        Notice(
            template="sign-in-link",
            source=f"sign-in-link:{envelope.message_id}",
            recipient=_somebody(session, message),
            data={
                "link": LINKS.sign_in(organization, message.token),
                "expires_at": message.expires_at,
                "timezone": organization.timezone,
            },
        ),
    )


def _somebody(session: TenantSession, message: UserInvited | SignInLinkRequested) -> Recipient:
    return Recipient(
        address=message.email,
        name=message.display_name or message.email,
        language=person_language(session, message.member_id),
        member_id=message.member_id,
    )
