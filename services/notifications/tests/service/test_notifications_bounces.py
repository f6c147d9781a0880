"""Mail that comes back after a server had accepted it: the report finds its notification and closes the address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from common.ids import new_id
from notifications.mail.bounces import read_bounce
from notifications.models import Notification, SuppressedAddress
from notifications.service import SERVICE

Example = Callable[..., Any]
REPORT = """\
From: MAILER-DAEMON@mx.example
To: bounces@harbour.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Mon, 15 Feb 2027 09:00:00 +0100

Final-Recipient: rfc822; member@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <member@example.com>: Recipient
    address rejected: User unknown

--B
{original}
--B--
"""
WHOLE = """Content-Type: message/rfc822

From: no-reply@harbour.example
Message-ID: <{id}.1@harbour.example>
Subject: Receipt

Thank you."""
HEADERS = """Content-Type: text/rfc822-headers

From: no-reply@harbour.example
Message-ID: <{id}.1@harbour.example>
"""


def report(notification_id: Any, original: str = WHOLE, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A report as Postfix writes it."""
    text = REPORT.format(action=action, status=status, original=original.format(id=notification_id.hex))
    return text.replace("\n", "\r\n").encode()


@pytest.fixture
def read(live: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], str]:
    """Pipe a mail into ``notifications admin read-bounce``; returns what it says."""
    monkeypatch.setenv("DATABASE_URL", live.database.url)
    monkeypatch.setenv("DESKLEDGER_INTERNAL_TOKEN", "x")
    (command,) = SERVICE.commands

    def run(raw: bytes) -> str:
        done = CliRunner().invoke(command, [], input=raw)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.fixture
def sent(live: Any, example: Example) -> Any:
    """A receipt that a server had accepted."""
    live.send(example("payment-succeeded"))
    (row,) = live.rows(Notification)
    live.update(Notification, row.id, state="sent", due_at=None)
    return row


@pytest.mark.parametrize("original", [WHOLE, HEADERS])
def test_a_permanent_bounce_fails_the_mail_and_closes_the_address(
    live: Any, sent: Any, read: Any, original: str
) -> None:
    for _ in range(2):
        assert "came back for good" in read(report(sent.id, original))
    (row,) = live.rows(Notification)
    assert row.state == "failed"
    assert "User unknown" in row.last_error
    assert [closed.address for closed in live.rows(SuppressedAddress)] == [sent.recipient.lower()]


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.7"), ("failed", "4.2.2")])
def test_a_passing_trouble_is_noted_and_closes_nothing(
    live: Any, sent: Any, read: Any, action: str, status: str
) -> None:
    assert "came back for now" in read(report(sent.id, action=action, status=status))
    (row,) = live.rows(Notification)
    assert row.state == "sent"
    assert row.last_error.startswith("came back for now")
    assert live.rows(SuppressedAddress) == []


def test_a_mail_of_which_nothing_is_known_any_more_is_passed_over(read: Any) -> None:
    assert "no such notification" in read(report(new_id()))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe nonsense",
        b"Subject: Out of office\r\n\r\nI am away.",
        report(new_id(), action="delivered", status="2.0.0"),
        report(new_id(), WHOLE.replace("{id}.1@", "somebody-elses@")),
    ],
)
def test_what_is_no_report_of_a_failure_of_ours_is_passed_over(read: Any, raw: bytes) -> None:
    assert read_bounce(raw) is None
    assert "no report" in read(raw)


def test_a_report_in_a_file_is_read_too(sent: Any, live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", live.database.url)
    monkeypatch.setenv("DESKLEDGER_INTERNAL_TOKEN", "x")
    (command,) = SERVICE.commands
    path = tmp_path / "report.eml"
    path.write_bytes(report(sent.id))
    assert CliRunner().invoke(command, [str(path)]).exit_code == 0
    assert live.rows(Notification)[0].state == "failed"
