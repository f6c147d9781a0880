"""deploy/observability agrees with the processes and the metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import common.jobs
import common.measurements
import common.messaging.metrics
import common.telemetry.metrics
import gateway.upstreams.pool
import payments.services.charging
from servers.processes import SERVICES, STORING

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/observability"
IMPORTED = (
    gateway.upstreams.pool,
    payments.services.charging,
    common.jobs,
    common.measurements,
    common.messaging.metrics,
    common.telemetry.metrics,
)


def known() -> set[str]:
    """Every name under which a sample of ours may appear."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {
        family.name + suffix
        for family in REGISTRY.collect()
        if family.name.startswith("deskledger_")
        for suffix in suffixes.get(family.type, ("",))
    }


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return json.loads((FOLDER / "dashboard.json").read_text())["panels"]


def test_every_process_is_scraped() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in jobs for static in job["static_configs"] for target in static["targets"]}
    web = {f"{name}-web:8000" for name in SERVICES}
    assert targets == web | {f"{name}-worker:8000" for name in STORING}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert {target.partition(":")[0] for target in targets} <= set(compose)


EXPRESSIONS = [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_ask_for_metrics_that_exist(expression: str) -> None:
    asked = set(re.findall(r"deskledger_\w+", expression))
    assert asked or "up{" in expression
    assert asked <= known()
    assert expression.count("(") == expression.count(")")


def test_every_alert_is_in_the_runbook_with_a_severity() -> None:
    runbook = (ROOT / "docs/runbooks/metrics.md").read_text()
    for rule in rules():
        assert rule["alert"] in runbook
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_the_runbook_names_metrics_that_exist() -> None:
    named = set(re.findall(r"`(deskledger_\w+)`", (ROOT / "docs/runbooks/metrics.md").read_text()))
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known()} | known()
    assert named <= stems
