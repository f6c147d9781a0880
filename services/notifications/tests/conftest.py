"""A notifications service on a database of its own, and messages as the others send them."""

from __future__ import annotations

import email
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from common.db import Database
from common.ids import new_id
from common.messaging import Consumer, Envelope
from common.messaging.consumer import Outcome
from common.messaging.message import Message
from common.testing.plugin import add_organization
from contracts.subscriptions import MESSAGES
from notifications.service import SERVICE

EXAMPLES = Path(__file__).parents[3] / "libs" / "contracts" / "examples"
CLOCK = datetime(2027, 2, 12, 8, 0, tzinfo=UTC)


class Post:
    """Sends messages to the service, as their producers would, and reads what it wrote."""

    def __init__(self, database: Database, organization_id: UUID) -> None:
        self.database, self.organization_id = database, organization_id
        self.consumer = Consumer(SERVICE.name, database, SERVICE.handlers)

    def send(self, message: Message, message_id: UUID | None = None) -> Outcome:
        """Hand a message over."""
        return self.consumer.handle(self.envelope(message, message_id))

    def envelope(self, message: Message, message_id: UUID | None = None) -> Envelope:
        """A message in transit."""
        return Envelope(
            message_id=message_id or new_id(),
            type=message.name,
            version=message.major,
            routing_key=message.routing_key(),
            body=message.encode(),
            created_at=self.database.clock.now(),
            producer=message.service,
            organization_id=self.organization_id,
        )

    def rows(self, kind: Any, *conditions: Any) -> list[Any]:
        """Rows of this organisation, oldest first."""
        with self.database.session(self.organization_id) as session:
            return list(session.scalars(select(kind).where(*conditions).order_by(kind.id)))

    def update(self, kind: Any, row_id: UUID, **values: Any) -> None:
        """Change a row behind the service's back."""
        with self.database.session(self.organization_id) as session:
            row = session.get_one(kind, row_id)
            for name, value in values.items():
                setattr(row, name, value)
            session.commit()


def example(name: str, **changes: Any) -> Any:
    """The golden example of a message with some fields changed (JSON types)."""
    message_type = next(kind for kind in MESSAGES if kind.name == name)
    body = json.loads((EXAMPLES / f"{message_type.routing_key()}.json").read_text())
    return message_type.decode(json.dumps({**body, **changes}).encode())


@pytest.fixture(name="example")
def example_fixture() -> Callable[..., Any]:
    """``example("invoice-sent", number="INV-1")``."""
    return example


@pytest.fixture
def booking(rehearsal: Any, example: Callable[..., Any]) -> Callable[..., Any]:
    """Send messages about one booking of a known member: ``booking("booking-changed", version=2)``."""
    member_id = str(new_id())
    rehearsal.send(example("member-changed", member_id=member_id, email="member@example.com", language="en"))
    same = {
        "booking_id": str(new_id()),
        "series_id": None,
        "member_id": member_id,
        "company_id": None,
        "resource_name": "Blue Room",
        "status": "confirmed",
        "start": "2027-02-15T08:00:00Z",
        "end": "2027-02-15T11:00:00Z",
        "timezone": "Europe/Berlin",
        "cancellation_fee": None,
    }

    def send(name: str, request_id: str | None = None, **changes: Any) -> Any:
        envelope = rehearsal.envelope(example(name, **same | changes))
        return rehearsal.consumer.handle(replace(envelope, correlation_id=request_id))

    return send


@pytest.fixture(scope="session")
def notifications_database(make_database: Callable[[str, Path], Database]) -> Database:
    """The service's migrated database."""
    return make_database(SERVICE.name, SERVICE.migrations)


@pytest.fixture
def rehearsal(notifications_database: Database) -> Post:
    """A fresh rehearsal organisation whose clock stands on 12 February 2027."""
    organization_id = add_organization(
        notifications_database, mode="rehearsal", clock_now=CLOCK, profile={"email": "desk@harbour.example"}
    )
    return Post(notifications_database, organization_id)


@pytest.fixture
def live(notifications_database: Database) -> Post:
    """A fresh live organisation."""
    profile = {"email": "desk@harbour.example"}
    return Post(notifications_database, add_organization(notifications_database, profile=profile))


@pytest.fixture(scope="session")
def notifications_app(service_app: Callable[..., Any], notifications_database: Database) -> Any:
    """The service's web app on the same database."""
    return service_app(SERVICE, notifications_database)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = tmp_path / "certificate.pem", tmp_path / "key.pem"
    path.write_bytes(signed.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key_path)
    return path, context


@dataclass
class Mailbox:
    """What an SMTP server got; ``answers`` are said in turn to RCPT."""

    mails: list[EmailMessage] = field(default_factory=list)
    return_paths: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    url: str = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.return_paths.append(envelope.mail_from)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """An SMTP server of our own."""
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    yield box
    controller.stop()
