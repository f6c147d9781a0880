"""Outgoing webhooks: signed, retried over a day, logged, replayed, and safe against being turned on ourselves."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common.errors import UnavailableError
from common.ids import encode_id, new_id
from common.jobs import JobRun, next_due
from common.testing.plugin import ApiClient
from contracts.subscriptions import MESSAGES
from notifications.config import NotificationsSettings
from notifications.domain.addresses import is_public
from notifications.domain.webhook_data import public_data
from notifications.domain.webhook_types import EVENT_TYPES
from notifications.jobs import build_jobs
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint, WebhookEvent
from notifications.outgoing.posting import Poster
from notifications.service import SERVICE
from notifications.services.sealing import reseal_secrets, unseal

Example = Callable[..., Any]
SECRET = "secret-of-tests"
CONTRACTS = {message.name for message in MESSAGES}
PRIVATE = {
    "organization-changed",
    "clock-advanced",
    "signing-keys-changed",
    "user-invited",
    "sign-in-link-requested",
    "refund-requested",
}


@dataclass
class Receiver:
    """Somebody's web server; ``answers`` are given in turn, then 200."""

    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server."""
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.got.append((self.path, dict(self.headers), body))
            status = box.answers.pop(0) if box.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{box.url}/elsewhere")
            self.end_headers()
            self.wfile.write(b"noted")

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_port}"
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def private_app(service_app: Callable[..., Any], notifications_database: Any) -> Any:
    """The web app with endpoints in private networks allowed."""
    return service_app(SERVICE, notifications_database, webhook_allow_private=True)


@pytest.fixture
def owner(private_app: Any, live: Any, sign_in: Callable[..., ApiClient]) -> ApiClient:
    """The owner of the live organisation."""
    return sign_in(private_app, live.organization_id)


def deliver(post: Any, *, after: timedelta = timedelta(), allow_private: bool = True) -> None:
    """One turn of the delivery job."""
    settings = NotificationsSettings(
        database_url=post.database.url,
        internal_token="x",
        secret=SECRET,
        webhook_allow_private=allow_private,
        webhook_timeout_seconds=2,
    )
    job = next(job for job in build_jobs(settings) if job.name == "deliver-webhooks")
    with post.database.session(post.organization_id) as session:
        now = session.now()
    job.run(JobRun(post.database, post.organization_id, now + after))


def subscribe(owner: ApiClient, url: str, *types: str) -> dict[str, Any]:
    made = owner.post("/v1/webhook-endpoints", {"url": url, "event_types": list(types or ("*",))})
    assert made.status_code == 201, made.json
    return dict(made.json)


def test_ids_in_events_are_those_of_the_api_and_inner_ones_are_left_out(example: Example) -> None:
    fact = example("payment-refund-failed")
    data = public_data("payment_id", msgspec.to_builtins(fact))
    assert next(iter(data)) == "id"
    assert (data["id"], data["refund_id"]) == (encode_id("pay", fact.payment_id), encode_id("ref", fact.refund_id))
    assert data["credit_note_id"] == encode_id("crn", fact.credit_note_id)
    assert (data["failure_code"], "request_id" in data) == ("lost_or_stolen_card", False)


def test_an_event_arrives_signed_and_in_api_style(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    endpoint = subscribe(owner, f"{receiver.url}/hook?tenant=1", "invoice-sent")
    fact, message_id = example("invoice-sent"), new_id()
    live.send(fact, message_id)
    live.send(example("payment-succeeded"))
    deliver(live)
    deliver(live)
    ((path, headers, body),) = receiver.got
    assert path == "/hook?tenant=1"
    parts = dict(part.split("=", 1) for part in headers["Deskledger-Signature"].split(","))
    expected = hmac.new(endpoint["secret"].encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected
    assert abs(int(parts["t"]) - live.database.clock.now().timestamp()) < 60
    event = json.loads(body)
    assert event["id"] == f"evt_{message_id.hex}"
    assert event["type"] == "invoice-sent"
    assert event["organization"] == f"org_{live.organization_id.hex}"
    assert event["data"]["id"] == f"inv_{fact.invoice_id.hex}"
    assert event["data"]["customer"]["member_id"].startswith("mem_")
    assert event["data"]["booking_ids"][0].startswith("bkg_")
    assert event["data"]["total"] == {"amount_minor": 4500, "currency": "EUR"}
    assert "pdf" not in event["data"]


def test_every_public_event_type_reaches_a_subscriber_to_everything(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    subscribe(owner, receiver.url)
    member_id = str(new_id())
    live.send(example("member-changed", member_id=member_id))
    for name in EVENT_TYPES.keys() - {"member-changed"}:
        fields = {"member_id": member_id} if name.startswith(("booking-", "membership-")) else {}
        zone = {"timezone": "Europe/Berlin"} if name.startswith("booking-") else {}
        own_id = EVENT_TYPES[name]
        own = {own_id: str(new_id())} if own_id else {}
        assert live.send(example(name, **fields, **zone, **own)).settled
    deliver(live)
    assert {headers["Deskledger-Event"] for _, headers, _ in receiver.got} == set(EVENT_TYPES)
    data = {headers["Deskledger-Event"]: json.loads(body)["data"] for _, headers, body in receiver.got}
    assert {name for name, body in data.items() if "id" not in body} == {
        "billing-settings-changed",
        "customer-standing-changed",
    }
    assert data["resource-changed"]["parent_ids"][0].startswith("res_")
    assert data["pass-used"]["id"].startswith("pas_")
    assert data["resource-rate-changed"]["id"].startswith("rat_")
    assert data["promo-code-changed"]["id"].startswith("prm_")
    assert data["notification-failed"]["id"].startswith("ntf_")
    assert CONTRACTS - data.keys() == PRIVATE, "a new contract is offered to integrators, or kept from them knowingly"


def test_the_same_message_in_parallel_is_one_delivery(live: Any, owner: ApiClient, example: Example) -> None:
    subscribe(owner, "http://127.0.0.1:9/")
    envelope = live.envelope(example("payment-succeeded"))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(live.consumer.handle, [envelope] * 6))
    assert len(live.rows(WebhookEvent)) == len(live.rows(WebhookDelivery)) == 1


def test_nothing_is_stored_without_a_subscriber(live: Any, owner: ApiClient, example: Example) -> None:
    subscribe(owner, "http://127.0.0.1:9/", "invoice-paid")
    live.send(example("payment-succeeded"))
    assert live.rows(WebhookEvent) == []


def test_a_failing_endpoint_is_tried_over_a_day_and_every_try_is_logged(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    endpoint = subscribe(owner, receiver.url)
    receiver.answers = [500, 503]
    live.send(example("payment-succeeded"))
    deliver(live)
    (delivery,) = live.rows(WebhookDelivery)
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert delivery.due_at > live.database.clock.now() + timedelta(seconds=50)
    deliver(live, after=timedelta(minutes=2))
    deliver(live, after=timedelta(minutes=10))
    path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
    (listed,) = owner.get(path).json["items"]
    assert listed["state"] == "delivered"
    whole = owner.get(f"{path}/{listed['id']}").json
    assert [entry["status_code"] for entry in whole["log"]] == [500, 503, 200]
    assert whole["log"][-1]["answer"] == "noted"
    assert len({body for _, _, body in receiver.got}) == 1


def test_an_endpoint_that_stays_away_is_given_up_after_about_a_day(
    live: Any, owner: ApiClient, example: Example
) -> None:
    subscribe(owner, "http://127.0.0.1:9/")
    live.send(example("payment-succeeded"))
    waited = timedelta()
    for _ in range(20):
        (row,) = live.rows(WebhookDelivery)
        if row.due_at is None:
            break
        now = live.database.clock.now()
        waited += max(row.due_at - now, timedelta())
        live.update(WebhookDelivery, row.id, due_at=now)
        deliver(live, after=timedelta(seconds=1))
    assert row.state == "failed"
    assert timedelta(hours=22) < waited < timedelta(hours=30)


def test_410_three_times_in_a_row_disables_the_endpoint_and_enabling_starts_afresh(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    endpoint = subscribe(owner, receiver.url)
    receiver.answers = [410, 410, 200, 410, 410, 410]
    for _ in range(6):
        live.send(example("payment-succeeded", payment_id=str(new_id())))
        deliver(live)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    shown = owner.get(path).json
    assert shown["enabled"] is False
    assert "410" in shown["disabled_reason"]
    (alert,) = live.rows(Notification, Notification.template == "webhook-disabled")
    assert alert.recipient == "desk@harbour.example"
    assert receiver.url in alert.text
    before = len(receiver.got)
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    deliver(live, after=timedelta(days=2))
    assert len(receiver.got) == before
    assert owner.patch(path, {"enabled": True}).json["disabled_reason"] is None
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    deliver(live)
    assert len(receiver.got) == before + 1


def test_a_delivery_is_replayed_with_the_same_event(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    endpoint = subscribe(owner, receiver.url)
    live.send(example("payment-succeeded"))
    path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
    (item,) = owner.get(path).json["items"]
    assert owner.post(f"{path}/{item['id']}/replay").json["code"] == "already_under_way"
    deliver(live)
    assert owner.post(f"{path}/{item['id']}/replay").json["state"] == "pending"
    deliver(live)
    assert len(receiver.got) == 2
    assert receiver.got[0][2] == receiver.got[1][2]
    assert len(owner.get(f"{path}/{item['id']}").json["log"]) == 2


def test_redirects_are_not_followed(live: Any, owner: ApiClient, example: Example, receiver: Receiver) -> None:
    subscribe(owner, receiver.url)
    receiver.answers = [302]
    live.send(example("payment-succeeded"))
    deliver(live)
    assert len(receiver.got) == 1
    assert live.rows(WebhookDelivery)[0].state == "pending"


def test_a_test_event_is_sent_and_a_new_secret_signs_it(live: Any, owner: ApiClient, receiver: Receiver) -> None:
    endpoint = subscribe(owner, receiver.url, "invoice-paid")
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    renewed = owner.post(f"{path}/secret").json["secret"]
    assert renewed != endpoint["secret"]
    assert owner.post(f"{path}/test").status_code == 201
    deliver(live)
    _, headers, body = receiver.got[0]
    parts = dict(part.split("=", 1) for part in headers["Deskledger-Signature"].split(","))
    assert parts["v1"] == hmac.new(renewed.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()


def test_secrets_are_shown_once_and_encrypted_at_rest(live: Any, owner: ApiClient) -> None:
    endpoint = subscribe(owner, "http://127.0.0.1:9/")
    assert endpoint["secret"].startswith("whsec_")
    assert "secret" not in owner.get(f"/v1/webhook-endpoints/{endpoint['id']}").json
    assert "secret" not in owner.get("/v1/webhook-endpoints").json["items"][0]
    assert endpoint["secret"].encode() not in live.rows(WebhookEndpoint)[0].sealed_secret


def test_endpoints_are_changed_with_if_match_and_deleted(owner: ApiClient) -> None:
    endpoint = subscribe(owner, "http://127.0.0.1:9/")
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    etag = owner.get(path).headers["ETag"]
    assert owner.patch(path, {"description": "x"}, headers={"If-Match": etag}).json["description"] == "x"
    assert owner.patch(path, {"description": "y"}, headers={"If-Match": etag}).status_code == 412
    assert owner.delete(path).status_code == 204
    assert owner.get(path).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://postgres/",
        "https://user:pw@example.com/",
        "ftp://example.com/",
        "https://",
        "https://example.com:99999/",
        "nonsense",
    ],
)
def test_urls_that_lead_inside_are_refused_at_once(
    notifications_app: Any, live: Any, sign_in: Callable[..., ApiClient], url: str
) -> None:
    client = sign_in(notifications_app, live.organization_id)
    refused = client.post("/v1/webhook-endpoints", {"url": url, "event_types": ["*"]})
    assert (refused.status_code, refused.json["code"]) == (422, "url_not_allowed")
    assert live.rows(WebhookEndpoint) == []


def test_an_endpoint_that_takes_nothing_for_three_days_is_disabled_and_the_team_told(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    path = f"/v1/webhook-endpoints/{subscribe(owner, receiver.url)['id']}"

    def is_enabled_after(*answers: int, failing: int | None = None, tries_before: int = 7) -> bool:
        """Deliver one event, most often in its last try, after ``failing`` hours without a success."""
        receiver.answers = list(answers)
        live.send(example("payment-succeeded", payment_id=str(new_id())))
        row, (endpoint,) = live.rows(WebhookDelivery)[-1], live.rows(WebhookEndpoint)
        live.update(WebhookDelivery, row.id, attempts=tries_before)
        if failing is not None:
            live.update(WebhookEndpoint, endpoint.id, failing_since=row.created_at - timedelta(hours=failing))
        deliver(live)
        return bool(owner.get(path).json["enabled"])

    assert is_enabled_after(500)
    assert is_enabled_after(500, failing=71)
    assert is_enabled_after(500, failing=73, tries_before=0)
    assert is_enabled_after(200, failing=73)
    assert is_enabled_after(500)
    assert not is_enabled_after(500, failing=73)
    assert owner.get(path).json["disabled_reason"].startswith("took nothing since 2")
    assert len(live.rows(Notification, Notification.template == "webhook-disabled")) == 1
    assert owner.patch(path, {"enabled": True}).json["disabled_reason"] is None
    assert is_enabled_after(500)


def test_acc_1_staff_of_some_locations_have_no_webhooks(
    private_app: Any, live: Any, owner: ApiClient, sign_in: Callable[..., ApiClient]
) -> None:
    endpoint = subscribe(owner, "http://127.0.0.1:9/")
    admin = sign_in(private_app, live.organization_id, "admin", locations=[str(new_id())])
    body = {"url": "http://127.0.0.1:9/", "event_types": ["*"]}
    answers = (
        admin.get("/v1/webhook-endpoints"),
        admin.post("/v1/webhook-endpoints", body),
        admin.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"),
    )
    assert {(answer.status_code, answer.json["code"]) for answer in answers} == {(403, "location_not_in_scope")}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://example.com/", "event_types": []},
        {"url": "https://example.com/", "event_types": ["sign-in-link-requested"]},
        {"url": 7, "event_types": ["*"]},
        {"url": "https://example.com/", "event_types": ["*"], "secret": "mine"},
    ],
)
def test_bad_endpoints_are_refused(owner: ApiClient, body: dict[str, Any]) -> None:
    assert owner.post("/v1/webhook-endpoints", body).status_code == 422


def test_only_owners_and_admins_see_webhooks(
    private_app: Any, live: Any, owner: ApiClient, rehearsal: Any, sign_in: Callable[..., ApiClient]
) -> None:
    endpoint = subscribe(owner, "http://127.0.0.1:9/")
    assert sign_in(private_app, live.organization_id, "accountant").get("/v1/webhook-endpoints").status_code == 403
    stranger = sign_in(private_app, rehearsal.organization_id)
    assert stranger.get(f"/v1/webhook-endpoints/{endpoint['id']}").status_code == 404
    assert stranger.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries").status_code == 404


def test_a_name_that_leads_inside_is_not_connected_to(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    """SSRF: what counts is the address at the moment of delivery."""
    endpoint = subscribe(owner, receiver.url)
    live.send(example("payment-succeeded"))
    deliver(live, allow_private=False)
    assert receiver.got == []
    path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
    (item,) = owner.get(path).json["items"]
    assert "public address" in owner.get(f"{path}/{item['id']}").json["log"][0]["error"]


@pytest.mark.parametrize("addresses", [["10.0.0.5"], ["93.184.215.14", "127.0.0.1"], ["fd00::1"], []])
def test_a_name_with_any_private_address_is_refused(addresses: list[str]) -> None:
    poster = Poster(timeout_seconds=1, resolver=lambda _host, _port: addresses)
    answer = poster.post("https://rebinding.example/", b"{}", {})
    assert answer.error == "rebinding.example does not lead to a public address"


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    """A name that changes its mind between check and connection wins nothing (DNS rebinding)."""
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    poster = Poster(timeout_seconds=2, allow_private=True, resolver=resolver)
    port = receiver.url.rsplit(":", 1)[1]
    answer = poster.post(f"http://name.that.resolves.nowhere.invalid:{port}/x", b"{}", {"Content-Type": "a/b"})
    assert answer.status == 200
    assert asked == ["name.that.resolves.nowhere.invalid"]
    assert receiver.got[0][1]["Host"] == f"name.that.resolves.nowhere.invalid:{port}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_answers_drop_by_drop_is_hung_up_on(scheme: str) -> None:
    """Each byte restarts a socket's own timeout: without a limit for the whole one endpoint could hold us for days."""
    stop = threading.Event()

    # A header without end, and a TLS record whose 16 KiB never come together.
    opening = {"http": b"HTTP/1.1 200 OK\r\nX-Slow: ", "https": b"\x16\x03\x03\x40\x00"}[scheme]

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(opening)
            while not stop.wait(0.05):
                line.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        port, began = listener.getsockname()[1], time.monotonic()
        poster = Poster(timeout_seconds=1, allow_private=True)
        answer = poster.post(f"{scheme}://127.0.0.1:{port}/", b"{}", {})
        took = time.monotonic() - began
        stop.set()
        thread.join()
    assert answer.error == "TimeoutError: no whole answer within 1 s"
    assert took < 3


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: tuple[Path, ssl.SSLContext]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, certificate[1]), daemon=True)
        thread.start()
        poster = Poster(timeout_seconds=5, allow_private=True)
        answer = poster.post(f"https://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
        thread.join()
    assert answer.error is not None
    assert "CERTIFICATE_VERIFY_FAILED" in answer.error


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    line, _ = listener.accept()
    with contextlib.suppress(OSError), line:
        context.wrap_socket(line, server_side=True).close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, *, public: bool) -> None:
    assert is_public(address) is public


