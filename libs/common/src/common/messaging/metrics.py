"""Prometheus metrics of messaging; labels are names of services and message types, never ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_LAG = Gauge(
    "deskledger_outbox_lag_seconds",
    "Age of the oldest unpublished outbox row",
    ["service"],
    multiprocess_mode="livemax",
)
OUTBOX_WAITING = Gauge("deskledger_outbox_waiting", "Unpublished outbox rows", ["service"], multiprocess_mode="livemax")
RELAY_LEADER = Gauge(
    "deskledger_relay_leader",
    "1 while this process leads the service's relay",
    ["service"],
    multiprocess_mode="livemax",
)
PUBLISHED = Counter("deskledger_messages_published", "Messages published by the relay", ["service"])
PUBLISH_FAILURES = Counter(
    "deskledger_publish_failures", "Messages that the transport did not take", ["service", "reason"]
)
HANDLED = Counter("deskledger_messages_handled", "Messages handled", ["consumer", "type", "outcome"])
RETRIES = Counter("deskledger_message_retries", "Messages put off to a later attempt", ["consumer", "type"])
DEAD_LETTERS = Counter("deskledger_dead_letters", "Messages given up", ["consumer", "type"])
HANDLER_SECONDS = Histogram(
    "deskledger_handler_seconds",
    "Time in the handlers of one message",
    ["consumer", "type"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
DELIVERY_SECONDS = Histogram(
    "deskledger_delivery_seconds",
    "Time from a message's making to its handling",
    ["consumer"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600),
)
