"""Mail leaves the house: a real SMTP conversation, refusals, a server that is away, killed workers."""

from __future__ import annotations

import base64
import email
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from common.db.plumbing import outbox_table
from common.ids import new_id
from common.jobs import JobRun
from common.testing.plugin import add_organization
from notifications.config import NotificationsSettings
from notifications.jobs import build_jobs
from notifications.mail.transports import SmtpTransport, read_smtp_url
from notifications.models import Notification
from notifications.services import delivery

Example = Callable[..., Any]
PIXEL = bytes.fromhex("89504e470d0a1a0a")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def deliver(post: Any, smtp_url: str = "", *, folder: str = "", after: timedelta = timedelta(), **told: str) -> None:
    """One turn of the delivery job."""
    settings = NotificationsSettings(
        database_url=post.database.url, internal_token="x", secret="x", smtp_url=smtp_url, mail_folder=folder, **told
    )
    job = next(job for job in build_jobs(settings) if job.name == "deliver-mail")
    job.run(JobRun(post.database, post.organization_id, post.database.clock.now() + after))


def only(post: Any) -> Any:
    (row,) = post.rows(Notification)
    return row


def test_a_mail_arrives_with_text_html_and_pdf(live: Any, example: Example, mailbox: Any) -> None:
    live.send(example("invoice-sent", to="Bills@example.com", number="INV-2027-00001"))
    deliver(live, mailbox.url)
    deliver(live, mailbox.url)
    (mail,) = mailbox.mails
    assert mail["To"].addresses[0].addr_spec == "Bills@example.com"
    assert mail["From"].addresses[0].display_name == "Harbour Works"
    assert mail["Reply-To"] == "desk@harbour.example"
    assert mail["Subject"] == "Invoice INV-2027-00001 from Harbour Works"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "INV-2027-00001" in text.get_content()
    assert "<table" in html.get_content()
    (pdf,) = mail.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content()) == ("INV-2027-00001.pdf", b"%PDF-")
    row = only(live)
    assert (row.state, row.attempts, row.due_at) == ("sent", 1, None)
    assert row.sent_at is not None


def test_a_booking_mail_carries_a_calendar_request(live: Any, example: Example, mailbox: Any) -> None:
    member_id = str(new_id())
    live.send(example("member-changed", member_id=member_id))
    live.send(example("booking-created", status="confirmed", member_id=member_id, timezone="Europe/Berlin"))
    deliver(live, mailbox.url)
    (part,) = mailbox.mails[0].iter_attachments()
    assert part.get_content_type() == "text/calendar"
    assert part.get_params(header="content-type")
    assert dict(part["Content-Type"].params)["method"] == "REQUEST"
    assert "BEGIN:VEVENT" in part.get_content()


def test_what_was_mailed_is_not_mailed_again_and_two_workers_share_the_queue(
    live: Any, example: Example, mailbox: Any
) -> None:
    for _ in range(21):
        live.send(example("payment-succeeded", payment_id=str(new_id())))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: deliver(live, mailbox.url), range(2)))
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(mailbox.mails) == 21
    assert {row.state for row in live.rows(Notification)} == {"sent"}


def test_a_refused_address_fails_for_good_and_is_announced(live: Any, example: Example, mailbox: Any) -> None:
    mailbox.answers = ["550 5.1.1 nobody here"]
    live.send(example("payment-succeeded"))
    deliver(live, mailbox.url)
    row = only(live)
    assert (row.state, row.due_at) == ("failed", None)
    assert row.last_error.startswith("550 5.1.1 nobody here")
    assert _announced(live) == ["notification-failed"]


def test_one_refused_address_does_not_hold_up_the_next_mail(live: Any, example: Example, mailbox: Any) -> None:
    mailbox.answers = ["550 no", "250 OK"]
    for _ in range(2):
        live.send(example("payment-succeeded", payment_id=str(new_id())))
    deliver(live, mailbox.url)
    assert [row.state for row in live.rows(Notification)] == ["failed", "sent"]


