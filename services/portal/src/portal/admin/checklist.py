"""The *Getting paid* checklist: from nothing to the first automatic payment."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.admin.door import blueprint
from portal.api import api


@blueprint.get("/getting-paid")
def checklist() -> str:
    """Every step with its state, why it matters, and where it is done."""
    steps = _each_problem_once(api().get("/v1/setup")["steps"])
    following = next((step["id"] for step in steps if step["state"] == "todo"), None)
    return render_template("admin/checklist.html", steps=steps, following=following, done=count_done(steps))


def _each_problem_once(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What stands in the way of several steps is named at the first of them."""
    seen: set[str] = set()
    for step in steps:
        step["problems"] = [problem for problem in step["problems"] if problem["detail"] not in seen]
        seen |= {problem["detail"] for problem in step["problems"]}
    return steps


def count_done(steps: list[dict[str, str]]) -> int:
    """How many steps are done."""
    return sum(step["state"] == "done" for step in steps)
