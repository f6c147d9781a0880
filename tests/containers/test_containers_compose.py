"""docker-compose.yml and the Dockerfile, as far as they can be checked without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from servers.processes import SERVICES, STORING

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with its anchors resolved."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return compose["services"]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "deploy/docker/Dockerfile").read_text()


def test_compose_client_accepts_the_file() -> None:
    if shutil.which("docker") is None:
        pytest.skip("the docker client is not installed")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker client here has no compose plugin")
    done = subprocess.run(
        ["docker", "compose", "--file", "docker-compose.yml", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_tables_of_services_agree_with_the_folders() -> None:
    assert set(SERVICES) == {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}


def test_every_service_runs_every_kind_of_process(services: dict[str, dict[str, Any]]) -> None:
    ours = {f"{name}-web" for name in SERVICES} | {
        f"{name}-{kind}" for name in STORING for kind in ("worker", "migrate")
    }
    assert set(services) == ours | {"postgres", "rabbitmq", "mail"}


@pytest.mark.parametrize("name", STORING)
def test_a_service_starts_on_a_migrated_database_of_its_own(services: dict[str, dict[str, Any]], name: str) -> None:
    web, worker, migrate = (services[f"{name}-{kind}"] for kind in ("web", "worker", "migrate"))
    assert migrate["command"] == ["migrate"]
    assert migrate["restart"] == "no"
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for process in (web, worker):
        assert process["depends_on"][f"{name}-migrate"] == {"condition": "service_completed_successfully"}
        assert process["environment"] == migrate["environment"]
        assert process["image"] == migrate["image"] == f"deskledger-{name}"
    assert web["environment"]["DATABASE_URL"].endswith(f"@postgres:5432/deskledger_{name}")
    assert worker["command"] == ["worker"]


def test_a_web_process_does_not_wait_for_the_broker(services: dict[str, dict[str, Any]]) -> None:
    assert [n for n, s in services.items() if "rabbitmq" in s.get("depends_on", {}) and not n.endswith("-worker")] == []


def test_whoever_is_waited_for_tells_its_health(services: dict[str, dict[str, Any]], dockerfile: str) -> None:
    waited_for = {
        other
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for <= set(services)
    for name in waited_for:
        own = services[name].get("healthcheck")
        assert "test" in own if own else name.endswith("-web"), name
    assert "HEALTHCHECK" in dockerfile


def test_workers_tell_their_health_where_the_image_asks(services: dict[str, dict[str, Any]], dockerfile: str) -> None:
    told = dict(re.findall(r"\b(PORT|WORKER_PORT|METRICS_BIND)=(\S+)", dockerfile))
    assert told["WORKER_PORT"] == told["PORT"]
    assert told["METRICS_BIND"] == "0.0.0.0"
    assert [name for name in STORING if "healthcheck" in services[f"{name}-worker"]] == []


def test_only_the_gateway_is_open_beyond_the_tools(services: dict[str, dict[str, Any]]) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"gateway-web", "rabbitmq", "mail"}
    assert all(port.startswith(("127.0.0.1:", "${")) for s in services.values() for port in s.get("ports", []))


def test_the_gateway_knows_every_service_and_the_portal_the_gateway(services: dict[str, dict[str, Any]]) -> None:
    gateway = services["gateway-web"]["environment"]
    for name in SERVICES[1:]:
        assert gateway[f"{name.upper()}_URL"] == f"http://{name}-web:8000"
    assert services["portal-web"]["environment"]["GATEWAY_URL"] == "http://gateway-web:8000"


def test_every_image_is_built_once_for_its_own_service(services: dict[str, dict[str, Any]]) -> None:
    builds = {service["image"]: service["build"]["args"] for service in services.values() if "build" in service}
    assert builds == {f"deskledger-{name}": {"SERVICE": name} for name in SERVICES}
    assert sum("build" in service for service in services.values()) == len(SERVICES)


def test_mounted_files_exist(services: dict[str, dict[str, Any]]) -> None:
    mounts = [volume for service in services.values() for volume in service.get("volumes", [])]
    files = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_every_service_gets_a_database_at_the_first_start() -> None:
    script = (ROOT / "deploy/postgres/10-databases.sh").read_text()
    listed = re.search(r"for service in ([a-z ]+);", script)
    assert listed
    assert set(listed[1].split()) == set(STORING)


@pytest.mark.parametrize(
    "script", ["deploy/postgres/10-databases.sh", "deploy/docker/entrypoint.sh", "requirements/install.sh", ".ci/run"]
)
def test_shell_scripts_parse(script: str) -> None:
    done = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_images_are_locked_and_run_without_privileges(dockerfile: str) -> None:
    installs = [line for line in dockerfile.splitlines() if "-r requirements/" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    final_stage = dockerfile.rsplit("FROM ", 1)[1]
    assert re.search(r"^USER 10001$", final_stage, re.MULTILINE)


def test_copied_files_are_not_ignored(dockerfile: str) -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert copied
    assert [name for name in copied if not any(name == top or name.startswith(f"{top}/") for top in kept)] == []
