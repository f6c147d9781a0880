"""The "Getting paid" checklist (DOMAIN section 0): what the services say, as steps for the owner. Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DONE, TODO, OPTIONAL = "done", "todo", "optional"

# Who is asked, at /v1/setup/{service}.
ASKED = ("catalog", "members", "booking", "invoicing", "payments", "notifications")


@dataclass(frozen=True, slots=True)
class Facts:
    """Answers by service; ``silent`` are the services that did not answer."""

    answers: Mapping[str, Mapping[str, Any] | None]
    silent: frozenset[str]

    def count(self, service: str, name: str) -> int:
        """A number that a service tells; a fact that holds is 1, and 0 is what nobody tells."""
        return int(self._of(service).get("facts", {}).get(name, 0))

    def problems(self, *services: str) -> list[dict[str, Any]]:
        """What services find wrong, and which of them do not answer."""
        found = [dict(problem) for service in services for problem in self._of(service).get("problems", ())]
        return found + [_silent(service) for service in sorted({*services} & self.silent)]

    def _of(self, service: str) -> Mapping[str, Any]:
        return self.answers.get(service) or {}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list; ``state`` decides by the facts; problems of ``services`` stand in its way."""

    id: str
    title: str
    why: str
    href: str
    state: Callable[[Facts], str]
    services: Sequence[str]


def checklist(facts: Facts) -> list[dict[str, Any]]:
    """The steps in their order, each with its state and its problems."""
    return [
        {
            "id": step.id,
            "title": step.title,
            "state": step.state(facts),
            "why": step.why,
            "href": step.href,
            "problems": facts.problems(*step.services),
        }
        for step in STEPS
    ]


def _silent(service: str) -> dict[str, Any]:
    detail = f"{service} does not answer just now, so this step may look different in a moment"
    return {"code": "service_unavailable", "detail": detail}


def _connected(facts: Facts) -> str:
    return DONE if facts.count("payments", "gateways_connected") else TODO


def _on_sale(facts: Facts) -> str:
    plans = facts.count("catalog", "plans_recurring") + facts.count("catalog", "plans_one_off")
    return DONE if plans and not facts.count("catalog", "resources_without_rate") else TODO


def _generated(facts: Facts) -> str:
    return DONE if facts.count("invoicing", "automatic_generation") else TODO


def _automated(facts: Facts) -> str:
    switches = ("automatic_sending", "automatic_collection")
    return DONE if all(facts.count("invoicing", switch) for switch in switches) else OPTIONAL


def _published(facts: Facts) -> str:
    return DONE if facts.count("catalog", "storefront_published") else OPTIONAL


def _tested(facts: Facts) -> str:
    return DONE if facts.count("payments", "has_been_paid") else TODO


STEPS: tuple[Step, ...] = (
    Step(
        "payment_gateway",
        "Connect a payment gateway",
        "No invoice can be paid online before. Several kinds and accounts can be used at once.",
        "/admin/payment-gateways",
        _connected,
        ("payments",),
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
        ("invoicing",),
    ),
    Step(
        "billing_automation",
        "Let invoices be sent and collected by themselves",
        "Sent by e-mail when generated, and charged to the method on file when due; each switch stands alone.",
        "/admin/settings/billing",
        _automated,
        ("invoicing", "members", "notifications"),
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
        (),
    ),
)
