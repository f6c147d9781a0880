"""Mail that comes back after it was accepted: delivery status notifications (RFC 3464) about mail of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.policy import default
from uuid import UUID

_OURS = re.compile(r"<?([0-9a-f]{32})\.\d+@")
_HEADERS_ONLY = "text/rfc822-headers"


@dataclass(frozen=True, slots=True)
class Bounce:
    """Which notification came back, whether for good, and why."""

    notification_id: UUID
    permanent: bool
    reason: str


def read_bounce(raw: bytes) -> Bounce | None:
    """What a mail server reports; None when it is no such report, tells of no failure, or not of a mail of ours."""
    report = message_from_bytes(raw, policy=default)
    original = next(filter(None, map(_message_id, _originals(report))), None)
    failures = [block for block in _blocks(report) if _text(block, "Action").lower() in {"failed", "delayed"}]
    if original is None or not failures:
        return None
    worst = max(failures, key=_is_permanent)
    reason = _text(worst, "Diagnostic-Code").partition(";")[2].strip() or f"status {_text(worst, 'Status')}"
    return Bounce(original, _is_permanent(worst), " ".join(reason.split())[:500])


def _blocks(report: Message) -> Iterator[Message]:
    """The header blocks of a report: one about the message, then one for each recipient."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from (block for block in part.walk() if block is not part)


def _originals(report: Message) -> Iterator[Message]:
    for part in report.walk():
        if part.get_content_type() == "message/rfc822":
            yield from (inner for inner in part.walk() if inner is not part)
        elif part.get_content_type() == _HEADERS_ONLY and isinstance(part, EmailMessage):
            yield message_from_string(str(part.get_content()), policy=default)


def _message_id(original: Message) -> UUID | None:
    found = _OURS.match(_text(original, "Message-ID"))
    return UUID(found.group(1)) if found else None


def _is_permanent(block: Message) -> bool:
    return _text(block, "Action").lower() == "failed" and not _text(block, "Status").startswith("4")


def _text(block: Message, name: str) -> str:
    return str(block.get(name, "")).strip()
