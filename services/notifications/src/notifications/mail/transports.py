"""The port through which mail leaves, and its two adapters: SMTP, and a folder of ``.eml`` files.

(Mails of rehearsal organisations never come here: they are kept in the database and count as sent.)
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from notifications.config import NotificationsSettings


class RejectedError(Exception):
    """The mail was refused for good; trying again is of no use."""


class DeferredError(Exception):
    """The mail could not be handed over now."""


class Outbound(Protocol):
    """An open way out."""

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand one message over. Raises RejectedError or DeferredError."""
        ...


class MailTransport(Protocol):
    """Opens a way out for a handful of messages."""

    @contextmanager
    def connect(self) -> Iterator[Outbound]:
        """Raises DeferredError when the other side cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where to send. ``tls``: ``implicit`` (smtps), ``required`` (STARTTLS or nothing), ``offered``, or ``off``."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    timeout: int


def read_smtp_url(url: str, timeout: int) -> SmtpServer:
    """``smtp[s]://[user:password@]host[:port][?tls=off|required]``; with a password TLS is required unless told.

    Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(f"SMTP_URL must be smtp://host:port or smtps://host:port, not {parts.scheme}://…")
    if not unquote(f"{parts.username or ''}{parts.password or ''}").isascii():
        raise ValueError("SMTP_URL: user and password must be ASCII")
    implicit = parts.scheme == "smtps"
    wish = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair).get("tls")
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or (465 if implicit else 587 if parts.username else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls="implicit" if implicit else wish or ("required" if parts.username else "offered"),
        timeout=timeout,
    )


class SmtpTransport:
    """One SMTP conversation for a handful of messages."""

    def __init__(self, server: SmtpServer, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._context = context or ssl.create_default_context()

    @contextmanager
    def connect(self) -> Iterator[Outbound]:
        """Greet, encrypt, sign in."""
        try:
            client = self._greet()
        except (OSError, smtplib.SMTPException) as error:
            raise DeferredError(describe(error)) from error
        try:
            yield _SmtpConversation(client)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    def _greet(self) -> smtplib.SMTP:
        server = self._server
        if server.tls == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout, context=self._context
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        try:
            self._secure(client)
            if server.user:
                client.login(server.user, server.password)
        except (OSError, smtplib.SMTPException):
            client.close()
            raise
        return client

    def _secure(self, client: smtplib.SMTP) -> None:
        client.ehlo()
        if self._server.tls == "required" or (self._server.tls == "offered" and client.has_extn("starttls")):
            # What is merely offered is taken without proof of identity, as between mail servers: better than nothing.
            context = self._context if self._server.tls == "required" else _unverified()
            client.starttls(context=context)
            client.ehlo()


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _SmtpConversation:
    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        try:
            self._client.send_message(message, sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            self._refuse(code, text)
        except smtplib.SMTPDataError as error:
            self._refuse(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            raise RejectedError(describe(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeferredError(describe(error)) from error

    @staticmethod
    def _refuse(code: int, text: bytes | str) -> None:
        said = f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"[:500]
        raise RejectedError(said) if code >= 500 else DeferredError(said)


class FolderTransport:
    """Writes each message into a folder; a repeated attempt replaces the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def connect(self) -> Iterator[Outbound]:
        """Make the folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeferredError(describe(error)) from error
        yield self

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Write the file beside and move it into place."""
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        draft = self._folder / f".{name}.new"
        try:
            draft.write_bytes(message.as_bytes())
            draft.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise DeferredError(describe(error)) from error


def mail_transport(settings: NotificationsSettings) -> MailTransport:
    """SMTP when SMTP_URL is set, else the folder. Raises ValueError for an unusable URL."""
    if settings.smtp_url:
        return SmtpTransport(read_smtp_url(settings.smtp_url, settings.smtp_timeout_seconds))
    return FolderTransport(Path(settings.mail_folder))


def describe(error: Exception) -> str:
    """One line about a failure."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:500]
