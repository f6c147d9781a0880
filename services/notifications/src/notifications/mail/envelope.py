"""A notification as an Internet message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes along; ``content_type`` may have parameters (``text/calendar; method=REQUEST``)."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a message is made of. ``sending`` tells a wanted resend from a repeated attempt."""

    notification_id: UUID
    sending: int
    sender: str
    sender_name: str
    reply_to: str
    recipient: str
    recipient_name: str
    subject: str
    html: str
    text: str
    language: str
    at: datetime
    files: Sequence[AttachedFile] = ()


def message_id(letter: Letter) -> str:
    """The same for every attempt of a sending: a mail that arrives twice after a crash is shown once by most programs."""
    return f"<{letter.notification_id.hex}.{letter.sending}@{letter.sender.rpartition('@')[2]}>"


def to_message(letter: Letter) -> EmailMessage:
    """The MIME message: plain text and HTML as alternatives, then the files. Raises ValueError for an unfit address."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(letter.subject)
    message["From"] = Address(_one_line(letter.sender_name), addr_spec=letter.sender)
    message["To"] = Address(_one_line(letter.recipient_name), addr_spec=letter.recipient)
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=letter.reply_to)
    message["Date"] = letter.at
    message["Message-ID"] = message_id(letter)
    message["Content-Language"] = letter.language
    # Out-of-office answers to machines help nobody (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    for file in letter.files:
        _attach(message, file)
    return message


def _attach(message: EmailMessage, file: AttachedFile) -> None:
    kind, *parameters = (part.strip() for part in file.content_type.split(";"))
    main, _, sub = kind.partition("/")
    given = dict(parameter.split("=", 1) for parameter in parameters)
    message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.filename, params=given)


def _one_line(text: str) -> str:
    return " ".join(text.split())
