"""A small GoCardless at the wire: what its documentation says of customers, mandates, payments, refunds and keys.

For the real SDK. `faults` break the coming POSTs to /payments; `debits` counts payments that exist, whatever the
caller was told.
"""

from __future__ import annotations

import hmac
import json
import threading
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCESS_TOKEN = "sandbox_double"
WEBHOOK_SECRET = "gocardless-secret"
_PREFIXES = {
    "customers": "CU",
    "customer_bank_accounts": "BA",
    "mandates": "MD",
    "billing_requests": "BRQ",
    "billing_request_flows": "BRF",
    "payments": "PM",
    "refunds": "RF",
    "events": "EV",
    "creditors": "CR",
    "payouts": "PO",
    "payout_items": "PI",
}
_FIRST = {"payments": "pending_submission", "refunds": "created", "billing_requests": "pending"}


class RefusalError(Exception):
    """An answer of 4xx."""

    def __init__(self, status: int, kind: str, reason: str, **links: str) -> None:
        super().__init__(reason)
        self.status = status
        fault = {"reason": reason, "message": reason, "links": links}
        self.body = {"error": {"type": kind, "code": status, "message": reason, "errors": [fault]}}


class GoCardlessDouble:
    """The state behind the wire, and what tests do in the bank's and the member's place."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _PREFIXES}
        self.keys: dict[str, str] = {}
        self.faults: list[str] = []
        self._numbers = count(1)
        self.new("creditors", name="Harbour Works")

    @property
    def debits(self) -> int:
        """Payments that were made."""
        return len(self.things["payments"])

    def new(self, kind: str, **facts: Any) -> dict[str, Any]:
        """A thing with an id."""
        made = {"id": f"{_PREFIXES[kind]}{next(self._numbers):06}", "created_at": "2027-02-01T08:00:00.000Z", **facts}
        if kind in _FIRST:
            made.setdefault("status", _FIRST[kind])
        self.things[kind][made["id"]] = made
        return made

    def sign_mandate(self, request: str, scheme: str = "sepa_core") -> str:
        """The member finished the page of a billing request; the mandate's id."""
        with self.lock:
            found = self.things["billing_requests"][request]
            mandate = self.mandate(found["links"]["customer"], scheme)
            found["status"] = "fulfilled"
            found["links"] = {**found["links"], "mandate_request_mandate": mandate}
            self.emit("billing_requests", "fulfilled", {"billing_request": request, "mandate_request_mandate": mandate})
            return mandate

    def mandate(self, customer: str, scheme: str = "sepa_core", fails: str | None = None) -> str:
        """An active mandate of a customer, whose debits fail for that cause."""
        account = self.new("customer_bank_accounts", account_number_ending="11", bank_name="Example Bank")
        links = {"customer": customer, "customer_bank_account": account["id"]}
        return str(self.new("mandates", scheme=scheme, status="active", fails=fails, links=links)["id"])

    def happen(self, payment: str, action: str, cause: str | None = None) -> None:
        """The bank decides something about a payment."""
        with self.lock:
            found = self.things["payments"][payment]
            found["status"] = {"chargeback_cancelled": "paid_out"}.get(action, action)
            self.emit("payments", action, {"payment": payment}, cause, found["metadata"])

    def settle(self, payment: str) -> None:
        """Days went by: the debit is confirmed, or comes back where the mandate's account is empty."""
        mandate = self.things["mandates"][self.things["payments"][payment]["links"]["mandate"]]
        if mandate["fails"]:
            return self.happen(payment, "failed", mandate["fails"])
        self.happen(payment, "confirmed")
        return self._account("payment_paid_out", self.things["payments"][payment]["amount"], payment=payment)

    def settle_refund(self, refund: str, *, succeeded: bool = True) -> None:
        """The bank took a refund, or sent it back."""
        with self.lock:
            found = self.things["refunds"][refund]
            found["status"] = "paid" if succeeded else "bounced"
            payment = found["links"]["payment"]
            if not succeeded:
                self._account("refund_funds_returned", found["amount"], payment=payment, refund=refund)
            self.emit("refunds", found["status"], {"refund": refund}, metadata=found["metadata"])

    def pay_out(self, fees: str = "-45.5") -> str:
        """Everything not paid out yet goes to the bank, less fees that are told in tenths of a cent."""
        with self.lock:
            self._account("gocardless_fee", fees)
            self._account("app_fee", "-1.2")
            waiting = [item for item in self.things["payout_items"].values() if "payout" not in item["links"]]
            amount = int(sum(Decimal(item["amount"]) for item in waiting).to_integral_value(ROUND_HALF_UP))
            facts = {"currency": "EUR", "status": "paid", "arrival_date": "2027-02-24", "deducted_fees": 47}
            payout = str(self.new("payouts", amount=amount, **facts)["id"])
            for item in waiting:
                item["links"]["payout"] = payout
            return payout

    def _account(self, kind: str, amount: int | str, **links: str) -> None:
        text = amount if isinstance(amount, str) else f"{amount}.0"
        self.new("payout_items", type=kind, amount=text, links=dict(links))

    def emit(
        self, kind: str, action: str, links: dict[str, str], cause: str | None = None, metadata: Any = None
    ) -> dict[str, Any]:
        """An event."""
        facts = {"resource_type": kind, "action": action, "links": links, "resource_metadata": metadata or {}}
        return self.new("events", **facts, details={"cause": cause or action})

    def signed(self, *events: dict[str, Any], secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
        """Events as GoCardless would post them."""
        body = json.dumps({"events": list(events)}).encode()
        return body, {"Webhook-Signature": hmac.new(secret.encode(), body, sha256).hexdigest()}

    def answer(self, method: str, path: str, key: str | None, told: dict[str, Any]) -> dict[str, Any]:
        """What the API says."""
        kind, *rest = path.strip("/").split("/")
        if method == "GET":
            return self._get(kind, rest[0]) if rest else self._list(kind, told)
        if rest:
            return self._act(kind, rest[0])
        if key in self.keys:
            raise RefusalError(
                409, "invalid_state", "idempotent_creation_conflict", conflicting_resource_id=self.keys[key]
            )
        facts = told[kind]
        getattr(self, f"_check_{kind}", lambda _facts: None)(facts)
        made = self.new(kind, **facts)
        if kind == "billing_request_flows":
            made["authorisation_url"] = f"https://pay.example/{made['id']}"
        if kind == "refunds":
            payment = made["links"]["payment"]
            self._account("payment_refunded", -made["amount"], payment=payment, refund=made["id"])
        if key:
            self.keys[key] = made["id"]
        return {kind: made}

    def _get(self, kind: str, reference: str) -> dict[str, Any]:
        if reference not in self.things[kind]:
            raise RefusalError(404, "invalid_api_usage", "resource_not_found")
        return {kind: self.things[kind][reference]}

    def _list(self, kind: str, told: dict[str, Any]) -> dict[str, Any]:
        wanted = {name: told[name] for name in ("mandate", "payment", "payout") if name in told}
        found = [
            thing
            for thing in reversed(self.things[kind].values())
            if all((thing.get("links") or {}).get(name) == value for name, value in wanted.items())
            and told.get("action") in (None, thing.get("action"))
            and thing["created_at"] >= told.get("created_at[gte]", "")
        ]
        place = [thing["id"] for thing in found].index(told["after"]) + 1 if told.get("after") else 0
        shown = found[place : place + 2]
        after = shown[-1]["id"] if place + 2 < len(found) else None
        return {kind: shown, "meta": {"cursors": {"before": None, "after": after}, "limit": 2}}

    def _act(self, kind: str, reference: str) -> dict[str, Any]:
        """Every action that we use is a cancellation."""
        thing = self._get(kind, reference)[kind]
        if thing["status"] not in ("pending_submission", "active"):
            raise RefusalError(422, "invalid_state", "cancellation_failed")
        thing["status"] = "cancelled"
        return {kind: thing}

    def _check_payments(self, facts: dict[str, Any]) -> None:
        mandate = self._get("mandates", facts["links"]["mandate"])["mandates"]
        if mandate["status"] != "active":
            raise RefusalError(422, "invalid_state", "mandate_is_inactive")
        if len(facts["metadata"]) > 3:
            raise RefusalError(422, "validation_failed", "too_much_metadata")

    def _check_refunds(self, facts: dict[str, Any]) -> None:
        payment = self._get("payments", facts["links"]["payment"])["payments"]
        before = sum(r["amount"] for r in self.things["refunds"].values() if r["links"]["payment"] == payment["id"])
        if facts["total_amount_confirmation"] != before + facts["amount"]:
            raise RefusalError(422, "validation_failed", "total_amount_confirmation_invalid")
        if before + facts["amount"] > payment["amount"]:
            raise RefusalError(422, "validation_failed", "refund_exceeds_payment")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: GoCardlessDouble

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Quiet."""

    def _serve(self, method: str) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = dict(parse_qsl(address.query)) if method == "GET" else json.loads(body or b"{}")
        fault = self._fault() if method == "POST" and address.path == "/payments" else None
        if fault == "lost_request":
            return self._hang_up()
        status, answer = self._compute(method, address.path, told)
        if fault == "lost_answer":
            return self._hang_up()
        if fault == "broken":
            status, answer = 500, {"error": {"type": "gocardless", "code": 500, "message": "broken", "errors": []}}
        return self._send(status, answer)

    def _fault(self) -> str | None:
        with self.double.lock:
            return self.double.faults.pop(0) if self.double.faults else None

    def _compute(self, method: str, path: str, told: dict[str, Any]) -> tuple[int, Any]:
        if ACCESS_TOKEN not in self.headers.get("Authorization", ""):
            fault = {"type": "invalid_api_usage", "code": 401, "message": "no access", "errors": []}
            return 401, {"error": fault}
        try:
            with self.double.lock:
                answer = self.double.answer(method, path, self.headers.get("Idempotency-Key"), told)
                return 200, json.loads(json.dumps(answer))
        except RefusalError as refusal:
            return refusal.status, refusal.body

    def _send(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in {"limit": "1000", "remaining": "999", "reset": "Mon, 01 Feb 2027 08:00:00 GMT"}.items():
            self.send_header(f"ratelimit-{name}", value)
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True


@contextmanager
def running_gocardless() -> Iterator[tuple[GoCardlessDouble, str]]:
    """A double on a free port: its state and its address."""
    double = GoCardlessDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"double": double}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield double, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
