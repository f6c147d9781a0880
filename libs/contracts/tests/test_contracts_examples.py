"""Every message has a golden example: what is on the wire today must be readable tomorrow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.messaging.message import Message
from contracts.subscriptions import MESSAGES, ROUTING, SUBSCRIPTIONS, subscribers

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.routing_key())
def test_the_golden_example_is_read_and_written_unchanged(message: type[Message]) -> None:
    golden = (EXAMPLES / f"{message.routing_key()}.json").read_text()
    assert json.loads(message.decode(golden.encode()).encode()) == json.loads(golden)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.routing_key())
def test_a_field_of_a_newer_producer_is_ignored(message: type[Message]) -> None:
    golden = json.loads((EXAMPLES / f"{message.routing_key()}.json").read_text())
    newer = json.dumps({**golden, "field_of_tomorrow": {"deep": [1]}}).encode()
    assert message.decode(newer) == message.decode(json.dumps(golden).encode())


def test_there_is_no_example_without_a_message() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {message.routing_key() for message in MESSAGES}


def test_every_subscription_names_a_known_message() -> None:
    assert {m for types in SUBSCRIPTIONS.values() for m in types} <= set(MESSAGES)
    assert subscribers("invoicing.invoice-issued.v1") == ["payments", "notifications"]
    assert set(ROUTING) == {"members", "catalog", "booking", "invoicing", "payments", "notifications"}