@pytest.mark.parametrize("unfit", ["", "a@", "x@\\ [", '"-("@[ ', "büro@harbour.example"])
def test_an_address_that_no_header_can_carry_fails_alone(live: Any, example: Example, mailbox: Any, unfit: str) -> None:
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    live.update(Notification, only(live).id, recipient=unfit)
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    deliver(live, mailbox.url)
    assert [row.state for row in live.rows(Notification)] == ["failed", "sent"]


def test_a_team_address_that_no_header_can_carry_keeps_no_mail_from_leaving(
    live: Any, example: Example, mailbox: Any
) -> None:
    profile = {"email": "büro@harbour.example"}
    post = type(live)(live.database, add_organization(live.database, profile=profile))
    post.send(example("payment-succeeded"))
    deliver(post, mailbox.url)
    assert only(post).state == "sent", only(post).last_error
    assert mailbox.mails[0]["Reply-To"] is None


def test_failures_are_reported_to_the_return_path(live: Any, example: Example, mailbox: Any) -> None:
    live.send(example("payment-succeeded"))
    deliver(live, mailbox.url, mail_from="desk@harbour.example", mail_return_path="bounces@harbour.example")
    assert mailbox.return_paths == ["bounces@harbour.example"]
    assert mailbox.mails[0]["From"].addresses[0].addr_spec == "desk@harbour.example"


def test_a_busy_server_is_tried_again_later_with_the_same_message_id(live: Any, example: Example, mailbox: Any) -> None:
    mailbox.answers = ["451 4.7.1 later please"]
    live.send(example("payment-succeeded"))
    deliver(live, mailbox.url)
    row = only(live)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.due_at > live.database.clock.now() + timedelta(seconds=50)
    deliver(live, mailbox.url)
    assert mailbox.mails == []
    deliver(live, mailbox.url, after=timedelta(minutes=2))
    assert mailbox.mails[0]["Message-ID"].startswith(f"<{row.id.hex}.1@")
    assert only(live).state == "sent"


def test_a_server_that_is_away_is_waited_for_about_a_day_then_given_up(live: Any, example: Example) -> None:
    live.send(example("payment-succeeded"))
    waited = timedelta()
    for _ in range(20):
        row = only(live)
        if row.due_at is None:
            break
        waited += max(row.due_at - live.database.clock.now(), timedelta())
        live.update(Notification, row.id, due_at=live.database.clock.now())
        deliver(live, "smtp://127.0.0.1:9")
    assert only(live).state == "failed"
    assert timedelta(hours=22) < waited < timedelta(hours=30)
    assert _announced(live) == ["notification-failed"]


