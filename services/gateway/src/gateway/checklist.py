"""The "Getting paid" checklist (DOMAIN section 0): what the services say, as steps for the owner. Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DONE, TODO, OPTIONAL = "done", "todo", "optional"
_USABLE = frozenset({"connected", "active", "enabled"})

# What is asked of whom; a service that does not answer leaves its facts None.
QUESTIONS: dict[str, tuple[str, str]] = {
    "gateways": ("payments", "/v1/payment-gateways?limit=200"),
    "paid": ("payments", "/v1/payments?state=succeeded&limit=1"),
    "billing": ("invoicing", "/v1/settings/billing"),
    "catalog": ("catalog", "/v1/setup/catalog"),
    "members": ("members", "/v1/setup/members"),
    "booking": ("booking", "/v1/setup/booking"),
    "invoicing": ("invoicing", "/v1/setup/invoicing"),
    "payments": ("payments", "/v1/setup/payments"),
    "notifications": ("notifications", "/v1/setup/notifications"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Answers by question; ``silent`` are the services that did not answer."""

    answers: Mapping[str, Mapping[str, Any] | None]
    silent: frozenset[str]

    def of(self, question: str) -> Mapping[str, Any]:
        """An answer, empty when there is none."""
        return self.answers.get(question) or {}

    def problems(self, *questions: str) -> list[dict[str, Any]]:
        """What services find wrong, and which of them do not answer."""
        found = [dict(problem) for question in questions for problem in self.of(question).get("problems", ())]
        services = sorted({QUESTIONS[question][0] for question in questions} & self.silent)
        return found + [_silent(service) for service in services]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list; ``state`` decides by the facts, ``questions`` are what it looks at."""

    id: str
    title: str
    why: str
    href: str
    state: Callable[[Facts], str]
    questions: Sequence[str]


def checklist(facts: Facts) -> list[dict[str, Any]]:
    """The steps in their order, each with its state and its problems."""
    return [
        {
            "id": step.id,
            "title": step.title,
            "state": step.state(facts),
            "why": step.why,
            "href": step.href,
            "problems": facts.problems(*step.questions),
        }
        for step in STEPS
    ]


def _silent(service: str) -> dict[str, Any]:
    detail = f"{service} does not answer just now, so this step may look different in a moment"
    return {"code": "service_unavailable", "detail": detail}


def _connected(facts: Facts) -> str:
    gateways = facts.of("gateways").get("items", ())
    return DONE if any(gateway.get("state", "connected") in _USABLE for gateway in gateways) else TODO


def _on_sale(facts: Facts) -> str:
    counts = facts.of("catalog").get("facts") or facts.of("catalog")
    plans = int(counts.get("plans_recurring", 0)) + int(counts.get("plans_one_off", 0))
    return DONE if plans and not counts.get("resources_without_rate", 0) else TODO


def _generated(facts: Facts) -> str:
    return DONE if facts.of("billing").get("automatic_generation") else TODO


def _automated(facts: Facts) -> str:
    billing = facts.of("billing")
    return DONE if billing.get("automatic_sending") and billing.get("automatic_collection") else OPTIONAL


def _published(facts: Facts) -> str:
    counts = facts.of("catalog").get("facts") or facts.of("catalog")
    return DONE if counts.get("storefront_published") else OPTIONAL


def _tested(facts: Facts) -> str:
    return DONE if facts.of("paid").get("items") else TODO


STEPS: tuple[Step, ...] = (
    Step(
        "payment_gateway",
        "Connect a payment gateway",
        "No invoice can be paid online before. Several kinds and accounts can be used at once.",
        "/admin/payment-gateways",
        _connected,
        ("gateways", "payments"),
    ),
    Step(
        "services",
        "Create the services members pay for",
        "Memberships, day passes, fees, and rates for rooms and desks: what has no rate earns nothing when booked.",
        "/admin/plans",
        _on_sale,
        ("catalog", "booking"),
    ),
    Step(
        "automatic_generation",
        "Generate invoices automatically",
        "Until this switch is on, no invoice is made by itself.",
        "/admin/settings/billing",
        _generated,
        ("billing", "invoicing"),
    ),
    Step(
        "billing_automation",
        "Let invoices be sent and collected by themselves",
        "Sent by e-mail when generated, and charged to the method on file when due; each switch stands alone.",
        "/admin/settings/billing",
        _automated,
        ("billing", "members", "notifications"),
    ),
    Step(
        "storefront",
        "Set up the storefront",
        "The public page where anybody buys plans and day passes and books rooms.",
        "/admin/storefront",
        _published,
        ("catalog",),
    ),
    Step(
        "test",
        "Test before going live",
        "One invoice from end to end: advance the clock of a rehearsal, or send a small test charge and refund it.",
        "/admin/rehearsal",
        _tested,
        ("paid",),
    ),
)