def test_a_rehearsal_tries_once_so_that_its_clock_is_not_held_up(
    rehearsal: Any, private_app: Any, sign_in: Callable[..., ApiClient], example: Example
) -> None:
    subscribe(sign_in(private_app, rehearsal.organization_id), "http://127.0.0.1:9/")
    rehearsal.send(example("payment-succeeded"))
    deliver(rehearsal)
    assert [row.state for row in rehearsal.rows(WebhookDelivery)] == ["failed"]


def test_a_killed_workers_delivery_is_taken_over_when_its_lease_is_over(
    live: Any, owner: ApiClient, example: Example, receiver: Receiver
) -> None:
    subscribe(owner, receiver.url)
    live.send(example("payment-succeeded"))
    (row,) = live.rows(WebhookDelivery)
    real_now = live.database.clock.now()
    live.update(WebhookDelivery, row.id, lease_until=real_now + timedelta(minutes=1), attempts=1)
    deliver(live)
    assert receiver.got == []
    live.update(WebhookDelivery, row.id, lease_until=real_now)
    deliver(live)
    assert len(receiver.got) == 1


def test_what_has_expired_is_forgotten_once_a_day(
    rehearsal: Any, private_app: Any, sign_in: Callable[..., ApiClient], example: Example
) -> None:
    subscribe(sign_in(private_app, rehearsal.organization_id), "http://127.0.0.1:9/")
    for _ in range(3):
        rehearsal.send(example("payment-succeeded", payment_id=str(new_id())))
    deliver(rehearsal)
    settings = NotificationsSettings(database_url="", internal_token="x", secret=SECRET)
    jobs = [job for job in build_jobs(settings) if job.name.startswith("forget")]
    assert len({row.expires_at for row in rehearsal.rows(WebhookEvent)}) == 1
    due = next_due(rehearsal.database, jobs, rehearsal.organization_id)
    assert due is not None
    for job in jobs:
        job.run(JobRun(rehearsal.database, rehearsal.organization_id, due))
    assert rehearsal.rows(WebhookEvent) == rehearsal.rows(WebhookDelivery) == []


def test_secrets_are_sealed_anew_when_the_installations_own_was_changed(
    live: Any, owner: ApiClient, receiver: Receiver
) -> None:
    shown = subscribe(owner, receiver.url)["secret"]
    known = {"database_url": live.database.url, "internal_token": "x"}
    changed = NotificationsSettings(**known, secret="a new secret", previous_secrets=SECRET)
    (endpoint,) = live.rows(WebhookEndpoint)
    assert unseal(changed.secrets, endpoint.sealed_secret) == shown, "also before the migration"
    reseal_secrets(live.database, changed)
    (endpoint,) = live.rows(WebhookEndpoint)
    assert unseal(("a new secret",), endpoint.sealed_secret) == shown
    with pytest.raises(UnavailableError, match="not the one"):
        unseal((SECRET,), endpoint.sealed_secret)
    reseal_secrets(live.database, replace(changed, secret=SECRET, previous_secrets="a new secret"))