def test_a_worker_killed_after_the_hand_over_sends_the_same_message_id_again(
    live: Any, example: Example, mailbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once is all that SMTP allows; the id lets mail programs drop the copy."""
    live.send(example("payment-succeeded"))

    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver(live, mailbox.url)
    assert only(live).state == "sending"
    deliver(live, mailbox.url)
    assert len(mailbox.mails) == 1, "the lease still holds"
    live.update(Notification, only(live).id, lease_until=live.database.clock.now())
    deliver(live, mailbox.url)
    assert only(live).state == "sent"
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 1


def test_an_address_that_no_mail_can_carry_fails_at_once(live: Any, example: Example, mailbox: Any) -> None:
    live.send(example("invoice-sent", to="no address\r\nBcc: x@example.com"))
    deliver(live, mailbox.url)
    assert only(live).state == "failed"
    assert mailbox.mails == []


def test_header_injection_through_names_is_harmless(live: Any, example: Example, mailbox: Any) -> None:
    customer = {"name": "A\r\nBcc: spy@example.com", "email": "member@example.com", "member_id": str(new_id())}
    live.send(example("payment-succeeded", customer=customer))
    deliver(live, mailbox.url)
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == ["member@example.com"]


def test_without_a_server_mails_are_written_into_a_folder(live: Any, example: Example, tmp_path: Path) -> None:
    live.send(example("payment-succeeded"))
    deliver(live, folder=str(tmp_path / "mail"))
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    mail = email.message_from_bytes(file.read_bytes(), policy=default)
    assert mail["Subject"].startswith("Receipt")
    assert only(live).state == "sent"


def test_a_rehearsals_mail_never_leaves_the_house(rehearsal: Any, example: Example, mailbox: Any) -> None:
    rehearsal.send(example("payment-succeeded"))
    deliver(rehearsal, mailbox.url, after=timedelta(days=999))
    assert mailbox.mails == []
    assert only(rehearsal).state == "sent"


def test_a_password_is_sent_only_over_tls(live: Any, example: Example, mailbox: Any) -> None:
    live.send(example("payment-succeeded"))
    deliver(live, mailbox.url.replace("smtp://", "smtp://user:secret@"))
    row = only(live)
    assert row.state == "queued"
    assert "STARTTLS" in row.last_error


def test_a_logo_in_the_profile_becomes_a_picture_inside_the_mail(example: Example, mailbox: Any, live: Any) -> None:
    """Mail programs show no data URIs."""
    profile = {"logo": f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"}
    live.organization_id = add_organization(live.database, profile=profile)
    live.send(example("payment-succeeded"))
    deliver(live, mailbox.url)
    html = mailbox.mails[0].get_body(("html",))
    picture = next(part for part in mailbox.mails[0].walk() if part.get_content_type() == "image/png")
    assert picture.get_content() == PIXEL
    assert isinstance(html, EmailMessage)
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
    assert "data:image" not in html.get_content()


def test_a_signed_in_conversation_over_starttls(
    live: Any, example: Example, mailbox: Any, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    """The password goes out after STARTTLS with a certificate that is checked."""
    box, seen = mailbox, []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    trusted, context = certificate
    port = _free_port()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )
    controller.start()
    try:
        live.send(example("payment-succeeded"))
        server = read_smtp_url(f"smtp://mailer:s%40cret@127.0.0.1:{port}", 5)
        trusting = ssl.create_default_context(cafile=str(trusted))
        now = live.database.clock.now()
        run = JobRun(live.database, live.organization_id, now)
        sender = delivery.Sender("desk@harbour.example", "desk@harbour.example")
        delivery.deliver_due(run, SmtpTransport(server), sender)
        assert "CERTIFICATE_VERIFY_FAILED" in only(live).last_error
        later = JobRun(live.database, live.organization_id, now + timedelta(minutes=5))
        delivery.deliver_due(later, SmtpTransport(server, trusting), sender)
    finally:
        controller.stop()
    assert seen == [(b"mailer", b"s@cret")]
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail:1025", ("mail", 1025, "", "offered")),
        ("smtp://relay", ("relay", 25, "", "offered")),
        ("smtp://u%40x:p@relay", ("relay", 587, "u@x", "required")),
        ("smtps://u:p@relay", ("relay", 465, "u", "implicit")),
        ("smtp://relay:25?tls=off", ("relay", 25, "", "off")),
    ],
)
def test_smtp_urls_are_read(url: str, expected: tuple[Any, ...]) -> None:
    server = read_smtp_url(url, 5)
    assert (server.host, server.port, server.user, server.tls) == expected


@pytest.mark.parametrize("url", ["http://relay", "relay:25", "smtp://", "smtp://u:p%C3%A4ss@relay"])
def test_other_urls_stop_the_start(live: Any, url: str) -> None:
    with pytest.raises(SystemExit, match="SMTP_URL"):
        deliver(live, url)


def _announced(post: Any) -> list[str]:
    with post.database.system_session() as session:
        mine = outbox_table.c.organization_id == post.organization_id
        return [row.type for row in session.execute(outbox_table.select().where(mine))]
