"""What every service does with the identity messages: keep copies of organisations, clocks and signing keys."""

from __future__ import annotations

import msgspec

from common.db import TenantSession
from common.messaging import Envelope, Handlers
from common.tenancy import store_clock, store_organization, store_signing_keys
from contracts.members import ClockAdvanced, OrganizationChanged, SigningKeysChanged


def keep_identity_copies(handlers: Handlers) -> None:
    """Register the three identity handlers with a service's registry."""
    handlers.on(OrganizationChanged)(_organization)
    handlers.on(ClockAdvanced)(_clock)
    handlers.on(SigningKeysChanged)(_keys)


def _organization(session: TenantSession, message: OrganizationChanged, _envelope: Envelope) -> None:
    values = msgspec.structs.asdict(message)
    values["id"] = values.pop("organization_id")
    values["name"] = values.pop("display_name")
    store_organization(session, values)


def _clock(session: TenantSession, message: ClockAdvanced, _envelope: Envelope) -> None:
    store_clock(session, message.organization_id, message.now, message.clock_version)


def _keys(session: TenantSession, message: SigningKeysChanged, _envelope: Envelope) -> None:
    store_signing_keys(session, [msgspec.structs.asdict(key) for key in message.keys])
