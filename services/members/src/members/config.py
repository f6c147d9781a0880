"""Settings of the members service; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import Settings, from_env


@dataclass(frozen=True, kw_only=True)
class MembersSettings(Settings):
    """Lifetimes are in seconds. The secret is required here: the private signing keys are encrypted with it."""

    secret: str = from_env("DESKLEDGER_SECRET")
    access_token_seconds: int = from_env("ACCESS_TOKEN_SECONDS", 900)
    refresh_token_seconds: int = from_env("REFRESH_TOKEN_SECONDS", 30 * 86_400)
    sign_in_link_seconds: int = from_env("SIGN_IN_LINK_SECONDS", 900)
    invitation_seconds: int = from_env("INVITATION_SECONDS", 7 * 86_400)
    sign_in_attempts: int = from_env("SIGN_IN_ATTEMPTS", 10)
    sign_in_address_attempts: int = from_env("SIGN_IN_ADDRESS_ATTEMPTS", 100)
    sign_in_window_seconds: int = from_env("SIGN_IN_WINDOW_SECONDS", 900)
    max_import_bytes: int = from_env("MAX_IMPORT_BYTES", 32 * 1_048_576)
