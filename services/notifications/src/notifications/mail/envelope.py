"""A notification as an Internet message."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import cast
from uuid import UUID

_DATA_PICTURE = re.compile(r'src="data:image/(?P<kind>png|jpeg);base64,(?P<data>[A-Za-z0-9+/]+={0,2})"')


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
    """The same for every attempt of a sending: of a mail that comes twice after a crash, most programs show one."""
    return f"<{letter.notification_id.hex}.{letter.sending}@{letter.sender.rpartition('@')[2]}>"


def to_message(letter: Letter) -> EmailMessage:
    """The MIME message: plain text and HTML as alternatives, then the files. Raises ValueError for an unfit address."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(letter.subject)
    message["From"] = _address(letter.sender_name, letter.sender)
    message["To"] = _address(letter.recipient_name, letter.recipient)
    if letter.reply_to:
        # The team's address is a convenience: one that no header can carry must not keep every mail from leaving.
        with suppress(ValueError):
            message["Reply-To"] = _address("", letter.reply_to)
    message["Date"] = letter.at
    message["Message-ID"] = message_id(letter)
    # Out-of-office answers to machines help nobody (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    html, pictures = _pictures(letter.html, letter.sender)
    message.add_alternative(html, subtype="html")
    for cid, kind, content in pictures:
        body = cast(EmailMessage, message.get_body(("html",)))
        body.add_related(content, maintype="image", subtype=kind, cid=cid)
    for file in letter.files:
        _attach(message, file)
    # Last, for a header of this name would move into the first part when a second one is added.
    message["Content-Language"] = letter.language
    return message


def _address(name: str, spec: str) -> Address:
    """Raises ValueError for an address that no header can carry."""
    try:
        return Address(_one_line(name), addr_spec=spec)
    except (MessageError, LookupError, AttributeError, UnboundLocalError) as error:
        # The library's parser stumbles in many ways, and one letter must not hold up the others of its batch.
        raise ValueError(f"{spec!r} is no address") from error


def _pictures(html: str, sender: str) -> tuple[str, list[tuple[str, str, bytes]]]:
    """Pictures inside the HTML become parts of the message: mail programs show no data URIs."""
    found: list[tuple[str, str, bytes]] = []

    def part(match: re.Match[str]) -> str:
        cid = make_msgid(domain=sender.rpartition("@")[2])
        found.append((cid, match["kind"], base64.b64decode(match["data"])))
        return f'src="cid:{cid[1:-1]}"'

    return _DATA_PICTURE.sub(part, html), found


def _attach(message: EmailMessage, file: AttachedFile) -> None:
    kind, *parameters = (part.strip() for part in file.content_type.split(";"))
    main, _, sub = kind.partition("/")
    given = dict(parameter.split("=", 1) for parameter in parameters)
    message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.filename, params=given)


def _one_line(text: str) -> str:
    return " ".join(text.split())
