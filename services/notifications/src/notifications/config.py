"""Settings of the notifications service; the only reader of its environment."""

from __future__ import annotations

from dataclasses import dataclass

from common.config import Settings, from_env


@dataclass(frozen=True, kw_only=True)
class NotificationsSettings(Settings):
    """How mail leaves the house, and where its links lead.

    ``smtp_url``: ``smtp://[user:password@]host[:port]``, ``smtps://…`` for TLS from the start; without it mails are
    written to ``mail_folder``. ``mail_from`` is the sender's address; the organisation's name stands before it.
    ``mail_return_path`` is where servers report what they could not deliver; by default the sender's address.
    ``public_url`` is the address under which people reach the portals.
    """

    smtp_url: str = from_env("SMTP_URL", "")
    smtp_timeout_seconds: int = from_env("SMTP_TIMEOUT_SECONDS", 20)
    mail_folder: str = from_env("MAIL_FOLDER", "var/mail")
    mail_from: str = from_env("MAIL_FROM", "no-reply@deskledger.localhost")
    mail_return_path: str = from_env("MAIL_RETURN_PATH", "")
    public_url: str = from_env("PUBLIC_URL", "http://localhost:8000")
    webhook_allow_private: bool = from_env("WEBHOOK_ALLOW_PRIVATE", False)
    webhook_timeout_seconds: int = from_env("WEBHOOK_TIMEOUT_SECONDS", 10)
