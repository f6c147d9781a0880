"""A small Stripe at the wire: what its documentation says of customers, methods, intents, refunds and idempotency keys.

Stateful and threaded, for the real SDK. `next_fault` breaks one of the coming requests; `charges_made` counts money
that moved, whatever the caller was told. Methods behave by the word in their id: see `BEHAVIOURS`.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import stripe

if TYPE_CHECKING:
    from collections.abc import Iterator

API_KEY = "sk_test_double"
WEBHOOK_SECRET = "whsec_double"

# word in the method's id -> decline code, or what happens instead
BEHAVIOURS = {
    "ok": None,
    "declined": "generic_decline",
    "insufficient": "insufficient_funds",
    "lost": "lost_card",
    "authentication": "authentication_required",
    "sepa": "processing",
    "sepafails": "processing",
    "ach": "processing",
    "bacs": "processing",
}
_DEBITS = {"sepa": "sepa_debit", "sepafails": "sepa_debit", "ach": "us_bank_account", "bacs": "bacs_debit"}

_LONGEST_WAIT = 30  # seconds


class Fault(Enum):
    """How the double answers one request badly."""

    LOST_ANSWER = "does it, then closes the connection without a word"
    SLOW_ANSWER = "does it, but answers only after the client has given up"
    LOST_REQUEST = "closes the connection before doing anything"
    SERVER_ERROR = "500 before doing anything"
    SERVER_ERROR_AFTER = "does it, then answers 500 (and again for the same key, as Stripe does)"
    RATE_LIMIT = "429"


class _ApiError(Exception):
    def __init__(self, status: int, kind: str, code: str | None = None, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code or kind, **more}}


class StripeDouble:
    """The state behind the wire, and what tests do in the provider's and the member's place."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.objects: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[str, tuple[int, Any] | None]] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.events: list[dict[str, Any]] = []
        self.charges_made = 0
        self.connections: list[socket.socket] = []
        self.refunds_are = "succeeded"
        self.largest_page = 100
        self.api_keys = [API_KEY]
        self._numbers = count(1)

    def next_fault(self, path: str, fault: Fault) -> None:
        """The next request to a path that begins with ``path`` goes wrong."""
        self.faults.append((path, fault))

    def hang_up_all(self) -> None:
        """Connections were idle for too long."""
        with self.lock:
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accepts(self, api_key: str) -> None:
        """The account's key was rolled: only the new one opens it."""
        self.api_keys = [api_key]

    def new_method(self, behaviour: str) -> str:
        """What the provider's element gives the browser: an unattached method's id."""
        kind = _DEBITS.get(behaviour, "card")
        facts: dict[str, Any] = {"last4": "3000", "fingerprint": behaviour}
        if kind == "card":
            facts = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031, "fingerprint": behaviour}
        return str(self._new("pm", "payment_method", f"_{behaviour}", type=kind, customer=None, **{kind: facts})["id"])

    def finish_setup(self, reference: str, method: str) -> None:
        """The member entered a method in the provider's element."""
        with self.lock:
            setup = self.objects[reference]
            self.objects[method]["customer"] = setup["customer"]
            setup.update(status="succeeded", payment_method=method)
            self._emit("setup_intent.succeeded", setup)

    def authenticate(self, reference: str, *, succeeded: bool) -> None:
        """The member answered the bank's question (3-D Secure), or chose a card while paying."""
        with self.lock:
            intent = self.objects[reference]
            intent["next_action"] = None
            if succeeded:
                self._take(intent)
            else:
                error = {"type": "card_error", "code": "payment_intent_authentication_failure"}
                intent.update(status="requires_payment_method", last_payment_error=error)
                self._emit("payment_intent.payment_failed", intent)

    def settle(self, reference: str) -> None:
        """Days went by: a pending debit is decided."""
        with self.lock:
            intent = self.objects[reference]
            if "sepafails" in intent["payment_method"]:
                self._decline(intent, "insufficient_funds")
            else:
                self._take(intent)

    def dispute(self, reference: str, status: str = "needs_response") -> None:
        """The member's bank takes the money back (or decides the dispute)."""
        with self.lock:
            intent = self.objects[reference]
            dispute = {
                "id": f"dp_{reference}",
                "object": "dispute",
                "payment_intent": reference,
                "reason": "fraudulent",
            }
            dispute |= {"amount": intent["amount"], "currency": intent["currency"], "status": status}
            self.objects[dispute["id"]] = dispute
            if status == "won":
                self._move("dispute_reversal", intent["amount"], dispute)
            elif status == "needs_response":
                self._move("dispute", -intent["amount"], dispute, fee=1500)
            self._emit("charge.dispute.closed" if status in ("won", "lost") else "charge.dispute.created", dispute)

    def refund_in_the_dashboard(self, reference: str, amount: int) -> str:
        """The operator gives back a part of a charge at the provider; the refund's id."""
        with self.lock:
            return str(self._refund({"payment_intent": reference, "amount": amount})["id"])

    def settle_refund(self, reference: str, *, succeeded: bool = True) -> None:
        """The bank took a refund, or sent it back."""
        with self.lock:
            refund = self.objects[reference]
            if succeeded:
                refund["status"] = "succeeded"
            else:
                refund.update(status="failed", failure_reason="expired_or_canceled_card")
                self._move("refund_failure", refund["amount"], refund)
            self._emit("refund.updated" if succeeded else "refund.failed", refund)

    def pay_out(self, *, automatic: bool = True, arrives: int = 1_803_427_200) -> str:
        """Everything not paid out yet goes to the bank; a manual payout does not say what it is made of.

        ``arrives`` is a Unix time (2027-02-24).
        """
        with self.lock:
            moved = [txn for txn in self._of("balance_transaction") if txn["payout"] is None]
            facts = {"currency": "eur", "automatic": automatic, "arrival_date": arrives, "status": "paid"}
            facts["reconciliation_status"] = "completed" if automatic else "not_applicable"
            payout = self._new("po", "payout", **facts, amount=sum(txn["amount"] - txn["fee"] for txn in moved))
            for txn in moved:
                txn["payout"] = payout["id"] if automatic else "unknown"
            own = self._move("payout", -payout["amount"], payout)
            own.update(payout=payout["id"], type="payout")
            return str(payout["id"])

    def signed(self, event: dict[str, Any], secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
        """An event as Stripe would post it."""
        body = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(body, secret)
        return body.encode(), {"Stripe-Signature": header}

    # -- the API ------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: C901  # one route a case
        """One request on the state; raises _ApiError for a refusal."""
        with self.lock:
            match [method, *path.removeprefix("/v1/").split("/")]:
                case ["GET", "balance"]:
                    return {"object": "balance", "livemode": False, "available": [], "pending": []}
                case ["POST", "customers"]:
                    return self._new("cus", "customer", **params)
                case ["POST", "payment_methods", id_, "attach"]:
                    return self._attach(self._get(id_), params)
                case ["POST", "payment_methods", id_, "detach"]:
                    return self._detach(self._get(id_))
                case ["POST", "setup_intents"]:
                    return self._new_setup(params)
                case ["POST", "payment_intents"]:
                    return self._new_intent(params)
                case ["POST", "payment_intents", id_, "cancel"]:
                    return self._cancel(self._get(id_))
                case ["POST", "refunds"]:
                    return self._refund(params)
                case ["GET", "payment_intents" | "refunds" | "payouts" | "balance_transactions" as kind]:
                    return self._list(kind.removesuffix("s"), params)
                case ["GET", "payment_intents" | "setup_intents" | "payment_methods" | "refunds", id_]:
                    return self._get(id_)
        raise _ApiError(404, "invalid_request_error", "unknown_path")

    def _new(self, prefix: str, kind: str, suffix: str = "", **facts: Any) -> dict[str, Any]:
        made = {
            "id": f"{prefix}_{next(self._numbers):06}{suffix}",
            "object": kind,
            "created": int(time.time()),
            **facts,
        }
        self.objects[made["id"]] = made
        return made

    def _get(self, reference: str) -> dict[str, Any]:
        if reference not in self.objects:
            raise _ApiError(404, "invalid_request_error", "resource_missing")
        return self.objects[reference]

    def _emit(self, kind: str, thing: dict[str, Any]) -> None:
        event = self._new("evt", "event", type=kind, data={"object": json.loads(json.dumps(thing))})
        self.events.append(event)

    def _attach(self, method: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        self._get(params["customer"])
        if method["customer"] not in (None, params["customer"]):
            raise _ApiError(400, "invalid_request_error", "payment_method_already_attached")
        if "unsaveable" in method["id"]:
            raise _ApiError(402, "card_error", "card_declined", decline_code="do_not_honor")
        method["customer"] = params["customer"]
        return method

    def _detach(self, method: dict[str, Any]) -> dict[str, Any]:
        if method["customer"] is None:
            raise _ApiError(400, "invalid_request_error")
        method["customer"] = None
        self._emit("payment_method.detached", method)
        return method

    def _new_setup(self, params: dict[str, Any]) -> dict[str, Any]:
        if "payment_method_types" in params:
            raise _ApiError(400, "invalid_request_error", "payment_method_types_no_longer_supported")
        self._get(params["customer"])
        made = self._new("seti", "setup_intent", customer=params["customer"], status="requires_payment_method")
        made["client_secret"] = f"{made['id']}_secret"
        return made

    def _new_intent(self, params: dict[str, Any]) -> dict[str, Any]:
        if "payment_method_types" in params:
            raise _ApiError(400, "invalid_request_error", "payment_method_types_no_longer_supported")
        self._get(params["customer"])
        method = params.get("payment_method")
        if method is not None and self._get(method)["customer"] != params["customer"]:
            raise _ApiError(400, "invalid_request_error", "payment_method_unexpected_state")
        facts: dict[str, Any] = {
            name: params.get(name) for name in ("currency", "customer", "payment_method", "description")
        }
        intent = self._new(
            "pi",
            "payment_intent",
            **facts,
            amount=int(params["amount"]),
            metadata=params.get("metadata", {}),
            status="requires_payment_method",
            next_action=None,
            last_payment_error=None,
        )
        intent["client_secret"] = f"{intent['id']}_secret"
        if params.get("confirm") == "true":
            self._confirm(intent, off_session=params.get("off_session") == "true")
        return intent

    def _confirm(self, intent: dict[str, Any], *, off_session: bool) -> None:
        behaviour = BEHAVIOURS[intent["payment_method"].rsplit("_", 1)[1]]
        if behaviour is None:
            self._take(intent)
        elif behaviour == "processing":
            intent["status"] = "processing"
            self._emit("payment_intent.processing", intent)
        elif behaviour == "authentication_required" and not off_session:
            page = {"type": "redirect_to_url", "redirect_to_url": {"url": f"https://bank.example/{intent['id']}"}}
            intent.update(status="requires_action", next_action=page)
            self._emit("payment_intent.requires_action", intent)
        else:
            error = self._decline(intent, behaviour)
            raise _ApiError(402, **error, payment_intent=json.loads(json.dumps(intent)))

    def _take(self, intent: dict[str, Any]) -> None:
        intent.update(status="succeeded", last_payment_error=None)
        self.charges_made += 1
        facts = {"amount": intent["amount"], "currency": intent["currency"], "payment_intent": intent["id"]}
        self._move("charge", intent["amount"], self._new("ch", "charge", **facts), fee=25)
        self._emit("payment_intent.succeeded", intent)

    def _move(self, category: str, amount: int, source: dict[str, Any], fee: int = 0) -> dict[str, Any]:
        """The account's balance changes."""
        kind = category if category in {"charge", "refund"} else "adjustment"
        facts = {"reporting_category": category, "type": kind, "source": source["id"], "payout": None}
        currency = source.get("currency", "eur")
        return self._new("txn", "balance_transaction", amount=amount, fee=fee, currency=currency, **facts)

    def _decline(self, intent: dict[str, Any], code: str) -> dict[str, Any]:
        outer = code if code == "authentication_required" else "card_declined"
        intent.update(
            status="requires_payment_method",
            last_payment_error={"type": "card_error", "code": outer, "decline_code": code},
        )
        self._emit("payment_intent.payment_failed", intent)
        return {"kind": "card_error", "code": outer, "decline_code": code}

    def _cancel(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] in ("succeeded", "processing", "canceled"):
            raise _ApiError(400, "invalid_request_error", "payment_intent_unexpected_state")
        intent["status"] = "canceled"
        self._emit("payment_intent.canceled", intent)
        return intent

    def _refund(self, params: dict[str, Any]) -> dict[str, Any]:
        intent = self._get(params["payment_intent"])
        made = self._of("refund", payment_intent=intent["id"])
        before = sum(refund["amount"] for refund in made if refund["status"] != "failed")
        amount = int(params["amount"])
        if intent["status"] != "succeeded" or before + amount > intent["amount"]:
            raise _ApiError(400, "invalid_request_error", "charge_already_refunded")
        refund = self._new("re", "refund", payment_intent=intent["id"], amount=amount, currency=intent["currency"])
        refund.update(status=self.refunds_are, metadata=params.get("metadata", {}), failure_reason=None)
        self._move("refund", -amount, refund)
        self._emit("refund.created", refund)
        return refund

    def _of(self, kind: str, **facts: Any) -> list[dict[str, Any]]:
        everything = reversed(self.objects.values())
        return [o for o in everything if o["object"] == kind and all(o.get(k) == v for k, v in facts.items())]

    def _list(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        limit, after = min(int(params.pop("limit", 10)), self.largest_page), params.pop("starting_after", None)
        since, expands = int(params.pop("created", {}).get("gte", 0)), params.pop("expand", None)
        found = [thing for thing in self._of(kind, **params) if thing["created"] >= since]
        if expands:
            found = [{**thing, "source": self.objects[thing["source"]]} for thing in found]
        if after:
            found = found[[o["id"] for o in found].index(after) + 1 :]
        return {"object": "list", "url": f"/v1/{kind}s", "data": found[:limit], "has_more": len(found) > limit}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: apart, they wait 40 ms for each other.
    wbufsize = -1
    double: StripeDouble

    def setup(self) -> None:
        """A connection was opened."""
        super().setup()
        with self.double.lock:
            self.double.connections.append(self.connection)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Quiet."""

    def _serve(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        fault = self._fault(address.path)
        if fault is Fault.LOST_REQUEST:
            return self._hang_up()
        if fault is Fault.SERVER_ERROR:
            return self._send(500, {"error": {"type": "api_error", "message": "broken"}})
        if fault is Fault.RATE_LIMIT:
            return self._send(429, {"error": {"type": "invalid_request_error", "code": "rate_limit"}})
        status, answer = self._keyed(address.path, body or address.query, fault)
        if fault is Fault.LOST_ANSWER:
            return self._hang_up()
        if fault is Fault.SLOW_ANSWER:
            self._wait_for_the_client_to_give_up()
        return self._send(status, answer)

    def _wait_for_the_client_to_give_up(self) -> None:
        """However long a busy machine takes: it is over when the client closes its end."""
        self.connection.settimeout(_LONGEST_WAIT)
        with suppress(OSError):
            self.connection.recv(1)

    def _fault(self, path: str) -> Fault | None:
        with self.double.lock:
            for entry in self.double.faults:
                if path.startswith(entry[0]):
                    self.double.faults.remove(entry)
                    return entry[1]
        return None

    def _keyed(self, path: str, raw: str, fault: Fault | None) -> tuple[int, Any]:
        """Answer once per idempotency key: repeats get the stored answer, other parameters are refused."""
        key = self.headers.get("Idempotency-Key") if self.command == "POST" else None
        if key is None:
            return self._compute(path, raw)
        with self.double.lock:
            content, stored = self.double.answers.get(key, (path + raw, None))
            if content != path + raw:
                return 400, {"error": {"type": "idempotency_error", "message": "key used with other parameters"}}
            if stored is None:
                stored = self._compute(path, raw)
                if fault is Fault.SERVER_ERROR_AFTER:
                    stored = (500, {"error": {"type": "api_error", "message": "broken"}})
                self.double.answers[key] = (content, stored)
            return stored

    def _compute(self, path: str, raw: str) -> tuple[int, Any]:
        if not any(key in self.headers.get("Authorization", "") for key in self.double.api_keys):
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        try:
            answer = self.double.answer(self.command, path, _nested(raw))
            return 200, json.loads(json.dumps(answer))
        except _ApiError as error:
            return error.status, error.body

    def _send(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the client did not wait

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _nested(raw: str) -> dict[str, Any]:
    """``metadata[payment_id]=1`` -> ``{"metadata": {"payment_id": "1"}}``."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        *outer, last = name.replace("]", "").split("[")
        place = result
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return result


@contextmanager
def running_double() -> Iterator[tuple[StripeDouble, str]]:
    """A double on a free port: its state and its address."""
    double = StripeDouble()
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
        # Another double may get this port, and clients keep their connections.
        double.hang_up_all()
